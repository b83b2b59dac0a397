// Labels of containers -> routes, in Traefik's label language. A fault stays with its router.
#pragma once

#include <string>
#include <vector>

#include "edge/address.h"
#include "edge/tcp_route.h"

namespace berth::edge {

struct LabelOptions {
  bool exposed_by_default = false;
  /// {name}, {service} and {project} are replaced; {service} is the container's name outside of Compose.
  std::string default_rule = "Host(`{service}.{project}.localhost`)";
  /// Certificate resolvers that are configured; another name falls back to the local CA with a warning.
  std::vector<std::string> resolvers{};
  /// TLS options that are configured; a router that names others has no route.
  std::vector<std::string> tls_options{};
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

/// What the labels of all containers say. A router with an error has no route; one without a reachable target has a
/// route whose service has no upstream (503 for it alone).
struct Labelled {
  std::vector<Route> routes;      ///< sorted by name
  std::vector<Service> services;  ///< sorted by name
  std::vector<RouteNote> notes;
  TcpConfig tcp{};  ///< without entry points
};

/// Pure. Keys are read without case. Several running containers that define the same service are its upstreams, in
/// order of name; unhealthy ones are left out, and starting ones while another one serves.
Labelled read_labels(const std::vector<Target>& targets, const HostLinks& links, const LabelOptions& options = {});

}  // namespace berth::edge
