// Inside of edge/label: the labels of one container, sorted into what they declare.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "edge/label.h"

namespace berth::edge {

/// The labels of one router, service or middleware: key below its name in lower case -> value.
using LabelFields = std::map<std::string, std::string, std::less<>>;
using Named = std::map<std::string, LabelFields, std::less<>>;

/// What one container says.
struct Declared {
  const Target* target = nullptr;
  bool enabled = false;
  bool decided = false;   ///< it has traefik.enable
  bool filtered = false;  ///< it does not meet the constraints
  std::string network;    ///< traefik.docker.network, else the provider's where the container is attached to it
  Named routers, services, middlewares;
  Named tcp_routers{}, tcp_services{}, tcp_middlewares{}, udp_routers{}, udp_services{};
  LabelFields cache;  ///< berth.cache.*, below that
};

/// The name of the service that a container has without a label.
std::string default_service(const Target& target);
bool is_serving(const Target& target);
/// Whether both are containers of one service of one Compose project.
bool are_one_service(const Target& a, const Target& b);
/// Running containers decide over stopped ones that may carry labels of yesterday, staying ones over those that are
/// being replaced, and of one service's containers the newest.
bool decides_over(const Target& a, const Target& b);

/// What labels say of a container as a server.
struct ServerLabel {
  const Declared& from;
  std::string label;   ///< "label traefik.http.services.web.loadbalancer.server."
  std::string port{};  ///< the value of `port`; "": the lowest that is exposed
  bool early = false;  ///< also while it is not healthy yet
  bool bound = false;  ///< by the address of the host that its port is bound to, where it is bound to one
};
/// The way to it. Code::invalid or unavailable with the reason.
Result<Reach> reach_server(const ServerLabel& server, const HostLinks& links, const std::vector<Target>& targets);
/// 0 to 1000; Code::invalid naming `label` otherwise.
Result<std::uint32_t> parse_weight(const std::string& label, std::string_view text);

/// Reads all `traefik.*` and `berth.cache.*` labels; keys that mean nothing become warnings in `notes`.
Declared declare(const Target& target, const LabelOptions& options, std::vector<RouteNote>& notes);

/// Go's strconv.ParseBool.
std::optional<bool> parse_bool(std::string_view text);
/// A value of a comma-separated list: trimmed, without empty items.
std::vector<std::string> parse_list(std::string_view text);
/// 1 to 65535 in decimal.
std::optional<std::uint16_t> parse_port(std::string_view text);
/// The certificates of `tls.domains[N].main` and `.sans`, in order of N. Code::invalid naming the key below `label`
/// whose value is no host, and for a number without `main`.
Result<std::vector<std::vector<std::string>>> parse_domains(std::string_view label, const LabelFields& fields);
/// The name without "@docker"; nothing when it names another provider.
std::optional<std::string> local_name(std::string_view reference);

}  // namespace berth::edge
