// The flags of verbs, by kind of verb; flags.cc joins them into the table. Nobody else includes this.
#pragma once

#include "cli/flags.h"

namespace berth::cli {

/// A verb and what binds its flags.
struct FlagRow {
  std::string_view verb;
  std::vector<Flag> (*bind)(Options& options);
};

/// Of verbs that look at what runs: ps, logs, events, images, port, ls, stats, top, version, volumes.
std::span<const FlagRow> look_flags();
/// Of verbs that work inside containers or on one of them: exec, run, cp, attach, debug, commit, export.
std::span<const FlagRow> inside_flags();

}  // namespace berth::cli
