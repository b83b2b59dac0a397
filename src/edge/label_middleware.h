// Inside of edge/label: middlewares from labels.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "edge/label_parse.h"

namespace berth::edge {

/// What a router's list of middlewares comes to.
struct MiddlewareChain {
  std::vector<Middleware> actions;
  std::vector<std::string> warnings;  ///< middlewares that the route does without, and what that means
};

/// Code::invalid when one is unknown, wrong, or not supported yet and the route would be open or different without it
/// (authentication, address lists, path rewriting): such a route must not be served.
Result<MiddlewareChain> chain_of(const std::vector<std::string>& references, const Named& defined);

}  // namespace berth::edge
