// For tests: what labels or files say of TCP and UDP, a line each.
#pragma once

#include <string>

#include "base/text.h"
#include "edge/keys.h"

namespace berth::edge {

inline std::string print_servers(const Service& service) {
  std::string out;
  for (const Upstream& each : service.upstreams)
    out += (each.tls ? " tls://" : " ") + each.host + ":" + std::to_string(each.port) + "*" +
           std::to_string(each.weight) + "(" + each.target + ")" +
           (each.transport.empty() ? "" : " by " + each.transport);
  return out + (service.down.empty() ? "" : " down: " + service.down) + "\n";
}

inline std::string print_tcp(const TcpConfig& config) {
  static constexpr std::string_view kTls[] = {"", " tls", " passthrough"};
  std::string out;
  for (const EntryPoint& point : config.entry_points)
    out += "entry " + point.name +
           (point.udp                     ? "/udp "
            : point.role == Listener::web ? " "
                                          : " secure ") +
           join(point.addresses, ",") + (point.http ? " http" : "") + " proxies " + join(point.proxy_trusted, ",") +
           " " + std::to_string(point.udp_timeout.count()) + "\n";
  for (const TcpRoute& route : config.routes) {
    out += "tcp " + route.name + " " + std::to_string(route.priority) + " " + route.rule + " -> " +
           join(route.entry_points, ",") + std::string(kTls[static_cast<std::size_t>(route.tls)]) + " -> " +
           route.service + " " + route.resolver + " " + route.tls_options + "\n";
    for (const TcpMiddleware& each : route.middlewares)
      out += "  middleware " + each.name + " " + write_tcp_action(each.action).dump() + "\n";
    for (const auto& hosts : route.domains) out += "  certificate " + join(hosts, " ") + "\n";
  }
  for (const TcpService& service : config.services)
    out += "tcp service " + service.servers.name + " " + write_tcp_balancing(service).dump() +
           print_servers(service.servers);
  for (const UdpRoute& route : config.udp_routes)
    out += "udp " + route.name + " -> " + join(route.entry_points, ",") + " -> " + route.service + "\n";
  for (const Service& service : config.udp_services) out += "udp service " + service.name + print_servers(service);
  return out;
}

}  // namespace berth::edge
