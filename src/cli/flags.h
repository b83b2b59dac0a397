// The one table of verbs and flags: parsing, help and completion read it.
#pragma once

#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "cli/options.h"

namespace berth::cli {

/// Where a flag's value goes; its kind follows from the type.
using Place =
    std::variant<bool*, std::string*, std::optional<std::string>*, Texts*, std::int64_t*, std::optional<std::int64_t>*>;

struct Flag {
  std::string_view names;  ///< "-d,--detach"
  std::string_view value;  ///< placeholder in help, "" for a switch
  std::string_view help;   ///< one line; "" hides it
  Place target;
  /// "table|json": what the value may be, for completion; another value is refused unless "|..." ends it.
  std::string_view choices{};
};

/// How a verb is called.
struct Grammar {
  std::string_view name;
  std::string_view group;      ///< heading in `berth --help`, "" hides it
  std::string_view arguments;  ///< "[SERVICE...]"
  std::string_view summary;
  std::string_view example;  ///< a command line that does something useful
  int least = 0;             ///< arguments at least
  int most = -1;             ///< at most; -1: no bound
  bool stops = false;        ///< what follows the first argument belongs to a command: flags there are not ours
};

/// Every verb of the command line, in the order of help.
std::span<const Grammar> grammars();
/// nullptr for an unknown verb.
const Grammar* find_grammar(std::string_view verb);

std::vector<Flag> global_flags(Options& options);
/// What docker takes before the name of its plugin (`docker --config DIR compose ...`).
std::vector<Flag> docker_flags(Options& options);
/// The flags of `verb` beside the global ones, bound to `options`; a name given here hides the global flag's.
std::vector<Flag> verb_flags(std::string_view verb, Options& options);

}  // namespace berth::cli
