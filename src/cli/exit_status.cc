#include "cli/exit_status.h"

namespace berth::cli {

int exit_status(Code code, Stage stage) {
  switch (code) {
    case Code::cancelled:
      return kInterrupted;
    case Code::moved:
      return kMoved;
    case Code::busy:
      return kBusy;
    default:
      break;
  }
  if (stage == Stage::usage) return kBadUsage;
  if (stage == Stage::project) return code == Code::not_found ? kNoFile : kBadProject;
  return stage == Stage::pull ? kPullFailed : kFailed;
}

}  // namespace berth::cli
