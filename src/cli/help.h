// Help texts, made from the table of verbs and flags.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace berth::cli {

/// A verb that another room brings, for the list.
struct OtherVerb {
  std::string_view name;
  std::string_view summary;
};

/// What `berth --help` prints.
std::string help_text(std::span<const OtherVerb> others = {});
/// What `berth VERB --help` prints. REQUIRES: a verb of the table.
std::string help_text_of(std::string_view verb);

}  // namespace berth::cli
