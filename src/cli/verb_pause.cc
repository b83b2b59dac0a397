// pause, unpause and wait.
#include <algorithm>

#include "cli/carry_out.h"
#include "cli/containers.h"
#include "cli/verbs.h"
#include "compose/plan.h"
#include "engine/container.h"

namespace berth::cli {
namespace {

using Effect = io::Task<Result<void>> (*)(engine::Client&, std::string);

io::Task<Result<int>> each_container(Session& session, plan::State in, Effect effect, std::string_view done) {
  const auto target =
      CO_TRY(co_await session.load_or_name({.targets = session.options.arguments, .every_profile = true}));
  const auto list =
      CO_TRY(co_await list_project(session, target.project.name, {.services = session.options.arguments}));
  auto& client = *CO_TRY(co_await session.engine());
  for (const auto& one : list) {
    if (one.state != in) continue;
    if (!session.options.global.dry_run) CO_TRY(co_await effect(client, one.id));
    session.console.note("container " + one.name + "  " + std::string(done));
  }
  co_return kDone;
}

struct Race {
  std::optional<Result<std::int64_t>> first{};
  std::string winner{};
};

io::Task<void> wait_one(Session& session, io::Scope& scope, Race& race, Listed one) {
  auto client = co_await session.engine();
  if (!client) co_return;
  auto status = co_await engine::wait_container(**client, one.id);
  if (race.first) co_return;
  race.first = std::move(status);
  race.winner = one.name;
  scope.cancel();
}

io::Task<Result<void>> take_down(Session& session, const Target& target) {
  const compose::DownOptions options{.by_label = target.by_label};
  const CarryOut what{.project = target.project,
                      .planner = [&](const plan::Observed& observed,
                                     bool) { return compose::plan_down(target.project, observed, options); },
                      .owner = "down"};
  CO_TRY(co_await carry_out(session, what));
  co_return Result<void>{};
}

}  // namespace

io::Task<Result<int>> verb_pause(Session& session) {
  co_return co_await each_container(session, plan::State::running, engine::pause_container, "paused");
}

io::Task<Result<int>> verb_unpause(Session& session) {
  co_return co_await each_container(session, plan::State::paused, engine::unpause_container, "unpaused");
}

io::Task<Result<int>> verb_wait(Session& session) {
  const auto& services = session.options.arguments;
  const auto target = CO_TRY(co_await session.load_or_name({.targets = services, .every_profile = true}));
  const auto list = CO_TRY(co_await list_project(session, target.project.name, {.services = services, .all = false}));
  if (list.empty()) co_return fail(Code::not_found, "no container of these services runs");
  Race race;
  io::Scope scope(co_await io::here());
  for (const auto& one : list) scope.spawn(wait_one(session, scope, race, one));
  co_await scope.join();
  if (!race.first) co_return fail(Code::cancelled, "interrupted");
  const auto status = CO_TRY(std::move(*race.first));
  session.console.print(std::to_string(status) + "\n");
  if (session.options.show.down_project) CO_TRY(co_await take_down(session, target));
  co_return static_cast<int>(status);
}

}  // namespace berth::cli
