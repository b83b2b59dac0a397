// The functions that a default rule's template may call, of those that Go and Sprig have. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"

namespace berth::edge {

/// All labels of a container; index() takes one of them.
struct LabelMap {
  const std::vector<std::pair<std::string, std::string>>* labels = nullptr;
  friend bool operator==(const LabelMap&, const LabelMap&) = default;
};
using RuleList = std::vector<std::string>;
using RuleValue = std::variant<std::string, std::int64_t, bool, RuleList, LabelMap>;

/// As Go sees it in a condition: not "", 0, false or an empty list.
bool rule_truth(const RuleValue& value);
/// What {{ }} writes: a list is "[a b]"; of LabelMap nothing.
std::string rule_text(const RuleValue& value);

/// What a call gives; Code::invalid when an argument is not what it takes, or for more than 64 KiB of text.
using RuleFunction = Result<RuleValue> (*)(std::span<const RuleValue> arguments);
struct RuleFunctionEntry {
  std::string_view name;
  std::size_t least = 0, most = 0;  ///< arguments; that of a pipe is the last one
  RuleFunction call = nullptr;
};
/// Null for a name that is not known. The entry lives for ever.
const RuleFunctionEntry* find_rule_function(std::string_view name);

/// Go's strings of letters and digits with one '-' between: "my_app.1" -> "my-app-1".
std::string normalize(std::string_view text);

}  // namespace berth::edge
