// Planning and applying for every verb that changes something: observe, plan, lock, observe again, apply.
#pragma once

#include <functional>

#include "cli/session.h"
#include "compose/project.h"
#include "plan/plan.h"

namespace berth::cli {

/// Makes the plan of one round; `images_settled` from the second round on.
using Planner = std::function<Result<plan::Plan>(const plan::Observed& observed, bool images_settled)>;

struct CarryOut {
  const compose::Project& project;
  Planner planner;
  std::string owner;          ///< the verb, for the lock
  bool quiet = false;         ///< no progress
  bool quiet_images = false;  ///< no progress of pulls and builds
  /// Looks at the plan before anything is changed: asks, or refuses.
  io::Task<Result<void>> (*check)(Session&, const compose::Project&, const plan::Plan&,
                                  const plan::Observed&) = nullptr;
};

struct CarriedOut {
  bool changed = false;
  plan::Plan plan{};  ///< of the last round
};

/// Prints the plan's warnings, and with --dry-run the plan in place of applying it. Fails with the first failure, with
/// the place in the Compose file where a port is the cause. Takes the project's lock only when there is something to
/// change. `what` lives until the task ends.
io::Task<Result<CarriedOut>> carry_out(Session& session, const CarryOut& what);

/// Observes what the project may touch.
io::Task<Result<plan::Observed>> observe_project(Session& session, const compose::Project& project);

/// A plan for people: one line an op with its cause, then the summary.
std::string plan_text(const plan::Plan& plan, const Sink& sink);

}  // namespace berth::cli
