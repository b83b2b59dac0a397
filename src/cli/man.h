// Manual pages (roff, for man), made from the table of verbs and flags.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/help.h"

namespace berth::cli {

/// berth(1).
std::string man_page(std::span<const OtherVerb> others = {});
/// berth-VERB(1). REQUIRES: a verb of the table.
std::string man_page_of(std::string_view verb);

}  // namespace berth::cli
