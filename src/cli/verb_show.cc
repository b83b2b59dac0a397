// Verbs that only show: top, events, port, ls.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/containers.h"
#include "cli/live.h"
#include "cli/verbs.h"
#include "engine/container.h"
#include "engine/event.h"

namespace berth::cli {
namespace {

std::string top_text(const Listed& one, const Json& top) {
  std::vector<std::vector<std::string>> rows(1);
  for (const auto& title : top["Titles"].items()) rows[0].push_back(printable(title.text()));
  for (const auto& process : top["Processes"].items()) {
    auto& row = rows.emplace_back();
    for (const auto& field : process.items()) row.push_back(printable(field.text()));
  }
  return one.name + "\n" + table(rows) + "\n";
}

io::Task<Result<std::string>> top_picture(Session& session, std::string project) {
  const auto list =
      CO_TRY(co_await list_project(session, project, {.services = session.options.arguments, .all = false}));
  auto& client = *CO_TRY(co_await session.engine());
  std::string out;
  for (const auto& one : list) {
    const auto top = co_await engine::container_top(client, one.id);
    // One that ended since the list was made has none.
    if (!top && top.error().code != Code::conflict && top.error().code != Code::not_found) co_return fail(top.error());
    if (top) out += top_text(one, *top);
  }
  co_return out;
}

// "2026-01-02 15:04:05.123456"
std::string event_time(std::int64_t nanos) {
  return time_text(nanos / 1'000'000'000).substr(0, 19) + fmt::format(".{:06}", nanos % 1'000'000'000 / 1000);
}

std::map<std::string, std::string> shown_attributes(const engine::EngineEvent& event) {
  std::map<std::string, std::string> out;
  for (const auto& [key, value] : event.attributes.members())
    if (!key.starts_with("com.docker.compose.")) out.emplace(key, printable(value.text()));
  return out;
}

std::string event_json(const engine::EngineEvent& event) {
  auto attributes = Json::object();
  for (const auto& [key, value] : shown_attributes(event)) attributes.set(key, value);
  auto time = event_time(event.time_nano);
  time[10] = 'T';
  return Json::object({{"action", event.action},
                       {"attributes", std::move(attributes)},
                       {"id", event.id},
                       {"service", event.attributes["com.docker.compose.service"].text()},
                       {"time", time + "Z"},
                       {"type", event.type}})
      .dump();
}

std::string event_text(const engine::EngineEvent& event) {
  Texts attributes;
  for (const auto& [key, value] : shown_attributes(event)) attributes.push_back(key + "=" + value);
  return fmt::format("{} {} {} {} ({})", event_time(event.time_nano), event.type, event.action, event.id,
                     join(attributes, ", "));
}

// One project of `ls`.
struct Running {
  std::map<std::string, int> states{};
  std::string files{};
};

std::string states_text(const Running& project) {
  Texts out;
  for (const auto& [state, count] : project.states) out.push_back(fmt::format("{}({})", state, count));
  return join(out, ", ");
}

Result<std::string> name_filter(Session& session) {
  std::string out;
  for (const auto& filter : session.options.show.filter) {
    const auto [name, value, found] = cut(filter, '=');
    if (!found || name != "name") return session.usage("--filter " + filter + ": only name=VALUE is known");
    out = value;
  }
  return out;
}

void print_projects(const Session& session, const std::map<std::string, Running>& projects) {
  const auto& flags = session.options.show;
  auto json = Json::array();
  std::vector<std::vector<std::string>> rows = {{"NAME", "STATUS", "CONFIG FILES"}};
  for (const auto& [name, project] : projects) {
    if (flags.quiet) session.console.print(name + "\n");
    json.push(Json::object({{"Name", name}, {"Status", states_text(project)}, {"ConfigFiles", project.files}}));
    rows.push_back({name, states_text(project), project.files});
  }
  if (flags.quiet) return;
  session.console.print(flags.format == "json" ? json.dump() + "\n" : table(rows));
}

constexpr auto kLate = std::chrono::milliseconds(500);  // for events that are under way

// How long to listen; for ever without --until.
io::Duration time_left(const Session& session, const std::string& until) {
  if (until.empty()) return std::chrono::hours(24 * 365);
  const double now = std::chrono::duration<double>(session.world.now().time_since_epoch()).count();
  const std::chrono::duration<double> left(std::max(std::stod(until) - now, 0.0));
  return std::chrono::duration_cast<io::Duration>(left) + kLate;
}

}  // namespace

io::Task<Result<int>> verb_top(Session& session) {
  const auto target =
      CO_TRY(co_await session.load_or_name({.targets = session.options.arguments, .every_profile = true}));
  if (session.options.show.live)
    co_return co_await draw_live(session, std::chrono::seconds(2),
                                 [name = target.project.name](Session& asked) { return top_picture(asked, name); });
  session.console.print(CO_TRY(co_await top_picture(session, target.project.name)));
  co_return kDone;
}

io::Task<Result<int>> verb_events(Session& session) {
  const auto& flags = session.options.show;
  const auto now = session.world.now();
  const auto target =
      CO_TRY(co_await session.load_or_name({.targets = session.options.arguments, .every_profile = true}));
  engine::WatchEvents which{
      .filters = {{"type", "container"}, {"label", "com.docker.compose.project=" + target.project.name}},
      .since = CO_TRY(time_parameter(flags.since, now))};
  const auto until = CO_TRY(time_parameter(flags.until, now));
  auto& client = *CO_TRY(co_await session.engine());
  engine::EventStream events(client, std::move(which));
  session.interrupt_note = " ";
  for (;;) {
    auto next = co_await io::within(time_left(session, until), events.next());
    if (!next && next.error().code == Code::timeout) co_return kDone;
    const auto item = CO_TRY(std::move(next));
    const auto& event = item.event;
    const auto service = event.attributes["com.docker.compose.service"].text();
    if (item.gap || (!session.options.arguments.empty() && !contains(session.options.arguments, service))) continue;
    if (!until.empty() && static_cast<double>(event.time_nano) / 1e9 > std::stod(until)) co_return kDone;
    session.console.print((flags.json ? event_json(event) : event_text(event)) + "\n");
  }
}

io::Task<Result<int>> verb_port(Session& session) {
  const auto& flags = session.options.show;
  const auto& service = session.options.arguments[0];
  const auto& port = session.options.arguments[1];
  const auto target =
      CO_TRY(co_await session.load_or_name({.targets = {service}, .with_dependencies = false, .every_profile = true}));
  const auto container = CO_TRY(co_await pick_container(session, target.project, service, flags.index));
  for (const auto& one : container.summary["Ports"].items()) {
    const bool same = std::to_string(one["PrivatePort"].integer()) == port && one["Type"].text() == flags.protocol;
    if (!same || one["PublicPort"].integer() == 0) continue;
    session.console.print(fmt::format("{}:{}\n", one["IP"].text(), one["PublicPort"].integer()));
    co_return kDone;
  }
  co_return fail(Code::not_found,
                 "port " + port + "/" + flags.protocol + " of container " + container.name + " is not published");
}

io::Task<Result<int>> verb_ls(Session& session) {
  const auto& flags = session.options.show;
  const auto name = CO_TRY(name_filter(session));
  auto& client = *CO_TRY(co_await session.engine());
  const auto list = CO_TRY(co_await engine::list_containers(
      client, {.all = flags.all, .filters = {{"label", std::string(plan::label::kProject)}}}));
  std::map<std::string, Running> projects;
  for (const auto& summary : list.items()) {
    const auto one = parse_listed(summary);
    if (one.oneoff || (!name.empty() && !one.project.contains(name))) continue;
    auto& project = projects[one.project];
    ++project.states[std::string(to_text(one.state))];
    project.files = summary["Labels"][plan::label::kConfigFiles].text();
  }
  print_projects(session, projects);
  co_return kDone;
}

}  // namespace berth::cli
