// Flags of up, create and plan as the planner's options.
#pragma once

#include "cli/session.h"
#include "compose/carry_out.h"

namespace berth::cli {

/// The options of `up` and `plan`; Code::invalid for flags that exclude each other.
Result<compose::UpOptions> up_options(Session& session);
Result<compose::UpOptions> create_options(Session& session);
Result<compose::DownOptions> down_options(Session& session);
/// --pull as the planner's; what is no policy of pulling is the service's own.
compose::Pull pull_policy(std::string_view text);
/// How `up` loads the project for those options.
LoadWish up_wish(const compose::UpOptions& options);

using compose::plan_of_round;

}  // namespace berth::cli
