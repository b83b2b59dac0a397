// The logs of all containers of a project as one, in the order of their times.
#pragma once

#include <set>
#include <string>

#include "api/engine_world.h"
#include "api/log_outlet.h"
#include "engine/container.h"

namespace berth::api {

struct ProjectLogWish {
  std::string project{};
  std::set<std::string, std::less<>> services{};  ///< empty: all
  bool follow = false;
  std::size_t most = 0;     ///< lines of what was written; meant only where past.tail is not ""
  engine::ReadLogs past{};  ///< of each container; with timestamps
};

/// What was written, merged, and where it is followed what comes, of containers that come later too, for a quarter of
/// an hour: who asks is then looked up anew. What is followed is read once for all who look; who reads slowly is told
/// how many lines it missed. Begins and ends nothing of `outlet`.
io::Task<Result<void>> send_project_log(EngineWorld& world, const ProjectLogWish& wish, LogOutlet& outlet);

}  // namespace berth::api
