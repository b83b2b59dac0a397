// What the stages of one load share.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "compose/interpolate.h"
#include "compose/load.h"
#include "compose/yaml.h"

namespace berth::compose {

struct Context {
  const LoadOptions& options;
  const Files& files;
  Sources sources{};
  Budget budget{};
  std::vector<std::string> warnings{};
  std::set<std::string> unset{};  ///< variables that had no value, each warned about once

  /// "file:line:column: message" with the line and a caret.
  std::unexpected<Error> fail_at(Mark mark, std::string message) const;
  /// The text of a file that must exist, taken from the budget.
  Result<std::string> read(const std::string& path);
  /// Reads and parses `path`. The documents' marks point into `sources`.
  Result<std::vector<Document>> read_yaml(const std::string& path);
  /// For messages: below the working folder without it.
  std::string shown(const std::string& path) const;
};

}  // namespace berth::compose
