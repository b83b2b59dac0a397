// What may stand at a place of the command line: for the completions of shells. Pure but for what it is given.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "cli/help.h"
#include "cli/options.h"

namespace berth::cli {

/// What cannot be read from the table of verbs and flags.
struct CompletionFacts {
  std::vector<OtherVerb> others{};
  /// Names of services, or of profiles, of the project that the flags so far point at.
  std::function<Texts(const Options& so_far)> services{};
  std::function<Texts(const Options& so_far)> profiles{};
};

struct Candidates {
  std::vector<std::pair<std::string, std::string>> words{};  ///< with a description, or ""
  enum class Files { none, any, folders } files = Files::none;
  bool open = false;  ///< a word may go on after it: no space behind (NAME=)
};

/// For the last of `words` (which may be empty), after the others. A "compose" in front is skipped.
Candidates complete(Texts words, const CompletionFacts& facts);
/// As the shells' scripts and docker read it: one "word<TAB>description" a line, then ":" and what else holds (1: no
/// project could be read, 2: no space behind, 4: no files, 16: folders only).
std::string completion_text(const Candidates& candidates);

/// The script for "bash", "zsh" or "fish"; "" for others.
std::string_view completion_script(std::string_view shell);

}  // namespace berth::cli
