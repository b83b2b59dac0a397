// Where to go after signing in. Pure.
#pragma once

#include <string>
#include <string_view>

namespace berth::auth {

/// `wanted` when it is a plain path on this host with at most one query: "/projects/shop?tab=logs". Never a URL;
/// nothing is repaired: slashes in a row, backslashes, dot segments, control bytes, user info, fragments, and escapes
/// of any of them (also twice escaped) give "/".
std::string safe_next(std::string_view wanted);

}  // namespace berth::auth
