// Which TLS options routers name. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "edge/rule.h"

namespace berth::edge {

/// A client names its host before it asks for anything: all routers of a host have the same options. What is wrong here
/// must not leave a route open that asks for certificates.
class TlsOptionNames {
 public:
  explicit TlsOptionNames(std::vector<std::string> known) : known_(std::move(known)) {}

  /// A router's `reference` ("strict@file") without its provider; "" for the default ones. Code::invalid when they are
  /// not defined or the rule has no certain host, Code::conflict when another router of the host names others. The
  /// message goes on behind the reference.
  Result<std::string> take(std::string_view reference, const Rule& rule);

 private:
  std::vector<std::string> known_;
  std::map<std::string, std::string> by_host_;
};

}  // namespace berth::edge
