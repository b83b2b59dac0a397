#include "api/engine_world.h"
#include "api/event_stream.h"
#include "api/terminal_desk.h"
#include "engine/container.h"
#include "io/wall.h"

namespace berth::api {
namespace {

// A terminal is of the one who opened it: its screen shows what that one typed. Who may change the settings may end it
// and look at it too.
bool may_have(const Call& call, const TerminalAbout& about) {
  if (!auth::may(call.who, Permission::exec, about.project)) return false;
  return about.by == call.who.id || auth::may(call.who, Permission::settings);
}

Result<std::shared_ptr<Terminal>> load_terminal(EngineWorld& world, Call& call) {
  const std::string_view id = call.parameter("id");
  auto terminal = world.terminals.find(id);
  const std::string what = "terminal \"" + std::string(id) + "\"";
  if (!terminal) return fail(Code::not_found, "there is no " + what);
  call.record.subject = "container:" + terminal->about().name;
  call.record.project = terminal->about().project;
  if (!may_have(call, terminal->about())) return hide(call, what);
  return terminal;
}

Result<std::vector<std::string>> command_of(const Json& given) {
  std::vector<std::string> words;
  for (const Json& each : given.items()) {
    if (!each.is_text()) return fail(Code::invalid, "command: a word of it is no text");
    words.emplace_back(each.text());
  }
  return words;
}

// bash where there is one.
io::Task<std::vector<std::string>> shell_of(engine::Client& client, std::string container) {
  const auto bash = co_await engine::stat_in_container(client, std::move(container), "/bin/bash");
  co_return std::vector<std::string>{bash ? "bash" : "sh"};
}

Json words_of(const std::vector<std::string>& words) {
  Json list = Json::array();
  for (const std::string& word : words) list.push(word);
  return list;
}

io::Task<Result<Reply>> open(EngineWorld& world, Call& call) {
  const ContainerItem item = CO_TRY(co_await load_container(world, call, Permission::exec));
  const auto client = CO_TRY(world.desk.client());
  auto words = CO_TRY(command_of(call.body["command"]));
  if (words.empty()) words = co_await shell_of(*client, item.id);
  call.record.difference = Json::object({{"command", words_of(words)}, {"user", call.body["user"]}});
  TerminalOrder wanted{.about = {.container = item.id,
                                 .name = item.name,
                                 .project = item.project,
                                 .command = std::move(words),
                                 .user = std::string(call.body["user"].text()),
                                 .by = call.who.id,
                                 .called = call.who.name,
                                 .opened_at = io::wall_time() / 1000},
                       .columns = call.body["cols"].integer(80),
                       .rows = call.body["rows"].integer(24)};
  const auto terminal = CO_TRY(co_await world.terminals.open(std::move(wanted), client));
  const io::Time now = (co_await io::here()).loop->now();
  co_return Reply{.body = Json::object({{"terminal", terminal->about().id},
                                        {"ticket", world.terminals.ticket(*terminal, call.who.id, now)}})};
}

io::Task<Result<Reply>> list(EngineWorld& world, Call& call) {
  std::vector<Json> items;
  for (const auto& terminal : world.terminals.all()) {
    const TerminalAbout& about = terminal->about();
    if (!may_have(call, about)) continue;
    items.push_back(Json::object({{"id", about.id},
                                  {"container", about.container},
                                  {"name", about.name},
                                  {"project", about.project.empty() ? Json() : Json(about.project)},
                                  {"command", words_of(about.command)},
                                  {"user", about.user},
                                  {"openedAt", about.opened_at},
                                  {"by", about.called},
                                  {"attached", terminal->attached()}}));
  }
  co_return page(call, std::move(items));
}

io::Task<Result<Reply>> end(EngineWorld& world, Call& call) {
  const auto terminal = CO_TRY(load_terminal(world, call));
  co_await terminal->hang_up();
  co_return Reply{.status = 204};
}

io::Task<Result<Reply>> give_ticket(EngineWorld& world, Call& call) {
  const auto terminal = CO_TRY(load_terminal(world, call));
  const io::Time now = (co_await io::here()).loop->now();
  co_return Reply{.body = Json::object({{"terminal", terminal->about().id},
                                        {"ticket", world.terminals.ticket(*terminal, call.who.id, now)}})};
}

io::Task<Result<void>> talk(EngineWorld& world, Call& call) {
  const auto terminal = CO_TRY(load_terminal(world, call));
  auto accept = http::websocket_handshake(*call.head);
  if (!accept) co_return co_await refuse_websocket(call, accept.error());
  const io::Time now = (co_await io::here()).loop->now();
  if (auto held = world.terminals.redeem(*terminal, call.option("ticket"), call.who.id, now); !held) {
    call.denied = true;
    co_return held;
  }
  auto socket = CO_TRY(co_await call.response->upgrade(101, {{"Sec-WebSocket-Accept", std::move(*accept)}}));
  co_return co_await terminal->converse(socket);
}

}  // namespace

Routes terminal_routes(EngineWorld& world) {
  const auto one = [&](std::string_view method, std::string_view path, std::string_view summary, EngineAnswer answer) {
    return Route{method, path, Permission::exec, Where::loaded, summary, at_local(world, answer), {kEngine}};
  };
  Route opens = one("POST", "/api/v1/containers/{id}/terminals", "Start a program with a terminal in it", open);
  opens.fields = {{.name = "command", .type = "array", .meaning = "and its arguments; a shell unless said"},
                  {.name = "user", .meaning = "the container's own unless said"},
                  {.name = "cols", .type = "integer", .meaning = "80 unless said"},
                  {.name = "rows", .type = "integer", .meaning = "24 unless said"}};
  opens.verb = "terminal.open";
  Route lists = one("GET", "/api/v1/terminals", "The open terminals", list);
  lists.query.push_back(kLimit);
  lists.query.push_back(kCursor);
  Route ends = one("DELETE", "/api/v1/terminals/{id}", "Type ^C and ^D and hang up", end);
  ends.verb = "terminal.end";
  Route tickets = one("POST", "/api/v1/terminals/{id}/tickets", "A ticket for one socket, for 30 seconds", give_ticket);
  tickets.verb = "terminal.ticket";
  Route talks{.method = "GET",
              .path = "/api/v1/terminals/{id}/socket",
              .needs = Permission::exec,
              .where = Where::loaded,
              .summary = "The terminal as a WebSocket: bytes as binary frames, resize and exit as text",
              .handler = at_local(world, talk),
              .query = {kEngine, {.name = "ticket", .meaning = "of .../tickets", .required = true}},
              .verb = "terminal.join",
              .upgrades = true};
  return {std::move(opens), std::move(lists), std::move(ends), std::move(tickets), std::move(talks)};
}

}  // namespace berth::api
