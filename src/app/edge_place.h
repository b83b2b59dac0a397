// Where an edge of its own stands, and what it reaches from there. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "edge/address.h"
#include "edge/snapshot.h"

namespace berth::app {

/// The networks of engines are IPv4 and IPv6 bridges on the engine's host. An edge in that host's network has a link to
/// each; one in a container gets connected to those that it needs. `networks` is the reply of GET /networks.
edge::HostLinks links_of_bridges(const Json& networks);

/// Names of the networks of `services`' upstreams to which the container `edge` (a name or id) is not connected yet.
/// `containers` is the reply of GET /containers/json?all=1; nothing when it has no such container.
std::vector<std::string> networks_to_join(const Json& containers, const Json& networks,
                                          const std::vector<edge::Service>& services, std::string_view edge);

}  // namespace berth::app
