// The command line from its arguments to its exit status.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "cli/session.h"

namespace berth::cli {

/// Runs the command line of this process: terminal, signals and standard streams are its own. The first Ctrl-C cancels
/// what runs, the second one exits at once. `others` are verbs that the caller brings, for help and suggestions.
int run(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment,
        std::span<const OtherVerb> others);

/// The same in a given world and on a given loop, without signals: for tests.
int run_in(const World& world, io::Loop& loop, const std::vector<std::string>& arguments);

}  // namespace berth::cli
