#include "edge/tcp_label.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "base/text.h"
#include "edge/keys.h"
#include "edge/label_middleware.h"
#include "edge/tcp_entry.h"
#include "edge/tls_option_names.h"

namespace berth::edge {
namespace {

using Level = RouteNote::Level;
using Members = std::map<std::string, std::vector<const Declared*>>;

std::string field(const LabelFields& fields, std::string_view key, std::string_view fallback = {}) {
  const auto at = fields.find(key);
  return std::string(at == fields.end() ? fallback : std::string_view(at->second));
}

struct Router {
  const LabelFields* fields = nullptr;
  const Declared* from = nullptr;
  bool conflict = false;
};
using Routers = std::map<std::string, Router>;

/// TCP and UDP alike: what the labels of one of both say.
struct Side {
  std::string_view name;  ///< "tcp"
  Named Declared::*routers, Declared::*services;
};
constexpr Side kTcp{"tcp", &Declared::tcp_routers, &Declared::tcp_services};
constexpr Side kUdp{"udp", &Declared::udp_routers, &Declared::udp_services};

class Reader {
 public:
  Reader(const LabelWorld& world, Labelled& out) : world_(world), out_(out) {}

  void read(const std::vector<Declared>& declared) {
    std::vector<Declared> all = declared;
    for (const Side& side : {kTcp, kUdp}) {
      for (Declared& each : all) add_defaults(each, side);
    }
    for (const Declared& each : all) collect_middlewares(each);
    read_side(all, kTcp);
    read_side(all, kUdp);
  }

 private:
  void note(Level level, const std::string& router, const Declared& from, Error error) {
    out_.notes.push_back({level, router, from.target->name, std::move(error.message), std::move(error.detail)});
  }
  void warn(const Router& router, const std::string& name, std::string message, std::vector<std::string>& warnings) {
    warnings.push_back(message);
    note(Level::warning, name, *router.from, Error{Code::invalid, std::move(message)});
  }

  /// A router needs no service of its own to say where its container is.
  static void add_defaults(Declared& declared, const Side& side) {
    if (!(declared.*side.routers).empty() && (declared.*side.services).empty())
      (declared.*side.services)[default_service(*declared.target)];
  }

  void collect_middlewares(const Declared& declared) {
    for (const auto& [name, fields] : declared.tcp_middlewares) {
      const auto [from, added] = defined_by_.try_emplace(name, declared.target);
      if (!added && !decides_over(*declared.target, *from->second)) continue;
      from->second = declared.target;
      middlewares_[name] = tree_of(fields);
    }
  }

  void read_side(const std::vector<Declared>& all, const Side& side) {
    Members services;
    Routers routers;
    for (const Declared& declared : all) {
      for (const auto& [name, fields] : declared.*side.services) services[name].push_back(&declared);
      for (const auto& [name, fields] : declared.*side.routers) add_router(routers, name, declared, fields);
    }
    for (const auto& [name, members] : services) make_service(side, name, members);
    for (const auto& [name, router] : routers) {
      const auto done = side.name == "tcp" ? make_tcp(name, router, services) : make_udp(name, router, services);
      if (!done) note(Level::error, name, *router.from, done.error());
    }
  }

  static void add_router(Routers& routers, const std::string& name, const Declared& declared,
                         const LabelFields& fields) {
    const auto [at, added] = routers.try_emplace(name, Router{&fields, &declared});
    if (added) return;
    Router& router = at->second;
    const Target &target = *declared.target, &other = *router.from->target;
    const bool both_count = target.running && other.running && !target.leaving && !other.leaving;
    if (both_count && *router.fields != fields && !are_one_service(target, other)) router.conflict = true;
    if (decides_over(target, other)) std::tie(router.fields, router.from) = std::tuple(&fields, &declared);
  }

  // Services.

  void make_service(const Side& side, const std::string& name, const std::vector<const Declared*>& members) {
    TcpService service{.servers = {.name = name, .upstreams = {}, .pass_host = true, .down = {}}};
    Service& servers = service.servers;
    const bool early = std::ranges::none_of(members, [](const Declared* each) { return is_serving(*each->target); });
    const bool replaced = std::ranges::any_of(
        members, [](const Declared* each) { return is_serving(*each->target) && !each->target->leaving; });
    for (const Declared* declared : members) {
      if (declared->target->leaving && replaced) continue;
      const LabelFields& fields = (declared->*side.services).find(name)->second;
      auto upstream = read_member(side, fields, {*declared, name, early}, service);
      if (upstream) {
        servers.upstreams.push_back(std::move(*upstream));
        continue;
      }
      servers.down += (servers.down.empty() ? "" : "\n") + upstream.error().text();
      if (is_serving(*declared->target)) note(Level::error, "", *declared, std::move(upstream.error()));
    }
    if (!servers.upstreams.empty()) servers.down.clear();
    if (auto used = use_transport(servers, service.transport, world_.options.tcp_transports); !used)
      note(Level::error, "", *members.front(), std::move(used.error()));
    if (side.name == "tcp")
      out_.tcp.services.push_back(std::move(service));
    else
      out_.tcp.udp_services.push_back(std::move(servers));
  }

  struct Member {
    const Declared& from;
    const std::string& service;
    bool early;
  };
  Result<Upstream> read_member(const Side& side, const LabelFields& fields, const Member& member, TcpService& service) {
    const std::string label = "label traefik." + std::string(side.name) + ".services." + member.service + ".";
    static constexpr std::string_view kServer = "loadbalancer.server.";
    LabelFields options;
    for (const auto& [key, value] : fields) {
      const bool tls = key == "loadbalancer.server.tls" && side.name == "tcp";
      if (key == "loadbalancer.server.port" || key == "loadbalancer.server.weight" || tls) continue;
      if (key.starts_with(kServer) || side.name == "udp") return fail(Code::invalid, label + key + " is not known");
      options[key] = value;
    }
    const Json tree = tree_of(options);
    for (const auto& [kind, each] : tree.members()) {
      if (kind != "loadbalancer") return fail(Code::invalid, label + kind + " is not known; there is loadbalancer");
      TcpService read = service;
      if (auto done = read_tcp_balancing(each, read); !done) return fail(std::move(done.error()).within(label));
      service = std::move(read);
    }
    return upstream_of(label, fields, member);
  }

  Result<Upstream> upstream_of(const std::string& label, const LabelFields& fields, const Member& member) {
    const Target& target = *member.from.target;
    const std::string tls = field(fields, "loadbalancer.server.tls", "false");
    if (!parse_bool(tls))
      return fail(Code::invalid, label + "loadbalancer.server.tls: \"" + tls + "\" is neither true nor false");
    const Reach way = TRY(reach_server({.from = member.from,
                                        .label = label + "loadbalancer.server.",
                                        .port = field(fields, "loadbalancer.server.port"),
                                        .early = member.early,
                                        .bound = world_.options.use_bind_port_ip},
                                       world_.links, world_.targets));
    const std::uint32_t weight =
        TRY(parse_weight(label + "loadbalancer.server.weight", field(fields, "loadbalancer.server.weight", "1")));
    return Upstream{.host = way.host,
                    .port = way.port,
                    .tls = *parse_bool(tls),
                    .target = target.name,
                    .h2 = false,
                    .weight = weight};
  }

  // Routers.

  Result<void> make_tcp(const std::string& name, const Router& router, const Members& services) {
    TcpRoute route{.name = name + "@docker", .rule = field(*router.fields, "rule")};
    const std::string label = "label traefik.tcp.routers." + name + ".";
    TRY(check_conflict(name, router));
    if (route.rule.empty()) return fail(Code::invalid, label + "rule is missing; HostSNI(`*`) takes every connection");
    auto rule = parse_rule(route.rule, RuleKind::tcp);
    if (!rule) return fail(std::move(rule.error()).within(label + "rule"));
    for (std::string& warning : rule->warnings) warn(router, name, label + "rule: " + warning, route.warnings);
    const std::string priority = field(*router.fields, "priority", "0");
    const auto [end, error] = std::from_chars(priority.data(), priority.data() + priority.size(), route.priority);
    if (error != std::errc{} || end != priority.data() + priority.size())
      return fail(Code::invalid, label + "priority: \"" + priority + "\" is not a whole number");
    TRY(read_tls(name, router, *rule, route));
    route.entry_points = TRY(entry_points_of(label, router, route.tls != TcpRoute::Tls::none, false));
    route.service = TRY(service_of(kTcp, name, router, services));
    for (const std::string& each : parse_list(field(*router.fields, "middlewares")))
      route.middlewares.push_back(TRY(middleware(name, each)));
    static constexpr std::string_view kKnown[] = {"rule",        "entrypoints",     "middlewares", "priority",
                                                  "service",     "rulesyntax",      "tls",         "tls.passthrough",
                                                  "tls.options", "tls.certresolver"};
    warn_unknown(kKnown, label, router, route.warnings);
    out_.tcp.routes.push_back(std::move(route));
    return {};
  }

  Result<void> make_udp(const std::string& name, const Router& router, const Members& services) {
    UdpRoute route{.name = name + "@docker"};
    const std::string label = "label traefik.udp.routers." + name + ".";
    TRY(check_conflict(name, router));
    route.entry_points = TRY(entry_points_of(label, router, false, true));
    route.service = TRY(service_of(kUdp, name, router, services));
    static constexpr std::string_view kKnown[] = {"entrypoints", "service"};
    warn_unknown(kKnown, label, router, route.warnings);
    out_.tcp.udp_routes.push_back(std::move(route));
    return {};
  }

  static Result<void> check_conflict(const std::string& name, const Router& router) {
    if (!router.conflict) return {};
    return fail(Code::conflict, "router \"" + name +
                                    "\" is declared by several containers with different labels; "
                                    "give each its own name");
  }

  void warn_unknown(std::span<const std::string_view> known, const std::string& label, const Router& router,
                    std::vector<std::string>& warnings) {
    for (const auto& [key, value] : *router.fields) {
      if (std::ranges::count(known, key) || key.starts_with("tls.domains[")) continue;
      warn(router, "", label + key + " is not known" + suggestion(key, known), warnings);
    }
  }

  Result<void> read_tls(const std::string& name, const Router& router, const Rule& rule, TcpRoute& route) {
    const std::string label = "label traefik.tcp.routers." + name + ".";
    for (const std::string_view key : {"tls", "tls.passthrough"}) {
      const std::string text = field(*router.fields, key, "false");
      if (!parse_bool(text))
        return fail(Code::invalid, label + std::string(key) + ": \"" + text + "\" is neither true nor false");
    }
    const bool below =
        std::ranges::any_of(*router.fields, [](const auto& each) { return each.first.starts_with("tls."); });
    if (*parse_bool(field(*router.fields, "tls.passthrough", "false"))) {
      route.tls = TcpRoute::Tls::passthrough;
      return {};
    }
    if (below || *parse_bool(field(*router.fields, "tls", "false"))) route.tls = TcpRoute::Tls::terminate;
    if (route.tls == TcpRoute::Tls::none && needs_tls(rule))
      return fail(Code::invalid, label +
                                     "rule: without TLS no client names a host or protocol; write HostSNI(`*`), or "
                                     "set tls or tls.passthrough");
    const std::string resolver = field(*router.fields, "tls.certresolver");
    if (!resolver.empty() && !std::ranges::count(world_.options.resolvers, resolver))
      warn(router, name,
           "certificate resolver \"" + resolver + "\" is not configured; the local CA signs for this route",
           route.warnings);
    else
      route.resolver = resolver;
    route.domains = TRY(parse_domains(label, *router.fields));
    return read_tls_options(label, router, rule, route);
  }

  Result<void> read_tls_options(const std::string& label, const Router& router, const Rule& rule, TcpRoute& route) {
    const std::string options = field(*router.fields, "tls.options", "default");
    auto own = tls_options_.take(options, rule);
    if (!own) return fail(own.error().code, label + "tls.options: \"" + options + "\"" + own.error().message);
    route.tls_options = std::move(*own);
    return {};
  }

  Result<std::vector<std::string>> entry_points_of(const std::string& label, const Router& router, bool tls,
                                                   bool udp) const {
    auto chosen = choose_entry_points(parse_list(field(*router.fields, "entrypoints")),
                                      {.points = world_.options.entry_points, .tls = tls, .udp = udp});
    if (!chosen) return fail(Code::invalid, label + "entrypoints: " + chosen.error().message);
    return chosen;
  }

  static Result<std::string> service_of(const Side& side, const std::string& name, const Router& router,
                                        const Members& services) {
    const std::string subject = std::string(side.name) + " router \"" + name + "\"";
    const auto& own = router.from->*side.services;
    const std::string named = field(*router.fields, "service");
    if (named.empty()) {
      if (own.size() == 1) return own.begin()->first;
      return fail(Code::invalid, subject + ": the container declares several services; set its service");
    }
    const auto service = local_name(named);
    if (service && services.contains(*service)) return *service;
    std::vector<std::string_view> names;
    for (const auto& [each, from] : services) names.push_back(each);
    return fail(Code::invalid,
                subject + ": service \"" + named + "\" is not declared by any label" + suggestion(named, names));
  }

  Result<TcpMiddleware> middleware(const std::string& router, const std::string& reference) {
    const auto name = local_name(reference);
    const auto found = name ? middlewares_.find(*name) : middlewares_.end();
    const std::string subject = "tcp router \"" + router + "\": middleware \"" + reference + "\"";
    if (found == middlewares_.end()) return fail(Code::invalid, subject + " is not declared by any label");
    if (found->second.size() != 1) return fail(Code::invalid, subject + " must have exactly one kind");
    const auto& [kind, tree] = found->second.members()[0];
    auto action = read_tcp_action(kind, tree);
    if (!action) return fail(std::move(action.error()).within(subject));
    return TcpMiddleware{*name, std::move(*action)};
  }

  const LabelWorld& world_;
  Labelled& out_;
  Trees middlewares_;
  std::map<std::string, const Target*> defined_by_;
  TlsOptionNames tls_options_{world_.options.tls_options};
};

}  // namespace

void read_tcp_labels(const std::vector<Declared>& declared, const LabelWorld& world, Labelled& out) {
  Reader(world, out).read(declared);
}

}  // namespace berth::edge
