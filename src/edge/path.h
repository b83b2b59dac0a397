// One canonical path per request: what rules see is what is forwarded.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::edge {

/// `path` of a request target (begins with '/', no query) in canonical form: percent-encoded unreserved characters are
/// decoded, hex digits in upper case, empty and "." segments removed, ".." resolved. Code::invalid (answer 400) for
/// what upstreams read differently: an encoded slash, backslash, NUL or percent sign, a bad escape, and ".." above the
/// root. The result views `path` when that is canonical already (nothing is allocated), else `storage`.
Result<std::string_view> canonical_path(std::string_view path, std::string& storage);

}  // namespace berth::edge
