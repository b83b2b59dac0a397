#include "edge/tcp_snapshot.h"

#include <algorithm>

#include "edge/keys.h"

namespace berth::edge {
namespace {

constexpr std::string_view kTls[] = {"none", "terminate", "passthrough"};

Json texts(const std::vector<std::string>& items) {
  Json json = Json::array();
  for (const std::string& item : items) json.push(item);
  return json;
}
std::vector<std::string> texts(const Json& json) {
  std::vector<std::string> items;
  for (const Json& item : json.items()) items.emplace_back(item.text());
  return items;
}

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

Json encode(const TcpRoute& route) {
  Json middlewares = Json::array(), domains = Json::array();
  for (const TcpMiddleware& each : route.middlewares) middlewares.push(encode(each));
  for (const auto& hosts : route.domains) domains.push(texts(hosts));
  return Json::object({{"name", route.name},
                       {"rule", route.rule},
                       {"priority", route.priority},
                       {"entry_points", texts(route.entry_points)},
                       {"service", route.service},
                       {"tls", kTls[static_cast<std::size_t>(route.tls)]},
                       {"middlewares", std::move(middlewares)},
                       {"warnings", texts(route.warnings)},
                       {"resolver", route.resolver},
                       {"tls_options", route.tls_options},
                       {"domains", std::move(domains)}});
}

Result<TcpRoute> decode_route(const Json& json) {
  TcpRoute route{.name = std::string(json["name"].text()),
                 .rule = std::string(json["rule"].text()),
                 .priority = static_cast<int>(json["priority"].integer()),
                 .entry_points = texts(json["entry_points"]),
                 .service = std::string(json["service"].text()),
                 .warnings = texts(json["warnings"]),
                 .resolver = std::string(json["resolver"].text()),
                 .tls_options = std::string(json["tls_options"].text())};
  const auto tls = std::ranges::find(kTls, json["tls"].text());
  if (route.name.empty() || route.entry_points.empty() || tls == std::end(kTls))
    return fail(Code::invalid, "snapshot: a TCP route lacks its name, entry points or kind of TLS");
  route.tls = static_cast<TcpRoute::Tls>(tls - kTls);
  for (const Json& item : json["middlewares"].items()) route.middlewares.push_back(TRY(decode_middleware(item)));
  for (const Json& item : json["domains"].items()) route.domains.push_back(texts(item));
  return route;
}

Json encode(const TcpService& service) {
  return Json::object({{"servers", encode_service(service.servers)}, {"balancing", write_tcp_balancing(service)}});
}

Result<TcpService> decode_tcp_service(const Json& json) {
  TcpService service{.servers = TRY(decode_service(json["servers"]))};
  TRY(read_tcp_balancing(json["balancing"], service));
  return service;
}

Json encode(const UdpRoute& route) {
  return Json::object({{"name", route.name},
                       {"entry_points", texts(route.entry_points)},
                       {"service", route.service},
                       {"warnings", texts(route.warnings)}});
}

Result<UdpRoute> decode_udp_route(const Json& json) {
  UdpRoute route{.name = std::string(json["name"].text()),
                 .entry_points = texts(json["entry_points"]),
                 .service = std::string(json["service"].text()),
                 .warnings = texts(json["warnings"])};
  if (route.name.empty() || route.entry_points.empty())
    return fail(Code::invalid, "snapshot: a UDP route lacks its name or entry points");
  return route;
}

Json encode(const EntryPoint& point) {
  return Json::object({{"name", point.name},
                       {"addresses", texts(point.addresses)},
                       {"udp", point.udp},
                       {"secure", point.role == Listener::websecure},
                       {"http", point.http},
                       {"proxy_trusted", texts(point.proxy_trusted)},
                       {"proxy_insecure", point.proxy_insecure},
                       {"udp_timeout", static_cast<std::int64_t>(point.udp_timeout.count())}});
}

Result<EntryPoint> decode_entry_point(const Json& json) {
  EntryPoint point{.name = std::string(json["name"].text()),
                   .addresses = texts(json["addresses"]),
                   .udp = json["udp"].boolean(),
                   .role = json["secure"].boolean() ? Listener::websecure : Listener::web,
                   .http = json["http"].boolean(),
                   .proxy_trusted = texts(json["proxy_trusted"]),
                   .proxy_insecure = json["proxy_insecure"].boolean()};
  const std::int64_t timeout = json["udp_timeout"].integer(-1);
  if (point.name.empty() || timeout < 1)
    return fail(Code::invalid, "snapshot: an entry point lacks its name or udp_timeout");
  point.udp_timeout = std::chrono::milliseconds(timeout);
  return point;
}

template <class T>
Json encode_all(const std::vector<T>& items) {
  Json json = Json::array();
  for (const T& item : items) json.push(encode(item));
  return json;
}

template <class T>
Result<std::vector<T>> decode_all(const Json& json, Result<T> (*decode)(const Json&)) {
  std::vector<T> items;
  for (const Json& item : json.items()) items.push_back(TRY(decode(item)));
  return items;
}

}  // namespace

Json encode_entry_points(const std::vector<EntryPoint>& points) {
  return encode_all(points);
}

Result<std::vector<EntryPoint>> decode_entry_points(const Json& json) {
  return decode_all<EntryPoint>(json, decode_entry_point);
}

Json encode_tcp(const TcpConfig& config) {
  Json udp_services = Json::array();
  for (const Service& service : config.udp_services) udp_services.push(encode_service(service));
  return Json::object({{"entry_points", encode_all(config.entry_points)},
                       {"routes", encode_all(config.routes)},
                       {"services", encode_all(config.services)},
                       {"udp_routes", encode_all(config.udp_routes)},
                       {"udp_services", std::move(udp_services)},
                       {"transports", encode_transports(config.transports)}});
}

Result<TcpConfig> decode_tcp(const Json& json) {
  return TcpConfig{.entry_points = TRY(decode_entry_points(json["entry_points"])),
                   .routes = TRY(decode_all<TcpRoute>(json["routes"], decode_route)),
                   .services = TRY(decode_all<TcpService>(json["services"], decode_tcp_service)),
                   .udp_routes = TRY(decode_all<UdpRoute>(json["udp_routes"], decode_udp_route)),
                   .udp_services = TRY(decode_all<Service>(json["udp_services"], decode_service)),
                   .transports = TRY(decode_transports<TcpTransport>(json["transports"]))};
}

}  // namespace berth::edge
