// Going back to a generation: what it lacks today, and how it is planned. Pure over files.
#pragma once

#include <string>
#include <vector>

#include "compose/generation.h"
#include "compose/plan.h"
#include "plan/observed.h"

namespace berth::compose {

/// What the generation's `project` needs and cannot be had any more: then nothing may be changed. Empty: it can.
std::vector<std::string> missing_for(const Generation& generation, const Project& project,
                                     const plan::Observed& observed, const Files& files);
/// Secret and config files that are not as they were; they are the user's and stay as they are.
std::vector<std::string> changed_since(const Generation& generation, const Project& project, const Files& files);
/// How going back is planned: nothing is pulled or built, and services that came later go.
UpOptions rollback_options();
/// `asked`, or for 0 the generation before the last one of `numbers`; Code::not_found where there is none.
Result<int> generation_to(const std::vector<int>& numbers, int asked);
/// The error for what missing_for() found.
Error cannot_go_back(int number, const std::vector<std::string>& missing);

}  // namespace berth::compose
