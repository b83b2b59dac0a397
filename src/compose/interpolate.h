// Variables in values: $NAME, ${NAME}, ${NAME:-default} and their kin, and the types that follow from them.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"
#include "compose/yaml.h"

namespace berth::compose {

using Environment = std::map<std::string, std::string>;

/// The value of a variable, nullptr when it is not set. The value lives as long as the environments behind it.
using Lookup = std::function<const std::string*(const std::string& name)>;
Lookup lookup_in(const Environment& environment);

/// `text` with its variables replaced: $NAME, ${NAME}; with `:` before the sign an empty value counts as unset:
/// ${NAME-default}, ${NAME+value if set}, ${NAME?message of the error if unset}. What stands behind the sign is
/// replaced in turn and may not contain a newline. $$ is a dollar; a dollar before anything else stays.
/// Names that were not set are added to `unset`. Code::invalid for ${ without a valid form, and for a missing
/// variable that is required.
Result<std::string> substitute(std::string_view text, const Lookup& lookup, std::set<std::string>& unset);

struct Interpolation {
  const Sources& sources;
  Budget& budget;
  const Lookup& lookup;
  std::set<std::string>& unset;        ///< names of variables that were not set
  std::vector<std::string>& warnings;  ///< for booleans of YAML 1.1
};

/// Replaces the variables in every text value below `root` (keys stay), then gives texts where the Compose schema
/// wants a number or a boolean that type. Code::invalid with the place.
Result<void> interpolate(Node& root, const Interpolation& with);

}  // namespace berth::compose
