#include "app/core.h"
#include "app/edge_place.h"
#include "base/text.h"
#include "edge/keys.h"
#include "edge/tcp_snapshot.h"
#include "io/links.h"

namespace berth::app {
namespace {

constexpr std::size_t kMostOnDemand = 200;

/// Those of this process's network, unless an edge of its own stands elsewhere.
edge::HostLinks host_links(const std::string& edge_in, const Json& networks) {
  if (!edge_in.empty()) return links_of_bridges(networks);
  edge::HostLinks out;
  const auto prefixes = io::link_prefixes();
  if (!prefixes) return out;
  for (const auto& prefix : *prefixes)
    if (const auto cidr = edge::parse_cidr(prefix)) out.subnets.push_back(*cidr);
  return out;
}

std::string text_of(const edge::RouteNote& note) {
  return std::string(note.level == edge::RouteNote::Level::error ? "error: " : "warning: ") +
         (note.router.empty() ? "" : "router " + note.router + " ") + "(container " + note.container +
         "): " + note.message + (note.detail.empty() ? "" : "\n" + note.detail);
}

// The lines of `now` that `before` did not have.
void add_new(const std::vector<edge::RouteNote>& now, const std::vector<edge::RouteNote>& before,
             std::vector<std::string>& out) {
  for (const auto& note : now) {
    const bool known =
        std::any_of(before.begin(), before.end(), [&](const auto& old) { return text_of(old) == text_of(note); });
    if (!known) out.push_back(text_of(note));
  }
}

std::string text_of(const edge::Service& service) {
  std::string line = "service " + service.name + " -> ";
  for (const auto& upstream : service.upstreams)
    line += (&upstream == service.upstreams.data() ? "" : ", ") + upstream.target + " (" + upstream.host + ":" +
            std::to_string(upstream.port) + ")";
  return service.upstreams.empty() ? line + "nothing: " + service.down : line;
}

// What `change` did to `before`.
void add_route_changes(const edge::SnapshotPatch& change, const edge::Snapshot& before, std::vector<std::string>& out) {
  for (const auto& each : change.services)
    for (const auto& service : each.put) out.push_back(text_of(service));
  std::set<std::string_view> named;
  for (const auto& each : change.routes)
    for (const auto& route : each.put) named.insert(route.name);
  for (const auto& each : change.routes)
    for (std::size_t i = 0; i < each.drop; ++i)
      if (const auto& name = before.routes[each.at + i].name; !named.contains(name))
        out.push_back("router " + name + " is gone");
}

std::uint64_t first_version(std::chrono::sys_seconds now) {
  return static_cast<std::uint64_t>(now.time_since_epoch().count()) << 16;
}

// Whether a route leads to the service, itself or through a group.
bool leads_to(const std::vector<edge::Route>& routes, const std::vector<edge::Service>& services,
              const std::string& name) {
  if (std::ranges::find(routes, name, &edge::Route::service) != routes.end()) return true;
  return std::ranges::any_of(services, [&](edge::Service group) {
    const auto parts = edge::parts_of(group);
    const bool holds = std::ranges::any_of(parts, [&](const std::string* part) { return *part == name; });
    return holds && std::ranges::find(routes, group.name, &edge::Route::service) != routes.end();
  });
}

// The upstreams of a container, by its name, to which a route leads.
std::vector<edge::Upstream> named_upstreams(const std::vector<edge::Route>& routes,
                                            const std::vector<edge::Service>& services, std::string_view name) {
  std::vector<edge::Upstream> out;
  for (const auto& service : services) {
    if (!leads_to(routes, services, service.name)) continue;
    std::ranges::copy_if(service.upstreams, std::back_inserter(out),
                         [&](const edge::Upstream& each) { return each.target == name; });
  }
  return out;
}

// The same of TCP and UDP.
void add_named(const edge::TcpConfig& config, std::string_view name, std::vector<edge::Upstream>& out) {
  const auto add = [&](const edge::Service& service) {
    std::ranges::copy_if(service.upstreams, std::back_inserter(out),
                         [&](const edge::Upstream& each) { return each.target == name; });
  };
  for (const auto& service : config.services)
    if (std::ranges::count(config.routes, service.servers.name, &edge::TcpRoute::service) > 0) add(service.servers);
  for (const auto& service : config.udp_services)
    if (std::ranges::count(config.udp_routes, service.name, &edge::UdpRoute::service) > 0) add(service);
}

}  // namespace

Result<bool> Desk::update(const Json& containers, const Json& networks, std::chrono::sys_seconds now) {
  targets_ = targets_of(containers, networks);
  handover.forget_gone(targets_);
  auto targets = targets_;
  handover.apply(targets);
  links_ = host_links(edge_in, networks);
  labelled_ = edge::read_labels(targets, links_, labels);
  return publish(now);
}

std::vector<std::string> Desk::networks_to_join(const Json& containers, const Json& networks) const {
  if (edge_in.empty() || edge_in == "host") return {};
  return app::networks_to_join(containers, networks, snapshot.services, edge_in);
}

Result<bool> Desk::republish(std::chrono::sys_seconds now) {
  if (snapshot.version == 0) return false;
  return publish(now);
}

Result<bool> Desk::publish_own(std::chrono::sys_seconds now) {
  if (snapshot.version != 0) return false;
  return publish(now);
}

edge::SnapshotGraft Desk::own_graft(std::chrono::sys_seconds now) {
  edge::Snapshot own;
  const auto table = edge::Routes::changed({}, {{.put = own_routes}}, {{.put = own_services}}, nullptr);
  if (table) add_certificates(own, **table, now);
  std::erase_if(own.certificates, [&](const edge::Certificate& each) {
    const auto hosts = table ? (*table)->hosts(edge::Listener::websecure) : std::vector<std::string>();
    return std::ranges::none_of(hosts, [&](const auto& host) {
      return std::ranges::any_of(each.hosts, [&](const auto& name) { return edge::covers(name, host); });
    });
  });
  grafted_ = std::max(grafted_ + 1, first_version(now));
  return {
      .version = grafted_, .routes = own_routes, .services = own_services, .certificates = std::move(own.certificates)};
}

bool Desk::want_on_demand(const std::string& host) {
  if (on_demand_.size() >= kMostOnDemand) return false;
  return on_demand_.insert(host).second;
}

Result<bool> Desk::publish(std::chrono::sys_seconds now) {
  edge::Snapshot next{.version = snapshot.version,
                      .settings = settings,
                      .routes = labelled_.routes,
                      .services = labelled_.services,
                      .certificates = {},
                      .tls_options = tls_options,
                      .http_challenges = http_challenges,
                      .tls_challenges = tls_challenges,
                      .tcp = labelled_.tcp,
                      .transports = transports.http};
  next.routes.insert(next.routes.end(), own_routes.begin(), own_routes.end());
  next.services.insert(next.services.end(), own_services.begin(), own_services.end());
  next.tcp.entry_points = labels.entry_points;
  next.tcp.transports = transports.tcp;
  TRY(edge::TcpTable::build(next.tcp));
  apply_holds(holds, next.services);
  auto changes = edge::patch_between(snapshot, next);
  const auto table = TRY(edge::Routes::changed(*table_, changes.routes, changes.services, nullptr));
  std::vector<edge::RouteNote> now_noted = labelled_.notes;
  add_certificates(next, *table, now);
  changes = edge::patch_between(snapshot, next);
  std::ranges::move(certificate_notes_, std::back_inserter(now_noted));
  news.clear();
  const bool first = snapshot.version == 0;
  add_new(now_noted, notes, news);
  const bool notes_changed = !news.empty() || notes.size() != now_noted.size();
  notes = std::move(now_noted);
  if (!first && !notes_changed && changes.is_empty()) return false;
  add_route_changes(changes, snapshot, news);
  next.version = first ? std::max(grafted_ + 1, first_version(now)) : snapshot.version + 1;
  changes.version = next.version;
  change = std::move(changes);
  snapshot = std::move(next);
  table_ = table;
  return true;
}

// Those of CAs first: where two name a host, the edge takes the first. The local CA signs for the others, and for as
// long as a CA has not.
void Desk::add_certificates(edge::Snapshot& next, const edge::Routes& table, std::chrono::sys_seconds now) {
  certificate_notes_.clear();
  std::erase_if(on_demand_, [&](const auto& host) { return !table.knows_host(edge::Listener::websecure, host); });
  std::vector<edge::Route> routes = next.routes;
  std::ranges::move(edge::certificate_routes(next.tcp.routes), std::back_inserter(routes));
  wanted = edge::wanted_certificates(routes, resolvers);
  std::vector<std::string> hosts = table.hosts(edge::Listener::websecure);
  std::ranges::move(edge::terminated_hosts(next.tcp.routes), std::back_inserter(hosts));
  for (const std::string& host : on_demand_) {
    hosts.push_back(host);
    const std::string resolver = edge::resolver_for(table, host);
    if (!resolver.empty()) wanted.push_back({.hosts = {host}, .resolver = resolver});
  }
  next.certificates = signed_by_cas;
  const auto is_signed = [&](const std::string& host) {
    return std::ranges::any_of(signed_by_cas, [&](const edge::Certificate& each) {
      return std::ranges::any_of(each.hosts, [&](const auto& name) { return edge::covers(name, host); });
    });
  };
  for (const std::string& host : hosts) {
    if (is_signed(host)) continue;
    auto certificate = store.certificate(host, now);
    if (certificate) {
      next.certificates.push_back(std::move(*certificate));
    } else {
      certificate_notes_.push_back({.router = "",
                                    .container = "",
                                    .message = "no certificate for " + host + ": " + certificate.error().message});
    }
  }
}

Way Desk::way_of(const std::string& id) const {
  const auto found = std::ranges::find(targets_, id, &edge::Target::id);
  if (found == targets_.end()) return {};
  using Health = edge::Target::Health;
  if (!found->running) return {.state = Way::State::down, .why = "container " + found->name + " is not running"};
  if (found->health == Health::unhealthy)
    return {.state = Way::State::down, .why = "container " + found->name + " is unhealthy"};
  if (found->health == Health::starting) return {.state = Way::State::waiting};
  Handover admitted = handover;
  admitted.admit(id);
  auto targets = targets_;
  admitted.apply(targets);
  const auto labelled = edge::read_labels(targets, links_, labels);
  auto upstreams = named_upstreams(labelled.routes, labelled.services, found->name);
  add_named(labelled.tcp, found->name, upstreams);
  if (!upstreams.empty()) return {.state = Way::State::open, .upstreams = std::move(upstreams)};
  for (const auto& note : labelled.notes)
    if (note.container == found->name && note.level == edge::RouteNote::Level::error)
      return {.state = Way::State::refused, .why = text_of(note)};
  return {.state = Way::State::unwanted};
}

std::vector<edge::Upstream> Desk::upstreams_of(const std::string& id) const {
  const auto found = std::ranges::find(targets_, id, &edge::Target::id);
  if (found == targets_.end()) return {};
  auto upstreams = named_upstreams(snapshot.routes, snapshot.services, found->name);
  add_named(snapshot.tcp, found->name, upstreams);
  return upstreams;
}

std::vector<std::string> Desk::services_named(const std::string& name) const {
  std::set<std::string> found;
  for (const auto& service : snapshot.services)
    if (service.name == name) return {name};
  for (const auto& route : snapshot.routes) {
    const auto rule = edge::parse_rule(route.rule);
    const auto hosts = rule ? edge::hosts_of(*rule) : std::vector<std::string>();
    const bool meant = route.name == name || route.name == name + "@docker" || std::ranges::count(hosts, lower(name));
    if (meant) found.insert(route.service);
  }
  return {found.begin(), found.end()};
}

std::vector<edge::Upstream> Desk::upstreams_behind(const std::vector<std::string>& services) const {
  std::set<std::string> names(services.begin(), services.end());
  for (edge::Service service : snapshot.services) {
    if (!names.contains(service.name)) continue;
    for (const std::string* part : edge::parts_of(service)) names.insert(*part);
  }
  std::vector<edge::Upstream> out;
  for (const auto& service : snapshot.services)
    if (names.contains(service.name)) out.insert(out.end(), service.upstreams.begin(), service.upstreams.end());
  return out;
}

std::vector<std::string> Desk::containers() const {
  std::vector<std::string> ids;
  for (const auto& target : targets_) ids.push_back(target.id);
  return ids;
}

Json Desk::describe() const {
  Json routes = Json::array(), services = Json::array(), lines = Json::array();
  for (const auto& route : snapshot.routes) {
    Json listeners = Json::array(), warnings = Json::array();
    for (const auto listener : route.listeners) listeners.push(edge::to_text(listener));
    for (const auto& warning : route.warnings) warnings.push(warning);
    Json middlewares = Json::array();
    // Only their kinds: what they hold may be secret.
    for (const auto& each : route.middlewares)
      middlewares.push(each.name + " (" + edge::write_action(each.action).members()[0].first + ")");
    routes.push(Json::object({{"name", route.name},
                              {"rule", route.rule},
                              {"priority", route.priority},
                              {"listeners", listeners},
                              {"service", route.service},
                              {"middlewares", middlewares},
                              {"warnings", warnings}}));
  }
  for (const auto& service : snapshot.services) {
    Json upstreams = Json::array();
    for (const auto& upstream : service.upstreams)
      upstreams.push(Json::object(
          {{"target", upstream.target}, {"host", upstream.host}, {"port", upstream.port}, {"tls", upstream.tls}}));
    Json described = Json::object({{"name", service.name}, {"upstreams", upstreams}, {"down", service.down}});
    if (service.hold) described.set("held", text_of(*service.hold));
    if (const Json group = edge::write_group(service); !group.is_null()) described.set("group", group);
    services.push(std::move(described));
  }
  for (const auto& note : notes) lines.push(text_of(note));
  Json joins = Json::array();
  for (const auto& name : joined)
    joins.push(edge_in + " was connected to network " + name + ", to reach its containers");
  Json hidden = Json::array();
  for (const auto& each : labelled_.unexposed)
    hidden.push(Json::object({{"container", each.container}, {"labelled", each.labelled}}));
  return Json::object({{"version", snapshot.version},
                       {"routes", routes},
                       {"services", services},
                       {"ports", Json::object({{"web", http_port == 0 ? Json() : Json(std::int64_t{http_port})},
                                               {"websecure", std::int64_t{settings.public_https_port}}})},
                       {"tcp", edge::encode_tcp(snapshot.tcp)},
                       {"notes", lines},
                       {"joined", std::move(joins)},
                       {"unexposed", std::move(hidden)}});
}

}  // namespace berth::app
