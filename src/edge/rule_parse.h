// Inside of edge/rule: from a matcher's name and arguments to Matchers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "edge/rule.h"

namespace berth::edge {

/// What one call such as Host(`a`, `b`) means before negation.
struct Call {
  std::vector<Matcher> matchers;
  bool all = false;  ///< every matcher must hold (several arguments of Query and Headers in v2), else one of them
  std::vector<std::string> warnings;
};

/// Code::invalid with the reason alone; the parser adds where.
Result<Call> make_call(RuleKind kind, std::string_view name, const std::vector<std::string>& arguments);

}  // namespace berth::edge
