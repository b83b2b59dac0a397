// Logs of the containers of a project: what was written so far merged by time, then what is written from now on.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cli/containers.h"
#include "cli/log_output.h"
#include "engine/event.h"
#include "io/scope.h"

namespace berth::cli {

struct LogWish {
  std::string project{};
  Texts services{};  ///< empty: all
  Texts without{};
  std::int64_t number = 0;  ///< only containers of that number, 0 for all
  std::string tail{};       ///< lines of each container, "" for all
  std::string since{};      ///< as the engine wants it
  std::string until{};
  LogStyle style{};
};

/// A container that ended while its logs were followed.
struct Ended {
  std::string id{};
  std::string name{};
  std::string service{};
  int status = 0;
};

/// Prints what the containers wrote, in order of time.
io::Task<Result<void>> print_logs(Session& session, LogWish wish);

/// Prints what was written, then what comes, also of containers that are made or started later. Ends when nothing has
/// run for `linger`, when `on_end` says so (true), or when cancelled.
struct FollowWish {
  LogWish logs{};
  bool past = true;  ///< false: from `logs.since` on, unmerged, as an attached `up` shows it
  io::Duration linger = std::chrono::seconds(5);
  std::function<bool(const Ended&)> on_end{};
};
io::Task<Result<void>> follow_logs(Session& session, FollowWish wish);

}  // namespace berth::cli
