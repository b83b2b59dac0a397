// develop.watch at work: sources change, services follow.
#pragma once

#include "cli/session.h"
#include "cli/watch_rules.h"

namespace berth::cli {

struct WatchWish {
  const compose::Project& project;
  std::vector<WatchRule> rules{};
  bool quiet = false;  ///< no progress of builds
  bool prune = true;   ///< remove the image that a rebuild replaced
};

/// The triggers of the named services (all when empty). Code::invalid when there is none.
Result<std::vector<WatchRule>> rules_of(const Session& session, const compose::Project& project, const Texts& services);

/// Follows the sources until cancelled. What goes wrong with one change is a warning; the next change is looked at.
io::Task<Result<void>> follow_sources(Session& session, WatchWish wish);

}  // namespace berth::cli
