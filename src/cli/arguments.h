// A command line to Options.
#pragma once

#include "base/error.h"
#include "cli/options.h"

namespace berth::cli {

/// Reads arguments without the program's name. Global flags may stand before and after the verb; "compose" before the
/// verb is skipped; `help VERB` is `VERB --help`. Code::invalid for a wrong command line, with a suggestion.
/// `others` are verbs of other rooms, for suggestions.
Result<Options> parse_arguments(const Texts& arguments, const Texts& others = {});

}  // namespace berth::cli
