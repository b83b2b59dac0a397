// The host's own network links.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace berth::io {

/// The prefixes that this network namespace reaches without a router, as "172.18.0.1/16" (address of the link with its
/// prefix length), loopback included.
Result<std::vector<std::string>> link_prefixes();

}  // namespace berth::io
