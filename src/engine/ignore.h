// .dockerignore: which paths of a build context are left out. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::engine {

/// The patterns of one file, in the syntax of docker: '#' lines are comments; `*`, `?`, `[a-z]` stay within one part of
/// a path, `**` spans parts; a pattern matches what lies below it too; `!` takes back; the last one that matches wins.
class IgnorePatterns {
 public:
  IgnorePatterns() = default;
  /// Code::invalid with the line's number for a pattern that is malformed.
  static Result<IgnorePatterns> parse(std::string_view text);
  /// `path` is relative to the context, with '/', without "./".
  bool excludes(std::string_view path) const;
  /// Whether a folder that is excluded must be entered nevertheless: a `!` pattern may take something in it back.
  bool may_return_below(std::string_view folder) const;

 private:
  struct Pattern {
    std::vector<std::string> parts;
    bool takes_back = false;
  };
  std::vector<Pattern> patterns_;
};

/// Whether `text` matches one part of a pattern: `*`, `?`, `[a-z]`, `[^a]`, `\x`. REQUIRES: well formed.
bool matches_part(std::string_view pattern, std::string_view text);

}  // namespace berth::engine
