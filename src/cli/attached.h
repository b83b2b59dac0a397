// `up` without -d: the logs until Ctrl-C, which stops the containers.
#pragma once

#include "cli/session.h"

namespace berth::cli {

/// Whether --attach, --no-attach and --exit-code-from name services of the project.
Result<void> check_attached(Session& session, const compose::Project& project);

/// Follows what was written from `since` on. Ends when everything stopped, when a container ended and the flags say so,
/// or on Ctrl-C; in the last two cases the containers are stopped first. The exit status follows the flags.
io::Task<Result<int>> follow_up(Session& session, const compose::Project& project, std::string since);

}  // namespace berth::cli
