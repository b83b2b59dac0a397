// Inside of edge/label: the middlewares that a router names.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "edge/label_parse.h"

namespace berth::edge {

/// Middlewares by name, each {kind: options} with keys in lower case.
using Trees = std::map<std::string, Json, std::less<>>;

/// What a router's list of middlewares comes to, chains resolved. Code::invalid when one is unknown or wrong: a route
/// that would be open or different without it must not be served.
Result<std::vector<Middleware>> chain_of(const std::vector<std::string>& references, const Trees& defined);

}  // namespace berth::edge
