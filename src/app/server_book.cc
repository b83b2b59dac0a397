#include "app/server_book.h"

#include <cstdio>

#include "api/server_desk.h"
#include "app/api_client.h"
#include "app/arguments.h"
#include "app/platform_store.h"
#include "auth/desk.h"
#include "http/client.h"
#include "http/url.h"
#include "io/file.h"
#include "plan/lock.h"

namespace berth::app {
namespace {

constexpr std::string_view kEngines = "/engines";

// --- through the API of a serve that runs

io::Task<Result<Json>> ask(http::Pool& api, std::string method, std::string path) {
  co_return body_of(CO_TRY(co_await exchange_api(api, {.method = std::move(method), .path = std::move(path)})));
}

// A key that is to be confirmed is no failure.
io::Task<Result<Json>> add_by(http::Pool& api, Json server) {
  auto told =
      CO_TRY(co_await exchange_api(api, {.method = "POST", .path = std::string(kEngines), .body = std::move(server)}));
  const bool added = told.status < 400;
  Json body = told.body["code"].text() == "host_key" ? std::move(told.body) : CO_TRY(body_of(std::move(told)));
  body.set("added", added);
  co_return body;
}
io::Task<Result<Json>> list_by(http::Pool& api) {
  co_return CO_TRY(co_await ask(api, "GET", std::string(kEngines) + "?limit=1000"))["items"];
}
std::string path_to(std::string_view name) {
  return std::string(kEngines) + "/" + http::percent_encode(name);
}
io::Task<Result<void>> remove_by(http::Pool& api, std::string name) {
  CO_TRY(co_await ask(api, "DELETE", path_to(name)));
  co_return Result<void>{};
}

ServerBook book_of(http::Pool& api) {
  return {.list = [&api] { return list_by(api); },
          .check = [&api](std::string name) { return ask(api, "GET", path_to(name)); },
          .remove = [&api](std::string name) { return remove_by(api, std::move(name)); },
          .add = [&api](Json server) { return add_by(api, std::move(server)); }};
}

// --- in the store

struct Offline {
  PlatformStore store;
  api::ServerDesk desk;
};

io::Task<Result<void>> note(Offline& offline, std::string verb, std::string name, Json difference) {
  const auth::Deed by{.who = {.id = "local", .name = "local", .from = "command line"}, .now = io::wall_time()};
  const auto kept = co_await offline.store.database->write<int>([&](store::Transaction& transaction) -> Result<int> {
    TRY(auth::record(transaction, by, {.verb = verb, .subject = "server:" + name, .difference = difference}));
    return 0;
  });
  if (!kept) co_return fail(kept.error());
  co_return Result<void>{};
}

io::Task<Result<Json>> add_to(Offline& offline, Json body) {
  const auto field = [&](std::string_view name) { return std::string(body[name].text()); };
  api::Server server{.name = field("name"),
                     .address = CO_TRY(engine::parse_address(field("address"))),
                     .identity = field("identity"),
                     .ca = field("ca"),
                     .certificate = field("certificate"),
                     .key = field("key")};
  const auto outcome = CO_TRY(co_await offline.desk.add(std::move(server), field("fingerprint")));
  if (!outcome.added)
    co_return Json::object({{"added", false},
                            {"fingerprint", engine::fingerprint_of(outcome.host_key)},
                            {"keyType", outcome.host_key.type}});
  Json row = api::to_json(outcome.server);
  CO_TRY(co_await note(offline, "server.add", outcome.server.name,
                       Json::object({{"address", row["address"]}, {"fingerprint", row["fingerprint"]}})));
  row.set("added", true);
  co_return row;
}
io::Task<Result<Json>> list_in(Offline& offline) {
  co_return Json(Json::Array(CO_TRY(co_await offline.desk.list())));
}
io::Task<Result<void>> remove_from(Offline& offline, std::string name) {
  const auto server = CO_TRY(co_await offline.desk.remove(std::move(name)));
  co_return co_await note(offline, "server.remove", server.name, Json::object({{"address", server.address.text()}}));
}

ServerBook book_of(Offline& offline) {
  return {.list = [&offline] { return list_in(offline); },
          .check = [&offline](std::string name) { return offline.desk.check(std::move(name)); },
          .remove = [&offline](std::string name) { return remove_from(offline, std::move(name)); },
          .add = [&offline](Json server) { return add_to(offline, std::move(server)); }};
}

io::Task<void> work_in(Offline& offline, const ServerWork& work, io::Scope& scope, Result<Json>& into) {
  auto book = book_of(offline);
  into = co_await work(book);
  scope.cancel();
}

void tell(const std::string& line) {
  std::fprintf(stderr, "berth server: %s\n", line.c_str());
}

io::Task<Result<Json>> run_offline(std::string data, std::string control, const ServerWork& work) {
  auto store = CO_TRY(co_await open_platform_store(data, tell));
  store::Database& database = *store.database;
  const io::SealKey key = store.key;
  Offline offline{.store = std::move(store),
                  .desk = {database, key, {.folder = data + "/servers", .control = control, .now = io::wall_time}}};
  io::Scope scope(co_await io::here());
  Result<Json> result;
  scope.spawn(offline.desk.run());
  scope.spawn(work_in(offline, work, scope, result));
  co_await scope.join();
  co_return result;
}

io::Task<Result<Json>> run_online(const std::string& socket, const ServerWork& work) {
  http::Pool api(std::make_unique<io::UnixDialer>(socket));
  auto book = book_of(api);
  co_return co_await work(book);
}

io::Task<bool> answers(const std::string& socket) {
  co_return (co_await io::UnixDialer(socket).dial()).has_value();
}

}  // namespace

Result<Json> with_servers(const std::string& data, const Environment& environment, const ServerWork& work) {
  io::Loop loop;
  const std::string socket = data + "/api.sock";
  if (loop.run(answers(socket))) return loop.run(run_online(socket, work));
  TRY(io::make_folder(data, 0700));
  auto lock = io::FileLock::take(data + "/lock");
  if (!lock) return fail(std::move(lock.error()).within("a berth serve has " + data + ", and its API does not answer"));
  const auto runtime = environment.find("XDG_RUNTIME_DIR");
  const std::string folder = plan::runtime_folder(runtime == environment.end() ? std::string() : runtime->second);
  return loop.run(run_offline(data, folder + "/ssh", work));
}

}  // namespace berth::app
