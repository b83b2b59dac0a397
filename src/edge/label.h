// Labels of containers -> routes, in Traefik's label language. A fault stays with its router.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "edge/rule.h"
#include "edge/rule_template.h"
#include "edge/tcp_route.h"

namespace berth::edge {

struct LabelOptions {
  bool exposed_by_default = false;
  /// Of routers without a rule; without one Host(`SERVICE.PROJECT.localhost`), outside of Compose NAME.local.localhost.
  std::optional<RuleTemplate> default_rule{};
  /// Label() and LabelRegex() that a container must meet to be looked at.
  std::optional<Rule> constraints{};
  /// By which containers are reached that are attached to it and whose labels name none; "": none.
  std::string network{};
  /// Servers are asked at the address of the host that their port is bound to, where it is bound to one.
  bool use_bind_port_ip = false;
  /// A router whose service has no server answers 503; else it is not there.
  bool allow_empty_services = true;
  /// Certificate resolvers that are configured; another name falls back to the local CA with a warning.
  std::vector<std::string> resolvers{};
  /// TLS options that are configured; a router that names others has no route.
  std::vector<std::string> tls_options{};
  /// Transports of files, for HTTP and for TCP; a service that names another one has no servers.
  std::vector<std::string> transports{}, tcp_transports{};
  /// Entry points that are configured beside web and websecure.
  std::vector<EntryPoint> entry_points{};
};

/// Something that a user should see about one router.
struct RouteNote {
  enum class Level { warning, error };
  Level level = Level::error;
  std::string router;  ///< may be empty when the container has no usable router
  std::string container;
  std::string message;   ///< one line; names the label
  std::string detail{};  ///< further lines, such as refused networks
};

/// A running container without traefik.enable that exposes a port: Traefik's exposedByDefault=true would route it.
struct Unexposed {
  std::string container;
  bool labelled = false;  ///< it has labels of routers or services
  friend bool operator==(const Unexposed&, const Unexposed&) = default;
};

/// What the labels of all containers say. A router with an error has no route; one without a reachable target has a
/// route whose service has no upstream (503 for it alone).
struct Labelled {
  std::vector<Route> routes;      ///< sorted by name
  std::vector<Service> services;  ///< sorted by name
  std::vector<RouteNote> notes;
  TcpConfig tcp{};                     ///< without entry points
  std::vector<Unexposed> unexposed{};  ///< sorted by name; none where containers are exposed by default
};

/// Pure. Keys are read without case. Several running containers that define the same service are its upstreams, in
/// order of name; unhealthy ones are left out, and starting ones while another one serves.
Labelled read_labels(const std::vector<Target>& targets, const HostLinks& links, const LabelOptions& options = {});

}  // namespace berth::edge
