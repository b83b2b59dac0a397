// The host's own network links.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.h"

namespace berth::io {

/// The prefixes that this network namespace reaches without a router, as "172.18.0.1/16" (address of the link with its
/// prefix length), loopback included.
Result<std::vector<std::string>> link_prefixes();

/// A network interface that is up.
struct Link {
  std::string hardware{};                ///< "02:42:ac:12:00:02"; "" where it has none
  std::vector<std::string> addresses{};  ///< without those that only mean something on the link (fe80::)
  friend bool operator==(const Link&, const Link&) = default;
};
/// Those of this network namespace by name, loopback left out.
Result<std::map<std::string, Link>> links();

}  // namespace berth::io
