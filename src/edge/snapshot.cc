#include "edge/snapshot.h"

#include <algorithm>

#include "edge/keys.h"
#include "edge/snapshot_json.h"
#include "edge/tcp_snapshot.h"

namespace berth::edge {
namespace {

std::int64_t seconds_of(std::chrono::sys_seconds time) {
  return time.time_since_epoch().count();
}
std::chrono::sys_seconds time_of(const Json& json) {
  return std::chrono::sys_seconds(std::chrono::seconds(json.integer()));
}

// Settings. One table for both directions keeps them alike.

struct SettingField {
  std::string_view name;
  std::variant<std::size_t Settings::*, std::chrono::milliseconds Settings::*> member;
};
constexpr SettingField kSettings[] = {
    {"header_bytes", &Settings::header_bytes},       {"header_count", &Settings::header_count},
    {"body_bytes", &Settings::body_bytes},           {"header_timeout", &Settings::header_timeout},
    {"idle_timeout", &Settings::idle_timeout},       {"stall_timeout", &Settings::stall_timeout},
    {"connect_timeout", &Settings::connect_timeout}, {"response_timeout", &Settings::response_timeout},
    {"connections", &Settings::connections},         {"client_connections", &Settings::client_connections},
    {"least_rate", &Settings::least_rate},
};

// Middlewares.

Json encode(const Middleware& middleware) {
  Json action = write_action(middleware.action);
  if (const auto* asks = std::get_if<ForwardAuth>(&middleware.action)) {
    action.slot("forwardauth").set("$service", asks->service);
  }
  return Json::object({{"name", middleware.name}, {"action", std::move(action)}});
}

/// A kind that is not known must not be passed over: it may be what protects the route.
Result<Middleware> decode_middleware(const Json& json) {
  const std::string name(json["name"].text());
  const auto& kinds = json["action"].members();
  if (kinds.size() != 1) return fail(Code::invalid, "snapshot: middleware \"" + name + "\" has no kind");
  // What core derived and no label may say.
  Json options = kinds[0].second;
  const std::string service(options["$service"].text());
  options.erase("$service");
  auto action = read_action(kinds[0].first, options);
  if (!action) return fail(std::move(action.error()).within("snapshot: middleware \"" + name + "\""));
  if (auto* asks = std::get_if<ForwardAuth>(&*action)) asks->service = service;
  return Middleware{name, std::move(*action)};
}

constexpr std::pair<std::string_view, bool Route::*> kObserved[] = {
    {"logged", &Route::logged}, {"counted", &Route::counted}, {"traced", &Route::traced}};

Json encode(const std::optional<Hold>& hold) {
  if (!hold) return {};
  return Json::object({{"message", hold->message},
                       {"most_ms", std::int64_t{hold->most.count()}},
                       {"count", std::int64_t{hold->count}}});
}

std::optional<Hold> decode_hold(const Json& json) {
  if (!json.is_object()) return std::nullopt;
  return Hold{.message = std::string(json["message"].text()),
              .most = std::chrono::milliseconds(std::max<std::int64_t>(json["most_ms"].integer(), 0)),
              .count = static_cast<std::uint32_t>(std::clamp<std::int64_t>(json["count"].integer(), 0, 1'000'000))};
}

}  // namespace

Json encode_item(const Settings& settings) {
  Json json = Json::object();
  json.set("public_https_port", std::int64_t{settings.public_https_port});
  json.set("trusted_proxies", encode_texts(settings.trusted_proxies));
  if (settings.tracing) json.set("tracing", true);
  for (const SettingField& field : kSettings) {
    const auto put = [&](auto member) {
      if constexpr (std::is_same_v<decltype(member), std::size_t Settings::*>) {
        json.set(field.name, static_cast<std::int64_t>(settings.*member));
      } else {
        json.set(field.name, static_cast<std::int64_t>((settings.*member).count()));
      }
    };
    std::visit(put, field.member);
  }
  return json;
}

template <>
Result<Settings> decode_item<Settings>(const Json& json) {
  Settings settings;
  const std::int64_t port = json["public_https_port"].integer(settings.public_https_port);
  if (port < 1 || port > 65535) return fail(Code::invalid, "snapshot: settings.public_https_port is not a port");
  settings.public_https_port = static_cast<std::uint16_t>(port);
  settings.trusted_proxies = decode_texts(json["trusted_proxies"]);
  settings.tracing = json["tracing"].boolean();
  for (const SettingField& field : kSettings) {
    if (!json.contains(field.name)) continue;
    const std::int64_t value = json[field.name].integer(-1);
    if (value < 0) return fail(Code::invalid, "snapshot: settings." + std::string(field.name) + " is not a number");
    const auto take = [&](auto member) {
      using Value = std::remove_reference_t<decltype(settings.*member)>;
      settings.*member =
          Value(static_cast<typename std::conditional_t<std::is_same_v<Value, std::size_t>, std::size_t, std::int64_t>>(
              value));
    };
    std::visit(take, field.member);
  }
  return settings;
}

Json encode_item(const Route& route) {
  Json listeners = Json::array(), middlewares = Json::array();
  for (const Listener listener : route.listeners) listeners.push(to_text(listener));
  for (const Middleware& middleware : route.middlewares) middlewares.push(encode(middleware));
  Json domains = Json::array();
  for (const auto& hosts : route.domains) domains.push(encode_texts(hosts));
  Json json = Json::object({{"name", route.name},
                            {"rule", route.rule},
                            {"priority", route.priority},
                            {"listeners", std::move(listeners)},
                            {"service", route.service},
                            {"middlewares", std::move(middlewares)},
                            {"warnings", encode_texts(route.warnings)},
                            {"resolver", route.resolver},
                            {"tls_options", route.tls_options},
                            {"domains", std::move(domains)}});
  for (const auto& [name, member] : kObserved)
    if (!(route.*member)) json.set(name, false);
  return json;
}

template <>
Result<Route> decode_item<Route>(const Json& json) {
  Route route{.name = std::string(json["name"].text()),
              .rule = std::string(json["rule"].text()),
              .priority = static_cast<int>(json["priority"].integer()),
              .listeners = {},
              .service = std::string(json["service"].text()),
              .middlewares = {},
              .warnings = decode_texts(json["warnings"]),
              .resolver = std::string(json["resolver"].text()),
              .tls_options = std::string(json["tls_options"].text())};
  for (const auto& [name, member] : kObserved)
    if (json.contains(name)) route.*member = json[name].boolean();
  for (const Json& item : json["domains"].items()) route.domains.push_back(decode_texts(item));
  for (const Json& item : json["listeners"].items()) {
    if (item.text() != "web" && item.text() != "websecure") {
      return fail(Code::invalid, "snapshot: route \"" + route.name + "\" has an unknown listener");
    }
    route.listeners.push_back(item.text() == "web" ? Listener::web : Listener::websecure);
  }
  if (route.name.empty() || route.listeners.empty()) {
    return fail(Code::invalid, "snapshot: a route lacks its name or listeners");
  }
  for (const Json& item : json["middlewares"].items()) route.middlewares.push_back(TRY(decode_middleware(item)));
  return route;
}

Json encode_item(const Certificate& certificate) {
  return Json::object({{"hosts", encode_texts(certificate.hosts)},
                       {"chain", certificate.chain},
                       {"key", certificate.key},
                       {"not_before", seconds_of(certificate.not_before)},
                       {"not_after", seconds_of(certificate.not_after)}});
}

template <>
Result<Certificate> decode_item<Certificate>(const Json& json) {
  Certificate certificate{.hosts = decode_texts(json["hosts"]),
                          .chain = std::string(json["chain"].text()),
                          .key = std::string(json["key"].text()),
                          .not_before = time_of(json["not_before"]),
                          .not_after = time_of(json["not_after"])};
  if (certificate.hosts.empty() || certificate.chain.empty() || certificate.key.empty()) {
    return fail(Code::invalid, "snapshot: a certificate lacks hosts, chain or key");
  }
  return certificate;
}

Json encode_item(const TlsOptions& options) {
  return Json::object({{"name", options.name},
                       {"min_version", options.min_version},
                       {"max_version", options.max_version},
                       {"ciphers", encode_texts(options.ciphers)},
                       {"curves", encode_texts(options.curves)},
                       {"alpn", encode_texts(options.alpn)},
                       {"client_auth", options.client_auth},
                       {"client_ca", options.client_ca}});
}

template <>
Result<TlsOptions> decode_item<TlsOptions>(const Json& json) {
  return TlsOptions{.name = std::string(json["name"].text()),
                    .min_version = static_cast<int>(json["min_version"].integer()),
                    .max_version = static_cast<int>(json["max_version"].integer()),
                    .ciphers = decode_texts(json["ciphers"]),
                    .curves = decode_texts(json["curves"]),
                    .alpn = decode_texts(json["alpn"]),
                    .client_auth = std::string(json["client_auth"].text()),
                    .client_ca = std::string(json["client_ca"].text())};
}

Json encode_item(const HttpChallenge& challenge) {
  return Json::object({{"host", challenge.host}, {"token", challenge.token}, {"answer", challenge.answer}});
}

template <>
Result<HttpChallenge> decode_item<HttpChallenge>(const Json& json) {
  return HttpChallenge{.host = std::string(json["host"].text()),
                       .token = std::string(json["token"].text()),
                       .answer = std::string(json["answer"].text())};
}

Json encode_item(const Service& service) {
  Json upstreams = Json::array();
  for (const Upstream& each : service.upstreams) {
    upstreams.push(Json::object(
        {{"host", each.host}, {"port", int{each.port}}, {"tls", each.tls}, {"target", each.target}, {"h2", each.h2}}));
    if (each.speaks != Speaks::http)
      upstreams.items_mut().back().set("speaks", each.speaks == Speaks::uwsgi ? "uwsgi" : "fcgi");
    if (!each.transport.empty()) upstreams.items_mut().back().set("transport", each.transport);
    if (each.weight != 1) upstreams.items_mut().back().set("weight", std::int64_t{each.weight});
  }
  return Json::object({{"name", service.name},
                       {"upstreams", std::move(upstreams)},
                       {"balancing", write_balancing(service)},
                       {"group", write_group(service)},
                       {"hold", encode(service.hold)},
                       {"down", service.down}});
}

template <>
Result<Service> decode_item<Service>(const Json& json) {
  Service service{.name = std::string(json["name"].text()),
                  .upstreams = {},
                  .pass_host = true,
                  .down = std::string(json["down"].text())};
  TRY(read_balancing(json["balancing"], service));
  service.hold = decode_hold(json["hold"]);
  for (const auto& [kind, group] : json["group"].members()) TRY(read_group(kind, group, service));
  for (const Json& item : json["upstreams"].items()) {
    const std::int64_t port = item["port"].integer();
    const auto ip = parse_ip(item["host"].text());
    if (!ip || port < 1 || port > 65535) {
      return fail(Code::invalid, "snapshot: service \"" + service.name + "\" has a wrong upstream address");
    }
    const std::string_view speaks = item["speaks"].text();
    if (!speaks.empty() && speaks != "uwsgi" && speaks != "fcgi")
      return fail(Code::invalid, "snapshot: service \"" + service.name + "\" speaks something unknown");
    service.upstreams.push_back(
        {.host = ip->text(),
         .port = static_cast<std::uint16_t>(port),
         .tls = item["tls"].boolean(),
         .target = std::string(item["target"].text()),
         .h2 = item["h2"].boolean(),
         .weight = static_cast<std::uint32_t>(std::clamp<std::int64_t>(item["weight"].integer(1), 0, 1000)),
         .speaks = speaks.empty()      ? Speaks::http
                   : speaks == "uwsgi" ? Speaks::uwsgi
                                       : Speaks::fcgi,
         .transport = std::string(item["transport"].text())});
  }
  return service;
}

std::string encode_snapshot(const Snapshot& snapshot) {
  return Json::object({{"format", 1},
                       {"version", static_cast<std::int64_t>(snapshot.version)},
                       {"settings", encode_item(snapshot.settings)},
                       {"routes", encode_all(snapshot.routes)},
                       {"services", encode_all(snapshot.services)},
                       {"certificates", encode_all(snapshot.certificates)},
                       {"tls_options", encode_all(snapshot.tls_options)},
                       {"http_challenges", encode_all(snapshot.http_challenges)},
                       {"tls_challenges", encode_all(snapshot.tls_challenges)},
                       {"tcp", encode_tcp(snapshot.tcp)},
                       {"transports", encode_transports(snapshot.transports)}})
      .dump();
}

Result<Snapshot> decode_snapshot(std::string_view bytes) {
  return read_snapshot(TRY(parse_json(bytes)));
}

Result<Snapshot> read_snapshot(const Json& json) {
  if (json["format"].integer() != 1) return fail(Code::invalid, "snapshot: its format is not 1");
  if (json["version"].integer() < 1) return fail(Code::invalid, "snapshot: its version is missing");
  Snapshot snapshot;
  snapshot.version = static_cast<std::uint64_t>(json["version"].integer());
  snapshot.settings = TRY(decode_item<Settings>(json["settings"]));
  snapshot.routes = TRY(decode_all<Route>(json["routes"]));
  snapshot.services = TRY(decode_all<Service>(json["services"]));
  snapshot.certificates = TRY(decode_all<Certificate>(json["certificates"]));
  snapshot.tls_options = TRY(decode_all<TlsOptions>(json["tls_options"]));
  snapshot.http_challenges = TRY(decode_all<HttpChallenge>(json["http_challenges"]));
  snapshot.tls_challenges = TRY(decode_all<Certificate>(json["tls_challenges"]));
  snapshot.tcp = TRY(decode_tcp(json["tcp"]));
  snapshot.transports = TRY(decode_transports<Transport>(json["transports"]));
  return snapshot;
}

}  // namespace berth::edge
