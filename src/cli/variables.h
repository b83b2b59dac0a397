// The variables that a document uses, for `config --variables`. Pure.
#pragma once

#include <map>
#include <string>

#include "base/json.h"

namespace berth::cli {

/// How one variable is used; of several uses the one that says most.
struct Variable {
  bool required = false;
  std::string fallback{};     ///< after :- or -
  std::string alternative{};  ///< after :+ or +
};
/// From every text value below `document`, which was loaded without interpolation.
std::map<std::string, Variable> variables_of(const Json& document);
/// The same as a table.
std::string variables_table(const Json& document);

}  // namespace berth::cli
