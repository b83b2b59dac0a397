// What `plan` was asked, so that `apply` can ask it again.
#pragma once

#include <functional>
#include <memory>

#include "cli/session.h"
#include "plan/plan.h"
#include "plan/saved.h"
#include "plan/traffic_view.h"

namespace berth::cli {

struct PlanRequest {
  compose::Project project{};
  std::function<Result<plan::Plan>(const compose::Project& project, const plan::Observed& observed, bool settled)>
      planner{};
  std::shared_ptr<plan::TrafficView> traffic{};  ///< see CarryOut::traffic; `planner` reads it
  std::optional<LoadWish> kept{};                ///< how a generation loads it; none: it keeps none
};
/// From the command line of `plan`: what --verb says, for `services`.
io::Task<Result<PlanRequest>> plan_request(Session& session, Texts services);

/// compose::saved_plan with the command line and the time. `session` has loaded the project.
plan::SavedPlan saved_plan(const Session& session, const compose::Project& project, const plan::Plan& plan,
                           const std::string& salt, const io::SealKey& key);

}  // namespace berth::cli
