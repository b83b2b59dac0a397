// Planning and applying for every verb that changes something: observe, plan, lock, observe again, apply.
#pragma once

#include <functional>

#include "cli/generations.h"
#include "compose/carry_out.h"

namespace berth::cli {

using compose::CarriedOut;
using compose::Planned;
using compose::Planner;

struct CarryOut {
  const compose::Project& project;
  Planner planner;
  std::string owner;          ///< the verb, for the lock
  bool quiet = false;         ///< no progress
  bool quiet_images = false;  ///< no progress of pulls and builds
  /// Compares the first plan with one that was promised; also once the lock is held.
  std::function<Result<void>(const plan::Plan& plan)> expect{};
  /// Filled once there is something to change, for `planner`; null when it needs none.
  plan::TrafficView* traffic = nullptr;
  /// Looks at the plan before anything is changed: asks, or refuses.
  io::Task<Result<void>> (*check)(Session&, const compose::Project&, const plan::Plan&,
                                  const plan::Observed&) = nullptr;
  const Source* keep = nullptr;  ///< keeps a generation after a change; the project came from here
  std::string note{};            ///< of that generation
};

/// Prints the plan's warnings, and with --dry-run the plan in place of applying it. Fails with the first failure, with
/// the place in the Compose file where a port is the cause. Takes the project's lock only when there is something to
/// change. `what` lives until the task ends.
io::Task<Result<CarriedOut>> carry_out(Session& session, const CarryOut& what);

/// Observes what the project may touch and plans, changing nothing; a plan that makes volumes is marked with what its
/// neighbours hold.
io::Task<Result<Planned>> make_plan(Session& session, const CarryOut& what, bool images_settled);

/// Observes what the project may touch.
io::Task<Result<plan::Observed>> observe_project(Session& session, const compose::Project& project);

}  // namespace berth::cli
