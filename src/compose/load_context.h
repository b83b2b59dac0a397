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
  /// What went wrong with a file that `mark` names, under its own code.
  Error at(Mark mark, std::string_view key, const Error& error) const;
  /// The same of a URL: its line is not shown, for it may hold a password.
  Error at_url(Mark mark, std::string_view key, const Error& error) const;
  /// The text of a file that must exist, taken from the budget.
  Result<std::string> read(const std::string& path);
  /// Reads and parses `path`. The documents' marks point into `sources`.
  Result<std::vector<Document>> read_yaml(const std::string& path);
  /// `path` below `folder`; a URL as its local copy. Code::denied where remote files are off.
  Result<RemoteFile> locate(const std::string& folder, const std::string& path) const;
  /// For messages: below the working folder without it.
  std::string shown(const std::string& path) const;
};

}  // namespace berth::compose
