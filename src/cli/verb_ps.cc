#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/containers.h"
#include "cli/listing.h"
#include "cli/verbs.h"

namespace berth::cli {
namespace {

constexpr std::string_view kStatuses[] = {"paused", "restarting", "removing", "running", "dead", "created", "exited"};
constexpr std::size_t kCommandWidth = 20;

std::int64_t unix_seconds(const Session& session) {
  return std::chrono::duration_cast<std::chrono::seconds>(session.world.now().time_since_epoch()).count();
}

std::string age_of(const Session& session, const Listed& one) {
  const auto age = unix_seconds(session) - one.summary["Created"].integer();
  return age_text(std::chrono::seconds(age)) + " ago";
}

std::string command_text(const Listed& one, bool whole) {
  const auto command = printable(one.summary["Command"].text());
  return "\"" + (whole ? command : fit(command, kCommandWidth)) + "\"";
}

std::string colored_status(const Session& session, const Listed& one) {
  const auto& sink = session.console.out;
  const auto status = one.summary["Status"].text();
  if (one.health() == "unhealthy" || (one.state == plan::State::exited && one.exit_code() != 0))
    return colored(sink, Color::red, status);
  if (one.state == plan::State::running)
    return colored(sink, one.health() == "starting" ? Color::yellow : Color::green, status);
  return std::string(status);
}

Json publishers(const Listed& one) {
  Json out;  // null when there is none
  for (const auto& port : one.summary["Ports"].items())
    out.push(Json::object({{"URL", port["IP"].text()},
                           {"TargetPort", port["PrivatePort"].integer()},
                           {"PublishedPort", port["PublicPort"].integer()},
                           {"Protocol", port["Type"].text()}}));
  return out;
}

std::string labels_text(const Listed& one) {
  std::vector<std::string> out;
  for (const auto& [key, value] : one.summary["Labels"].members()) out.push_back(key + "=" + std::string(value.text()));
  std::ranges::sort(out);
  return join(out, ",");
}

std::string names_of(const Json& members, std::string_view key) {
  std::vector<std::string> out;
  for (const auto& item : members.items()) {
    const auto name = item[key].text();
    out.emplace_back(name.empty() ? item["Source"].text() : name);
  }
  return join(out, ",");
}

// The members of docker compose's JSON.
Json json_of(const Session& session, const Listed& one) {
  const auto& summary = one.summary;
  std::vector<std::string> networks;
  for (const auto& [name, settings] : summary.at("NetworkSettings.Networks").members()) networks.push_back(name);
  const auto local = std::ranges::count_if(summary["Mounts"].items(),
                                           [](const Json& mount) { return mount["Driver"].text() == "local"; });
  return Json::object({{"Command", command_text(one, session.options.ps.no_trunc)},
                       {"CreatedAt", time_text(summary["Created"].integer())},
                       {"ExitCode", one.exit_code()},
                       {"Health", one.health()},
                       {"ID", session.options.ps.no_trunc ? one.id : one.id.substr(0, 12)},
                       {"Image", summary["Image"].text()},
                       {"Labels", labels_text(one)},
                       {"LocalVolumes", std::to_string(local)},
                       {"Mounts", names_of(summary["Mounts"], "Name")},
                       {"Name", one.name},
                       {"Names", one.name},
                       {"Networks", join(networks, ",")},
                       {"Ports", ports_text(summary["Ports"])},
                       {"Project", one.project},
                       {"Publishers", publishers(one)},
                       {"RunningFor", age_of(session, one)},
                       {"Service", one.service},
                       {"Size", "0B"},
                       {"State", to_text(one.state)},
                       {"Status", summary["Status"].text()}});
}

void print_table(const Session& session, const std::vector<Listed>& list) {
  const bool whole = session.options.ps.no_trunc;
  std::vector<std::vector<std::string>> rows = {{"NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS"}};
  for (const auto& one : list)
    rows.push_back({one.name, std::string(one.summary["Image"].text()), command_text(one, whole), one.service,
                    age_of(session, one), colored_status(session, one), ports_text(one.summary["Ports"])});
  session.console.print(table(rows));
}

// --status and --filter status=VALUE together.
Result<Texts> wanted_statuses(Session& session) {
  Texts out = session.options.ps.status;
  for (const auto& filter : session.options.ps.filter) {
    const auto [name, value, found] = cut(filter, '=');
    if (!found || name != "status") return session.usage("--filter " + filter + ": only status=VALUE is known");
    out.emplace_back(value);
  }
  for (const auto& status : out)
    if (!(std::ranges::find(kStatuses, status) != std::end(kStatuses)))
      return session.usage("--status " + status + ": unknown" + suggestion(status, kStatuses));
  return out;
}

void print_list(const Session& session, const std::vector<Listed>& list) {
  const auto& flags = session.options.ps;
  if (flags.quiet) {
    for (const auto& one : list) session.console.print(one.id + "\n");
  } else if (flags.services) {
    Texts names;
    for (const auto& one : list)
      if (!contains(names, one.service)) names.push_back(one.service);
    for (const auto& name : names) session.console.print(name + "\n");
  } else {
    print_table(session, list);
  }
}

constexpr Column kColumns[] = {{"NAME", "Name"},          {"IMAGE", "Image"},
                               {"COMMAND", "Command"},    {"SERVICE", "Service"},
                               {"CREATED", "RunningFor"}, {"STATUS", "Status"},
                               {"PORTS", "Ports"},        {"CONTAINER ID", "ID"},
                               {"SIZE", "Size"},          {"LOCAL VOLUMES", "LocalVolumes"}};

}  // namespace

io::Task<Result<int>> verb_ps(Session& session) {
  const auto& flags = session.options.ps;
  const bool plain = flags.format.empty() || flags.format == "table" || flags.quiet || flags.services;
  if (const auto checked = listing(flags.format, kColumns, {json_of(session, {})}); !checked)
    co_return session.usage(checked.error().message);
  const auto statuses = CO_TRY(wanted_statuses(session));
  const auto target =
      CO_TRY(co_await session.load_or_name({.targets = session.options.arguments, .every_profile = true}));
  const bool all = flags.all || !statuses.empty();
  auto list = CO_TRY(co_await list_project(session, target.project.name,
                                           {.services = session.options.arguments, .all = all, .oneoffs = flags.all}));
  std::erase_if(list, [&](const Listed& one) {
    const bool orphan = !flags.orphans && !target.by_label && !target.project.find(one.service);
    return orphan || (!statuses.empty() && !contains(statuses, to_text(one.state)));
  });
  if (plain) {
    print_list(session, list);
    co_return kDone;
  }
  std::vector<Json> rows;
  for (const auto& one : list) rows.push_back(json_of(session, one));
  session.console.print(CO_TRY(listing(flags.format, kColumns, rows)));
  co_return kDone;
}

}  // namespace berth::cli
