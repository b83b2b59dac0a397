// Carrying out a change of a project: observe, plan, lock, observe again, apply, keep a generation. What the command
// line and the API have in common.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "compose/keep.h"
#include "compose/plan.h"
#include "plan/apply.h"

namespace berth::compose {

/// The engine that a change is made on, and who is told of it. Lives as long as what runs on it.
struct Site {
  engine::Client& client;
  plan::Traffic* traffic = nullptr;  ///< needed where CarryOut::traffic is
  std::string runtime_folder{};      ///< of locks
  Keeping keeping{};
  std::function<void(std::string_view text)> note{};
  std::function<void(std::string_view text)> warning{};
};

/// A plan with what it was made from.
struct Planned {
  plan::Plan plan{};
  plan::Observed observed{};
};

/// Makes the plan of one round; `images_settled` from the second round on.
using Planner = std::function<Result<plan::Plan>(const plan::Observed& observed, bool images_settled)>;
/// Node -> id of what it made.
using Made = std::map<int, std::string>;

struct CarryOut {
  const Project& project;
  Planner planner;
  std::string owner;  ///< the verb, for the lock
  /// Compares the first plan with one that was promised; also once the lock is held.
  std::function<Result<void>(const plan::Plan& plan)> expect{};
  /// Filled once there is something to change, for `planner`; null when it needs none.
  plan::TrafficView* traffic = nullptr;
  /// Looks at the plan before anything is changed, and may refuse. Both arguments outlive the task.
  std::function<io::Task<Result<void>>(const Planned& round)> check{};
  /// Applies one round with plan::apply, handing every event to `journal`; its failure is the whole's.
  std::function<io::Task<Result<Made>>(const Planned& round, plan::ProgressFn journal)> apply{};
  const Source* keep = nullptr;  ///< keeps a generation after a change; the project came from here
  std::string note{};            ///< of that generation
};

struct CarriedOut {
  bool changed = false;
  plan::Plan plan{};   ///< of the last round
  int generation = 0;  ///< that was kept; 0: none
};

/// Takes the project's lock only when there is something to change. Warnings of the plan go to the site. Both live
/// until the task ends.
io::Task<Result<CarriedOut>> carry_out(const Site& site, const CarryOut& what);

/// Observes what the project may touch and plans, changing nothing; a plan that makes volumes is marked with what its
/// neighbours hold.
io::Task<Result<Planned>> make_plan(const Site& site, const CarryOut& what, bool images_settled);

/// The plan of one round of bringing up.
Result<plan::Plan> plan_of_round(const Project& project, const plan::Observed& observed, UpOptions options,
                                 bool images_settled);

}  // namespace berth::compose
