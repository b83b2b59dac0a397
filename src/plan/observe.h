// Taking the snapshot from an engine.
#pragma once

#include "engine/client.h"
#include "plan/observed.h"
#include "plan/risk.h"

namespace berth::plan {

/// Lists by label, inspects what is listed (at most 16 at a time) and looks up what `wanted` names besides. What is
/// gone between list and inspect is left out; any other failure is the failure of the whole: half a snapshot would
/// plan removals and creations that nobody wants.
io::Task<Result<Observed>> observe(engine::Client& client, Wanted wanted);

/// What mark_neighbours looks at: two lists, without inspecting anything. `working_dir` is the project's.
io::Task<Result<Neighbours>> observe_neighbours(engine::Client& client, std::string working_dir);

}  // namespace berth::plan
