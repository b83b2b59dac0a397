// Exit statuses of the command line (docker compose 2.26's for its verbs; 2, 74 and 75 mean the same everywhere).
#pragma once

#include "base/error.h"

namespace berth::cli {

enum ExitStatus : int {
  kDone = 0,
  kFailed = 1,        ///< also: no engine
  kChanges = 2,       ///< plan --detailed-exitcode: there is something to do
  kNoFile = 14,       ///< a named file does not exist
  kBadProject = 15,   ///< the project is invalid, or a variable is missing
  kBadUsage = 16,     ///< wrong flags or arguments
  kBuildFailed = 17,  ///< an image could not be built
  kPullFailed = 18,   ///< an image could not be pulled
  kMoved = 74,        ///< the world changed since the plan was made
  kBusy = 75,         ///< someone else changes this project
  kInterrupted = 130,
};

/// Where an error arose, since the same code means another status there.
enum class Stage { usage, project, pull, engine };

/// The status for an error of `stage`.
int exit_status(Code code, Stage stage);

}  // namespace berth::cli
