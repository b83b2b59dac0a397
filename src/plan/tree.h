// A plan as people read it: one branch a service, one line an object, with what becomes of it and why. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/observed.h"
#include "plan/plan.h"

namespace berth::plan {

/// What becomes of one object.
enum class Deed {
  keep,
  create,
  recreate,
  start,
  restart,
  stop,
  remove,
  change,  ///< renamed, connected, unpaused, killed: the cause says what
  pull,
  build,
  wait,
};
std::string_view to_text(Deed deed);

/// One object with all that is done to it.
struct Leaf {
  Deed deed = Deed::keep;
  std::string object{};                   ///< "container shop-web-1", "network default", "image web:1"
  std::string cause{};                    ///< why
  std::vector<Difference> differences{};  ///< each field behind the cause
  Risk risk = Risk::none;
  std::vector<std::string> risks{};  ///< what may be lost
};
struct Branch {
  std::string service{};  ///< "" for what services share
  std::vector<Leaf> leaves{};
};
/// What is shared first, then the services in the order of the plan, then those that only stay.
std::vector<Branch> tree_of(const Plan& plan, const Observed& observed);

}  // namespace berth::plan
