#include "app/route_explain.h"

#include <algorithm>

#include "base/text.h"
#include "edge/path.h"
#include "edge/route.h"
#include "edge/tcp_snapshot.h"
#include "http/url.h"

namespace berth::app {
namespace {

const Json* find_named(const Json& list, std::string_view name) {
  const auto found = std::ranges::find_if(list.items(), [&](const Json& each) { return each["name"].text() == name; });
  return found == list.items().end() ? nullptr : &*found;
}

/// Texts below a group that are names of services.
void add_parts(const Json& status, const Json& group, std::vector<std::string>& out) {
  if (group.is_text() && find_named(status["services"], group.text())) out.emplace_back(group.text());
  for (const Json& item : group.items()) add_parts(status, item, out);
  for (const auto& [key, value] : group.members()) add_parts(status, value, out);
}

/// The table as the edge has it, rebuilt from what core wrote down.
Result<std::shared_ptr<const edge::Routes>> table_of(const Json& status) {
  std::vector<edge::Route> routes;
  std::vector<edge::Service> services;
  for (const Json& json : status["routes"].items()) {
    edge::Route route{.name = std::string(json["name"].text()),
                      .rule = std::string(json["rule"].text()),
                      .priority = static_cast<int>(json["priority"].integer()),
                      .listeners = {},
                      .service = std::string(json["service"].text())};
    for (const Json& listener : json["listeners"].items())
      route.listeners.push_back(listener.text() == "web" ? edge::Listener::web : edge::Listener::websecure);
    routes.push_back(std::move(route));
  }
  for (const Json& json : status["services"].items()) {
    edge::Service service{.name = std::string(json["name"].text()),
                          .upstreams = {},
                          .pass_host = true,
                          .down = std::string(json["down"].text())};
    // Only whether there is one: where they are is told from the status.
    if (json["upstreams"].size() > 0 || json.contains("group"))
      service.upstreams.push_back({.host = "::", .target = ""});
    services.push_back(std::move(service));
  }
  return edge::Routes::build(std::move(routes), std::move(services));
}

Result<http::Fields> fields_of(const Asked& asked) {
  http::Fields out;
  for (const std::string& header : asked.headers) {
    const Cut parts = cut(header, ':');
    const std::string_view name = trim(parts.before);
    if (!parts.found || !http::is_token(name) || !http::is_field_value(trim(parts.after)))
      return fail(Code::invalid, "--header \"" + header + "\": write it as \"Name: value\"");
    if (equal_fold(name, "host")) return fail(Code::invalid, "--header Host: the URL names the host");
    out.add({name, trim(parts.after)});
  }
  return out;
}

Json texts(const std::vector<std::string>& list) {
  Json out = Json::array();
  for (const std::string& each : list) out.push(each);
  return out;
}

/// A connection in place of a request: tls://HOST or tcp://ANY.
Result<Json> explain_connection(const Json& status, const Asked& asked) {
  const bool tls = asked.url.starts_with("tls://");
  const auto table = TRY(edge::TcpTable::build(TRY(edge::decode_tcp(status["tcp"]))));
  const std::string host = tls ? TRY(edge::canonical_host(std::string_view(asked.url).substr(6))) : std::string();
  const edge::RequestFacts facts{.host = host,
                                 .method = {},
                                 .path = {},
                                 .query = {},
                                 .client = TRY(edge::parse_ip(asked.from)),
                                 .headers = nullptr};
  Json routers = Json::array(), out = Json::object({{"request", asked.url + " on " + asked.entry_point}});
  for (const std::string_view line : split(table->explain(asked.entry_point, tls, facts), '\n'))
    if (!line.empty()) routers.push(Json::object({{"why", line}}));
  out.set("routers", std::move(routers));
  const edge::TcpTable::Place* place = table->place(asked.entry_point);
  const auto* entry = place ? edge::TcpTable::find(tls ? place->secure : place->plain, facts) : nullptr;
  if (!entry) {
    const bool http = tls && asked.entry_point == "websecure";
    out.set("otherwise", http ? "HTTP routers decide" : "the edge closes the connection");
    out.set("served", false);
    return out;
  }
  std::vector<std::string> middlewares, targets;
  for (const edge::TcpMiddleware& each : entry->route.middlewares) middlewares.push_back(each.name);
  const edge::Service& servers = entry->service->servers;
  for (const edge::Upstream& each : servers.upstreams)
    targets.push_back(each.target + " " + each.host + ":" + std::to_string(each.port));
  out.set("router", entry->route.name);
  out.set("middlewares", texts(middlewares));
  out.set("warnings", texts(entry->route.warnings));
  out.set("service", entry->route.service);
  out.set("targets", targets.empty() ? "down: " + servers.down : join(targets, ", "));
  out.set("served", true);
  return out;
}

void add_winner(const Json& status, const edge::Routes::Entry& entry, Json& out) {
  out.set("router", entry.route.name);
  const Json* route = find_named(status["routes"], entry.route.name);
  out.set("middlewares", route ? (*route)["middlewares"] : Json::array());
  out.set("warnings", route ? (*route)["warnings"] : Json::array());
  out.set("service", entry.route.service);
  out.set("targets", targets_text(status, entry.route.service));
  out.set("served", true);
}

}  // namespace

std::string targets_text(const Json& status, std::string_view service) {
  const Json* found = find_named(status["services"], service);
  if (!found) return {};
  std::string out;
  for (const Json& upstream : (*found)["upstreams"].items())
    out += (out.empty() ? "" : ", ") + std::string(upstream["target"].text()) + " " +
           std::string(upstream["host"].text()) + ":" + std::to_string(upstream["port"].integer());
  std::vector<std::string> parts;
  add_parts(status, (*found)["group"], parts);
  for (const std::string& part : parts)
    if (part != service) out += (out.empty() ? "" : "; ") + part + ": " + targets_text(status, part);
  if (out.empty()) out = "down: " + std::string((*found)["down"].text());
  const std::string held((*found)["held"].text());
  return held.empty() ? out : out + " (" + held + ")";
}

Result<Json> explain(const Json& status, const Asked& asked) {
  if (asked.url.starts_with("tls://") || asked.url.starts_with("tcp://")) return explain_connection(status, asked);
  const auto url = TRY(http::parse_url(asked.url.contains("://") ? asked.url : "https://" + asked.url));
  std::string storage;
  const std::string path(TRY(edge::canonical_path(url.path, storage)));
  const auto table = TRY(table_of(status));
  const auto listener = url.scheme == "http" ? edge::Listener::web : edge::Listener::websecure;
  const http::Fields fields = TRY(fields_of(asked));
  const edge::RequestFacts facts{.host = url.host,
                                 .method = asked.method,
                                 .path = path,
                                 .query = url.query,
                                 .client = TRY(edge::parse_ip(asked.from)),
                                 .headers = &fields};
  Json routers = Json::array();
  const edge::Routes::Entry* winner = nullptr;
  for (const edge::Routes::Judged& each : table->judge(listener, facts)) {
    if (each.decides) winner = each.entry;
    routers.push(Json::object({{"router", each.entry->route.name},
                               {"rule", each.entry->route.rule},
                               {"priority", each.entry->priority},
                               {"decides", each.decides},
                               {"why", each.why}}));
  }
  const std::string query = url.query.empty() ? "" : "?" + url.query;
  Json out = Json::object({{"request", asked.method + " " + path + query + " on " +
                                           std::string(edge::to_text(listener)) + " from " + facts.client.text()},
                           {"host", url.host}});
  out.set("routers", std::move(routers));
  if (winner) {
    add_winner(status, *winner, out);
    return out;
  }
  const bool redirected = listener == edge::Listener::web && table->find(edge::Listener::websecure, facts);
  out.set("otherwise", redirected ? "the edge redirects to https" : "the edge answers 404");
  out.set("served", redirected);
  return out;
}

std::string explained_text(const Json& explained) {
  std::string out = std::string(explained["request"].text()) + "\n";
  for (const Json& each : explained["routers"].items()) {
    if (each.contains("router"))
      out += std::to_string(each["priority"].integer()) + " " + std::string(each["router"].text()) + " " +
             std::string(each["rule"].text()) + ": ";
    out += std::string(each["why"].text()) + "\n";
  }
  if (explained["routers"].size() == 0) out += "no router is for " + std::string(explained["host"].text()) + "\n";
  if (!explained.contains("router")) return out + "\n" + std::string(explained["otherwise"].text()) + "\n";
  out += "\n" + std::string(explained["router"].text()) + " decides\n";
  for (const Json& each : explained["middlewares"].items()) out += "  middleware  " + std::string(each.text()) + "\n";
  for (const Json& each : explained["warnings"].items()) out += "  warning     " + std::string(each.text()) + "\n";
  return out + "  service     " + std::string(explained["service"].text()) + "\n  targets     " +
         std::string(explained["targets"].text()) + "\n";
}

}  // namespace berth::app
