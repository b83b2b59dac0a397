// Reaching containers: the address of a container is a pure function of its inspect and of the host's links.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "edge/ip.h"

namespace berth::edge {

/// One network that a container is attached to.
struct TargetNetwork {
  std::string name;
  std::string driver = "bridge";  ///< bridge, overlay, macvlan, ipvlan, host, none
  std::string address;            ///< the container's IPv4 address, empty when it has none
  std::string address6;           ///< its IPv6 address, empty when it has none
  std::string gateway;
  std::vector<std::string> subnets;  ///< "172.18.0.0/16"
};

/// A port published on the host.
struct PublishedPort {
  std::uint16_t container = 0;
  std::string host_ip;  ///< empty, 0.0.0.0 and :: mean every address
  std::uint16_t host = 0;
  std::string protocol = "tcp";
};

/// One container as the edge needs it. Filled by `app` from the engine's inspect.
struct Target {
  enum class Health { none, starting, healthy, unhealthy };

  std::string id;
  std::string name;     ///< container name without '/'
  std::string project;  ///< com.docker.compose.project, may be empty
  std::string service;  ///< com.docker.compose.service, may be empty
  std::vector<std::pair<std::string, std::string>> labels;
  std::vector<std::uint16_t> exposed;  ///< EXPOSEd tcp ports (Config.ExposedPorts), any order
  std::vector<TargetNetwork> networks;
  std::string network_mode;  ///< HostConfig.NetworkMode: "bridge", "host", "none", "container:<id>", a name
  std::vector<PublishedPort> published;
  bool running = false;
  Health health = Health::none;
  std::int64_t created = 0;  ///< seconds since 1970
  bool leaving = false;      ///< being replaced: gets requests only where no other container serves
};

/// The subnets of the host's own links (`ip route show scope link`), which it reaches without a router.
struct HostLinks {
  std::vector<Cidr> subnets;
};

struct Reach {
  std::string host;  ///< IP literal
  std::uint16_t port = 0;
  std::string why;  ///< "network demo_default (172.18.0.0/16)", for explain
};

/// `preferred` is traefik.docker.network, or empty. The order: that network; then bridge networks whose subnet is on a
/// link of the host, the project's own first, by name; `host` is 127.0.0.1; `container:X` is X's address (looked up in
/// `others` by id or name); else a port published on loopback or on every address. Code::unavailable otherwise: each
/// network with why it was refused, one a line in `detail`.
Result<Reach> reach(const Target& target, std::uint16_t port, std::string_view preferred, const HostLinks& links,
                    const std::vector<Target>& others);

}  // namespace berth::edge
