#include "edge/tcp_snapshot.h"

#include <algorithm>

#include "edge/keys.h"
#include "edge/snapshot_json.h"

namespace berth::edge {
namespace {

constexpr std::string_view kTls[] = {"none", "terminate", "passthrough"};

Json encode(const TcpMiddleware& middleware) {
  return Json::object({{"name", middleware.name}, {"action", write_tcp_action(middleware.action)}});
}

/// A kind that is not known must not be passed over: it may be what protects the route.
Result<TcpMiddleware> decode_middleware(const Json& json) {
  const std::string name(json["name"].text());
  const auto& kinds = json["action"].members();
  if (kinds.size() != 1) return fail(Code::invalid, "snapshot: TCP middleware \"" + name + "\" has no kind");
  auto action = read_tcp_action(kinds[0].first, kinds[0].second);
  if (!action) return fail(std::move(action.error()).within("snapshot: TCP middleware \"" + name + "\""));
  return TcpMiddleware{name, std::move(*action)};
}

}  // namespace

Json encode_item(const TcpRoute& route) {
  Json middlewares = Json::array(), domains = Json::array();
  for (const TcpMiddleware& each : route.middlewares) middlewares.push(encode(each));
  for (const auto& hosts : route.domains) domains.push(encode_texts(hosts));
  return Json::object({{"name", route.name},
                       {"rule", route.rule},
                       {"priority", route.priority},
                       {"entry_points", encode_texts(route.entry_points)},
                       {"service", route.service},
                       {"tls", kTls[static_cast<std::size_t>(route.tls)]},
                       {"middlewares", std::move(middlewares)},
                       {"warnings", encode_texts(route.warnings)},
                       {"resolver", route.resolver},
                       {"tls_options", route.tls_options},
                       {"domains", std::move(domains)}});
}

template <>
Result<TcpRoute> decode_item<TcpRoute>(const Json& json) {
  TcpRoute route{.name = std::string(json["name"].text()),
                 .rule = std::string(json["rule"].text()),
                 .priority = static_cast<int>(json["priority"].integer()),
                 .entry_points = decode_texts(json["entry_points"]),
                 .service = std::string(json["service"].text()),
                 .warnings = decode_texts(json["warnings"]),
                 .resolver = std::string(json["resolver"].text()),
                 .tls_options = std::string(json["tls_options"].text())};
  const auto tls = std::ranges::find(kTls, json["tls"].text());
  if (route.name.empty() || route.entry_points.empty() || tls == std::end(kTls))
    return fail(Code::invalid, "snapshot: a TCP route lacks its name, entry points or kind of TLS");
  route.tls = static_cast<TcpRoute::Tls>(tls - kTls);
  for (const Json& item : json["middlewares"].items()) route.middlewares.push_back(TRY(decode_middleware(item)));
  for (const Json& item : json["domains"].items()) route.domains.push_back(decode_texts(item));
  return route;
}

Json encode_item(const TcpService& service) {
  return Json::object({{"servers", encode_item(service.servers)}, {"balancing", write_tcp_balancing(service)}});
}

template <>
Result<TcpService> decode_item<TcpService>(const Json& json) {
  TcpService service{.servers = TRY(decode_item<Service>(json["servers"]))};
  TRY(read_tcp_balancing(json["balancing"], service));
  return service;
}

Json encode_item(const UdpRoute& route) {
  return Json::object({{"name", route.name},
                       {"entry_points", encode_texts(route.entry_points)},
                       {"service", route.service},
                       {"warnings", encode_texts(route.warnings)}});
}

template <>
Result<UdpRoute> decode_item<UdpRoute>(const Json& json) {
  UdpRoute route{.name = std::string(json["name"].text()),
                 .entry_points = decode_texts(json["entry_points"]),
                 .service = std::string(json["service"].text()),
                 .warnings = decode_texts(json["warnings"])};
  if (route.name.empty() || route.entry_points.empty())
    return fail(Code::invalid, "snapshot: a UDP route lacks its name or entry points");
  return route;
}

Json encode_item(const EntryPoint& point) {
  return Json::object({{"name", point.name},
                       {"addresses", encode_texts(point.addresses)},
                       {"udp", point.udp},
                       {"secure", point.role == Listener::websecure},
                       {"http", point.http},
                       {"proxy_trusted", encode_texts(point.proxy_trusted)},
                       {"proxy_insecure", point.proxy_insecure},
                       {"udp_timeout", static_cast<std::int64_t>(point.udp_timeout.count())}});
}

template <>
Result<EntryPoint> decode_item<EntryPoint>(const Json& json) {
  EntryPoint point{.name = std::string(json["name"].text()),
                   .addresses = decode_texts(json["addresses"]),
                   .udp = json["udp"].boolean(),
                   .role = json["secure"].boolean() ? Listener::websecure : Listener::web,
                   .http = json["http"].boolean(),
                   .proxy_trusted = decode_texts(json["proxy_trusted"]),
                   .proxy_insecure = json["proxy_insecure"].boolean()};
  const std::int64_t timeout = json["udp_timeout"].integer(-1);
  if (point.name.empty() || timeout < 1)
    return fail(Code::invalid, "snapshot: an entry point lacks its name or udp_timeout");
  point.udp_timeout = std::chrono::milliseconds(timeout);
  return point;
}

Json encode_entry_points(const std::vector<EntryPoint>& points) {
  return encode_all(points);
}

Result<std::vector<EntryPoint>> decode_entry_points(const Json& json) {
  return decode_all<EntryPoint>(json);
}

Json encode_tcp(const TcpConfig& config) {
  return Json::object({{"entry_points", encode_all(config.entry_points)},
                       {"routes", encode_all(config.routes)},
                       {"services", encode_all(config.services)},
                       {"udp_routes", encode_all(config.udp_routes)},
                       {"udp_services", encode_all(config.udp_services)},
                       {"transports", encode_transports(config.transports)}});
}

Result<TcpConfig> decode_tcp(const Json& json) {
  return TcpConfig{.entry_points = TRY(decode_entry_points(json["entry_points"])),
                   .routes = TRY(decode_all<TcpRoute>(json["routes"])),
                   .services = TRY(decode_all<TcpService>(json["services"])),
                   .udp_routes = TRY(decode_all<UdpRoute>(json["udp_routes"])),
                   .udp_services = TRY(decode_all<Service>(json["udp_services"])),
                   .transports = TRY(decode_transports<TcpTransport>(json["transports"]))};
}

}  // namespace berth::edge
