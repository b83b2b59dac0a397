// On which entry points a TCP or UDP router is. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "edge/tcp_route.h"

namespace berth::edge {

/// The name under which the edge has an entry point: "http" is web, "https" and "web-secure" are websecure.
std::string entry_point_name(std::string_view name);

/// What a router's entry points are chosen from.
struct EntryChoice {
  const std::vector<EntryPoint>& points;  ///< that are configured; web and websecure are there anyway
  bool tls = false, udp = false;          ///< of the router
};
/// `named` as a user wrote them. Without any: all that fit, but web never and websecure only with TLS, where the host's
/// name tells what is whose. Code::invalid naming the one that does not exist, or when there is none at all.
Result<std::vector<std::string>> choose_entry_points(const std::vector<std::string>& named, const EntryChoice& choice);

}  // namespace berth::edge
