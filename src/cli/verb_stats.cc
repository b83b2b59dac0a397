#include "cli/containers.h"
#include "cli/listing.h"
#include "cli/live.h"
#include "cli/usage.h"
#include "cli/verbs.h"
#include "engine/container.h"

namespace berth::cli {
namespace {

constexpr Column kColumns[] = {
    {"CONTAINER ID", "ID"}, {"NAME", "Name"},     {"CPU %", "CPUPerc"},     {"MEM USAGE / LIMIT", "MemUsage"},
    {"MEM %", "MemPerc"},   {"NET I/O", "NetIO"}, {"BLOCK I/O", "BlockIO"}, {"PIDS", "PIDs"},
};

struct Place {
  Listed container{};
  Json row{};
};

// The engine takes a second for a sample with its difference; all containers are asked at once.
io::Task<void> sample(Session& session, Place& place, bool whole) {
  const auto& one = place.container;
  const auto id = whole ? one.id : one.id.substr(0, 12);
  place.row = usage_row(id, one.name, {});
  auto client = co_await session.engine();
  if (!client || !plan::is_up(one.state)) co_return;
  // A container that ended meanwhile has none.
  if (const auto taken = co_await engine::container_stats(**client, one.id))
    place.row = usage_row(id, one.name, *taken);
}

io::Task<Result<std::string>> picture(Session& session, std::string project) {
  const auto& flags = session.options.show;
  const auto list =
      CO_TRY(co_await list_project(session, project, {.services = session.options.arguments, .all = flags.all}));
  std::vector<Place> places;
  for (const auto& one : list) places.push_back({.container = one});
  io::Scope scope(co_await io::here());
  for (auto& place : places) scope.spawn(sample(session, place, flags.no_trunc));
  co_await scope.join();
  std::vector<Json> rows;
  for (auto& place : places) rows.push_back(std::move(place.row));
  co_return listing(flags.format, kColumns, rows);
}

}  // namespace

io::Task<Result<int>> verb_stats(Session& session) {
  const auto& flags = session.options.show;
  if (const auto checked = listing(flags.format, kColumns, {usage_row("", "", {})}); !checked)
    co_return session.usage(checked.error().message);
  const auto target =
      CO_TRY(co_await session.load_or_name({.targets = session.options.arguments, .every_profile = true}));
  if (flags.no_stream) {
    session.console.print(CO_TRY(co_await picture(session, target.project.name)));
    co_return kDone;
  }
  co_return co_await draw_live(session, std::chrono::milliseconds(500),
                               [name = target.project.name](Session& asked) { return picture(asked, name); });
}

}  // namespace berth::cli
