// A plan in a file: what was shown, to be applied later exactly so. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace berth::plan {

/// No value of a file, a variable or a secret is in it, only hashes under a key that stays on this host.
struct SavedPlan {
  std::string project{};
  std::string working_dir{};                       ///< that the command line was read in
  std::vector<std::string> arguments{};            ///< the command line, from its first word on
  std::string made{};                              ///< RFC 3339
  std::string salt{};                              ///< the hashes' key is derived with it
  std::map<std::string, std::string> files{};      ///< path -> hash of its text
  std::map<std::string, std::string> variables{};  ///< that the files name, and their hashes; "" for one that is unset
  Json plan{};                                     ///< Plan::to_json
};

std::string to_text(const SavedPlan& saved);
/// Code::invalid for a text that is no saved plan, or of another version of berth.
Result<SavedPlan> parse_saved_plan(std::string_view text);
/// What is not as it was, one line each: files, variables, then the subjects whose ops or states differ. Empty when
/// `now` would do exactly what `then` says.
std::vector<std::string> moved(const SavedPlan& then, const SavedPlan& now);

}  // namespace berth::plan
