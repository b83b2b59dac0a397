#include <algorithm>
#include <set>

#include "cli/containers.h"
#include "cli/listing.h"
#include "cli/verbs.h"
#include "engine/network.h"

namespace berth::cli {
namespace {

constexpr Column kColumns[] = {{"DRIVER", "Driver"}, {"VOLUME NAME", "Name"}};

// As `docker volume ls --format json` says it.
Json row_of(const Json& volume) {
  Texts labels;
  for (const auto& [key, value] : volume["Labels"].members()) labels.push_back(key + "=" + std::string(value.text()));
  std::ranges::sort(labels);
  std::string text;
  for (const auto& label : labels) text += (text.empty() ? "" : ",") + label;
  return Json::object({{"Availability", "N/A"},
                       {"Driver", volume["Driver"].text()},
                       {"Group", "N/A"},
                       {"Labels", text},
                       {"Links", "N/A"},
                       {"Mountpoint", volume["Mountpoint"].text()},
                       {"Name", volume["Name"].text()},
                       {"Scope", volume["Scope"].text()},
                       {"Size", "N/A"},
                       {"Status", "N/A"}});
}

// The names of volumes that containers of these services have mounted.
io::Task<Result<std::set<std::string, std::less<>>>> mounted(Session& session, std::string project) {
  std::set<std::string, std::less<>> out;
  const auto list = CO_TRY(co_await list_project(session, project, {.services = session.options.arguments}));
  for (const auto& one : list)
    for (const auto& mount : one.summary["Mounts"].items())
      if (mount["Type"].text() == "volume") out.emplace(mount["Name"].text());
  co_return out;
}

}  // namespace

io::Task<Result<int>> verb_volumes(Session& session) {
  const auto& flags = session.options.show;
  if (const auto checked = listing(flags.format, kColumns, {row_of({})}); !checked)
    co_return session.usage(checked.error().message);
  const auto target =
      CO_TRY(co_await session.load_or_name({.targets = session.options.arguments, .every_profile = true}));
  auto& client = *CO_TRY(co_await session.engine());
  const auto volumes = CO_TRY(co_await engine::list_volumes(
      client, {{"label", std::string(plan::label::kProject) + "=" + target.project.name}}));
  std::vector<Json> rows;
  const bool all = session.options.arguments.empty();
  const auto wanted =
      all ? std::set<std::string, std::less<>>{} : CO_TRY(co_await mounted(session, target.project.name));
  for (const auto& volume : volumes.items())
    if (all || wanted.contains(volume["Name"].text())) rows.push_back(row_of(volume));
  std::ranges::sort(rows, {}, [](const Json& row) { return std::string(row["Name"].text()); });
  const auto text = flags.quiet ? listing("{{.Name}}", kColumns, rows) : listing(flags.format, kColumns, rows);
  session.console.print(CO_TRY(text));
  co_return kDone;
}

}  // namespace berth::cli
