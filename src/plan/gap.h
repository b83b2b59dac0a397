// How long a service would be away while a plan is applied: an estimate from the plan alone. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plan/observed.h"
#include "plan/plan.h"

namespace berth::plan {

/// What one service is expected to miss.
struct Gap {
  std::string service{};
  std::int64_t seconds = 0;  ///< from the first container that stops to its successor that is ready; 0: less than one
  std::string why{};         ///< "stop grace 10 s, db healthy 5 s"; for 0 what makes it short
};
/// Services whose containers are stopped and come back, by name. A container counts from its StopContainer (its whole
/// grace period: nobody knows how long the program takes) over everything that is planned between to its start, and to
/// its first health probe. Where the new container is started before the old one stops, or others of the service keep
/// running, there is no gap: seconds is 0 and `why` says so.
std::vector<Gap> gaps_of(const Plan& plan, const Observed& observed);
/// "about 12 s (stop grace 10 s, health check 2 s)", "none (...)".
std::string to_text(const Gap& gap);

}  // namespace berth::plan
