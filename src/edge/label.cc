#include "edge/label.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "base/text.h"
#include "edge/keys.h"
#include "edge/label_middleware.h"
#include "edge/label_parse.h"
#include "edge/tcp_label.h"
#include "edge/tls_option_names.h"

namespace berth::edge {
namespace {

using Level = RouteNote::Level;

Result<std::string> default_rule(const Target& target, const LabelOptions& options) {
  if (options.default_rule) {
    auto rule = options.default_rule->fill(target);
    if (!rule) return fail(std::move(rule.error()).within("providers.docker.defaultRule"));
    if (rule->empty()) return fail(Code::invalid, "providers.docker.defaultRule gives it no rule; label it with one");
    return rule;
  }
  const std::string service = target.service.empty() ? target.name : target.service;
  const std::string project = target.project.empty() ? "local" : target.project;
  // Names may hold '_', which is no part of a host name.
  const auto host_part = [](std::string_view name) { return lower(replace_all(name, "_", "-")); };
  return "Host(`" + host_part(service) + "." + host_part(project) + ".localhost`)";
}

std::string field(const LabelFields& fields, std::string_view key, std::string_view fallback = {}) {
  const auto at = fields.find(key);
  return std::string(at == fields.end() ? fallback : std::string_view(at->second));
}

/// One router with the containers that declare it.
struct Router {
  LabelFields fields;
  const Declared* from = nullptr;
  bool conflict = false;
};

class Reader {
 public:
  Reader(const std::vector<Target>& targets, const HostLinks& links, const LabelOptions& options)
      : targets_(targets), links_(links), options_(options) {}

  Labelled read() {
    for (const Target& target : targets_) {
      Declared declared = declare(target, options_, out_.notes);
      if (is_unexposed(declared)) out_.unexposed.push_back({target.name, is_labelled(declared)});
      if (declared.enabled) declared_.push_back(std::move(declared));
    }
    std::ranges::sort(out_.unexposed, {}, &Unexposed::container);
    std::ranges::sort(declared_, {}, [](const Declared& each) { return std::string_view(each.target->name); });
    // A container that only speaks of TCP or UDP is not published over HTTP.
    for (Declared& declared : declared_) {
      const bool http = !declared.routers.empty() || !declared.services.empty() || !declared.middlewares.empty();
      const bool other = !declared.tcp_routers.empty() || !declared.tcp_services.empty() ||
                         !declared.udp_routers.empty() || !declared.udp_services.empty();
      if (http || !other) add_defaults(declared);
    }
    for (const Declared& declared : declared_) collect(declared);
    for (const auto& [name, fields] : services_) make_service(name);
    check_groups();
    for (const auto& [name, router] : routers_) make_route(name, router);
    std::ranges::sort(out_.services, {}, &Service::name);
    read_tcp_labels(declared_, {targets_, links_, options_}, out_);
    return std::move(out_);
  }

 private:
  static bool is_labelled(const Declared& declared) {
    return !declared.routers.empty() || !declared.services.empty() || !declared.tcp_routers.empty() ||
           !declared.tcp_services.empty() || !declared.udp_routers.empty() || !declared.udp_services.empty();
  }
  bool is_unexposed(const Declared& declared) const {
    const Target& target = *declared.target;
    const bool silent = !options_.exposed_by_default && !declared.decided && !declared.filtered;
    return silent && is_serving(target) && !target.leaving && (!target.exposed.empty() || is_labelled(declared));
  }

  void note(Level level, std::string router, const Target& target, Error error) {
    out_.notes.push_back({level, std::move(router), target.name, std::move(error.message), std::move(error.detail)});
  }
  void warn(const std::string& router, const Declared& from, std::string message, std::vector<std::string>& warnings) {
    warnings.push_back(message);
    note(Level::warning, router, *from.target, Error{Code::invalid, std::move(message)});
  }

  void add_defaults(Declared& declared) {
    if (declared.services.empty()) declared.services[default_service(*declared.target)];
    if (declared.routers.empty() && declared.services.size() == 1) declared.routers[default_service(*declared.target)];
    for (auto at = declared.routers.begin(); at != declared.routers.end();) {
      const auto router = at++;
      if (router->second.contains("rule")) continue;
      auto rule = default_rule(*declared.target, options_);
      if (rule) {
        router->second["rule"] = std::move(*rule);
        continue;
      }
      note(Level::error, router->first, *declared.target, std::move(rule.error()));
      declared.routers.erase(router);
    }
  }

  void collect(const Declared& declared) {
    for (const auto& [name, fields] : declared.routers) {
      const auto [at, added] = routers_.try_emplace(name, Router{fields, &declared});
      if (added) continue;
      Router& router = at->second;
      const Target &target = *declared.target, &other = *router.from->target;
      const bool both_count = target.running && other.running && !target.leaving && !other.leaving;
      if (both_count && router.fields != fields && !are_one_service(target, other)) router.conflict = true;
      if (decides_over(target, other)) std::tie(router.fields, router.from) = std::tuple(fields, &declared);
    }
    for (const auto& [name, fields] : declared.services) services_[name].push_back(&declared);
    for (const auto& [name, fields] : declared.middlewares) {
      const auto [from, added] = defined_by_.try_emplace(name, declared.target);
      if (!added && !decides_over(*declared.target, *from->second)) continue;
      from->second = declared.target;
      middlewares_[name] = tree_of(fields);
    }
  }

  // Services.

  void make_service(const std::string& name) {
    Service service{.name = name, .upstreams = {}, .pass_host = true, .down = {}};
    // A container that is not healthy yet is better than none: a service that is recreated answers as soon as it can.
    const auto& all = services_[name];
    const bool early = std::ranges::none_of(all, [](const Declared* each) { return is_serving(*each->target); });
    const bool replaced = std::ranges::any_of(
        all, [](const Declared* each) { return is_serving(*each->target) && !each->target->leaving; });
    for (const Declared* declared : all) {
      if (declared->target->leaving && replaced) continue;
      const LabelFields& fields = declared->services.find(name)->second;
      read_options(*declared, fields, service);
      if (service.group.index() != 0) break;
      auto upstream = upstream_of(name, *declared, fields, early);
      if (upstream) {
        service.upstreams.push_back(std::move(*upstream));
        continue;
      }
      service.down += (service.down.empty() ? "" : "\n") + upstream.error().text();
      // That a container starts or is stopped is no fault of its labels.
      if (is_serving(*declared->target)) note(Level::error, "", *declared->target, std::move(upstream.error()));
    }
    if (!service.upstreams.empty() || service.group.index() != 0) service.down.clear();
    if (auto used = use_transport(service, service.transport, options_.transports); !used)
      note(Level::error, "", *all.front()->target, std::move(used.error()));
    out_.services.push_back(std::move(service));
  }

  /// All that a service's labels say but its server.
  void read_options(const Declared& from, const LabelFields& fields, Service& service) {
    LabelFields options;
    for (const auto& [key, value] : fields) {
      if (!key.starts_with("loadbalancer.server.")) options[key] = value;
    }
    const Json tree = tree_of(options);
    for (const auto& [kind, each] : tree.members()) {
      Service read = service;
      auto done = kind == "loadbalancer" ? read_balancing(each, read) : read_group(kind, each, read);
      if (done)
        service = std::move(read);
      else
        note(Level::error, "", *from.target,
             std::move(done.error()).within("label traefik.http.services." + service.name));
    }
  }

  /// `early`: also to a container that is not healthy yet.
  Result<Upstream> upstream_of(const std::string& name, const Declared& from, const LabelFields& fields, bool early) {
    const Target& target = *from.target;
    const std::string label = "label traefik.http.services." + name + ".loadbalancer.server.";
    if (fields.contains("loadbalancer.server.url")) {
      return fail(Code::invalid, label + "url is not allowed: a label may only name its own container; use port");
    }
    const std::string scheme = lower(field(fields, "loadbalancer.server.scheme", "http"));
    static constexpr std::string_view kSchemes[] = {"http", "https", "h2c", "uwsgi", "fcgi"};
    if (!std::ranges::count(kSchemes, scheme)) {
      return fail(Code::invalid,
                  label + "scheme: \"" + scheme + "\" is not supported; use http, https, h2c, uwsgi or fcgi");
    }
    const Reach way = TRY(reach_server({.from = from,
                                        .label = label,
                                        .port = field(fields, "loadbalancer.server.port"),
                                        .early = early,
                                        .bound = options_.use_bind_port_ip},
                                       links_, targets_));
    const std::uint32_t weight = TRY(parse_weight(label + "weight", field(fields, "loadbalancer.server.weight", "1")));
    return Upstream{.host = way.host,
                    .port = way.port,
                    .tls = scheme == "https",
                    .target = target.name,
                    .h2 = scheme == "h2c",
                    .weight = weight,
                    .speaks = scheme == "uwsgi"  ? Speaks::uwsgi
                              : scheme == "fcgi" ? Speaks::fcgi
                                                 : Speaks::http};
  }

  // Routers.

  void make_route(const std::string& name, const Router& router) {
    auto route = route_of(name, router);
    if (route && !options_.allow_empty_services && is_empty(route->service))
      note(Level::warning, name, *router.from->target,
           Error{Code::unavailable, "router \"" + name +
                                        "\": not served, since its service has no server and "
                                        "providers.docker.allowEmptyServices is false"});
    else if (route)
      out_.routes.push_back(std::move(*route));
    else
      note(Level::error, name, *router.from->target, std::move(route.error()));
  }

  bool is_empty(const std::string& service) const {
    const auto found = std::ranges::find(out_.services, service, &Service::name);
    return found != out_.services.end() && found->upstreams.empty() && found->group.index() == 0;
  }

  Result<Route> route_of(const std::string& name, const Router& router) {
    const std::string label = "label traefik.http.routers." + name + ".";
    if (router.conflict) {
      return fail(Code::conflict, "router \"" + name +
                                      "\" is declared by several containers with different labels; "
                                      "give each its own name");
    }
    Route route{.name = name + "@docker",
                .rule = router.fields.find("rule")->second,
                .priority = 0,
                .listeners = {},
                .service = {},
                .middlewares = {},
                .warnings = {}};
    auto rule = parse_rule(route.rule);
    if (!rule) return fail(std::move(rule.error()).within(label + "rule"));
    for (std::string& warning : rule->warnings) warn(name, *router.from, label + "rule: " + warning, route.warnings);
    const std::string priority = field(router.fields, "priority", "0");
    const auto [end, error] = std::from_chars(priority.data(), priority.data() + priority.size(), route.priority);
    if (error != std::errc{} || end != priority.data() + priority.size()) {
      return fail(Code::invalid, label + "priority: \"" + priority + "\" is not a whole number");
    }
    TRY(read_observability(label, router, route));
    const bool tls = TRY(read_tls(name, router, route));
    route.domains = TRY(parse_domains(label, router.fields));
    TRY(read_listeners(name, router, tls, route));
    route.service = TRY(service_of(name, router));
    auto chain = chain_of(parse_list(field(router.fields, "middlewares")), middlewares_);
    if (!chain) return fail(std::move(chain.error()).within("router \"" + name + "\""));
    route.middlewares = std::move(*chain);
    for (Middleware& each : route.middlewares) {
      auto linked = link(each, router);
      if (!linked) return fail(std::move(linked.error()).within("middleware \"" + each.name + "\""));
    }
    add_cache(name, router, route);
    warn_unknown(name, router, route.warnings);
    return route;
  }

  /// Labels berth.cache.KEY of the container, and berth.cache.routers.NAME.KEY of this router over them. What is wrong
  /// in them costs the cache, not the route.
  void add_cache(const std::string& name, const Router& router, Route& route) {
    static constexpr std::string_view kRouters = "routers.";
    LabelFields fields;
    const std::string own = std::string(kRouters) + name + ".";
    for (const auto& [key, value] : router.from->cache) {
      if (!key.starts_with(kRouters)) fields.try_emplace(key, value);
      if (key.starts_with(own)) fields[key.substr(own.size())] = value;
    }
    if (fields.empty()) return;
    const auto enabled = fields.contains("enable") ? parse_bool(fields["enable"]) : true;
    if (enabled == false) return;
    if (!enabled)
      return warn(
          name, *router.from,
          "label berth.cache.enable: \"" + fields["enable"] + "\" is neither true nor false; the route is not cached",
          route.warnings);
    auto policy = read_cache_policy({fields.begin(), fields.end()});
    if (policy) {
      route.middlewares.push_back({"berth.cache", std::move(*policy)});
    } else {
      warn(name, *router.from, "label berth." + policy.error().message + "; the route is not cached", route.warnings);
    }
  }

  void warn_unknown(const std::string& name, const Router& router, std::vector<std::string>& warnings) {
    static constexpr std::string_view kKnown[] = {"rule",        "entrypoints", "service",
                                                  "priority",    "tls",         "tls.certresolver",
                                                  "middlewares", "tls.options", "rulesyntax"};
    for (const auto& [key, value] : router.fields) {
      if (std::ranges::count(kKnown, key) || key.starts_with("tls.domains[") || key.starts_with("observability."))
        continue;
      warn(name, *router.from,
           "label traefik.http.routers." + name + "." + key + " is not known" + suggestion(key, kKnown), warnings);
    }
  }

  static Result<void> read_observability(const std::string& label, const Router& router, Route& route) {
    static constexpr std::pair<std::string_view, bool Route::*> kFlags[] = {
        {"observability.accesslogs", &Route::logged},
        {"observability.metrics", &Route::counted},
        {"observability.tracing", &Route::traced}};
    for (const auto& [key, member] : kFlags) {
      const std::string text = field(router.fields, std::string(key), "true");
      const auto flag = parse_bool(text);
      if (!flag) return fail(Code::invalid, label + std::string(key) + ": \"" + text + "\" is neither true nor false");
      route.*member = *flag;
    }
    return {};
  }

  Result<bool> read_tls(const std::string& name, const Router& router, Route& route) {
    const std::string text = field(router.fields, "tls", "false");
    const auto flag = parse_bool(text);
    if (!flag)
      return fail(Code::invalid,
                  "label traefik.http.routers." + name + ".tls: \"" + text + "\" is neither true nor false");
    route.tls_options = TRY(tls_options_of(name, router, route));
    const std::string resolver = field(router.fields, "tls.certresolver");
    if (!resolver.empty() && !std::ranges::count(options_.resolvers, resolver)) {
      warn(name, *router.from,
           "certificate resolver \"" + resolver + "\" is not configured; the local CA signs for this route",
           route.warnings);
    } else {
      route.resolver = resolver;
    }
    return *flag || std::ranges::any_of(router.fields, [](const auto& each) { return each.first.starts_with("tls."); });
  }

  /// "": the default ones.
  Result<std::string> tls_options_of(const std::string& name, const Router& router, const Route& route) {
    const std::string options = field(router.fields, "tls.options", "default");
    const auto rule = parse_rule(route.rule);
    auto own = tls_options_.take(options, rule ? *rule : Rule());
    if (!own)
      own.error().message =
          "label traefik.http.routers." + name + ".tls.options: \"" + options + "\"" + own.error().message;
    return own;
  }

  Result<void> read_listeners(const std::string& name, const Router& router, bool tls, Route& route) {
    static constexpr std::string_view kPlain[] = {"web", "http"}, kSecure[] = {"websecure", "https"};
    bool web = false, websecure = false;
    const auto entrypoints = parse_list(lower(field(router.fields, "entrypoints")));
    for (const std::string& entrypoint : entrypoints) {
      if (std::ranges::count(kPlain, entrypoint)) {
        web = true;
      } else if (std::ranges::count(kSecure, entrypoint) || entrypoint == "web-secure" || entrypoint == "web_secure") {
        websecure = true;
      } else {
        static constexpr std::string_view kAll[] = {"web", "websecure", "http", "https"};
        return fail(Code::invalid, "label traefik.http.routers." + name + ".entrypoints: \"" + entrypoint +
                                       "\" is not configured; there are web and websecure" +
                                       suggestion(entrypoint, kAll));
      }
    }
    if (web && tls) {
      if (!websecure)
        warn(name, *router.from, "the router has tls, so websecure serves it and web redirects there", route.warnings);
      web = false;
      websecure = true;
    }
    if (web) route.listeners.push_back(Listener::web);
    if (websecure || !web) route.listeners.push_back(Listener::websecure);
    return {};
  }

  Result<std::string> service_of(const std::string& name, const Router& router) {
    const auto& own = router.from->services;
    const std::string named = field(router.fields, "service");
    if (named.empty()) {
      if (own.size() == 1) return own.begin()->first;
      return fail(Code::invalid, "router \"" + name +
                                     "\": the container declares several services; set traefik.http.routers." + name +
                                     ".service to one of them");
    }
    const auto service = local_name(named);
    if (service && services_.contains(*service)) return *service;
    std::vector<std::string_view> names;
    for (const auto& [each, from] : services_) names.push_back(each);
    return fail(Code::invalid, "router \"" + name + "\": service \"" + named + "\" is not declared by any label" +
                                   suggestion(named, names));
  }

  /// A group whose parts are missing has no way to serve; it may not lead to other groups, so that none is a circle.
  void check_groups() {
    for (Service& service : out_.services) {
      for (std::string* name : parts_of(service)) {
        const auto local = local_name(*name);
        if (local) *name = *local;
        const auto part = std::ranges::find(out_.services, *name, &Service::name);
        if (part != out_.services.end() && part->group.index() == 0) continue;
        service.down = "service \"" + service.name + "\": \"" + *name +
                       (part == out_.services.end() ? "\" is not declared by any label" : "\" is a group itself");
        note(Level::error, "", *services_[service.name].front()->target, Error{Code::invalid, service.down});
        service.group = {};
        break;
      }
    }
  }

  /// Middlewares that ask a service get one that labels may lead to.
  Result<void> link(Middleware& middleware, const Router& router) {
    if (auto* pages = std::get_if<ErrorPages>(&middleware.action)) {
      const auto service = local_name(pages->service);
      if (!service || !services_.contains(*service)) {
        return fail(Code::invalid, "errors.service: \"" + pages->service + "\" is not declared by any label");
      }
      pages->service = *service;
    }
    auto* asks = std::get_if<ForwardAuth>(&middleware.action);
    if (!asks || !asks->service.empty()) return {};
    const auto from = defined_by_.find(middleware.name);
    const Target& definer = from == defined_by_.end() ? *router.from->target : *from->second;
    auto service = auth_service(*asks, definer);
    if (!service) return fail(std::move(service.error()).within("forwardauth.address"));
    asks->service = service->name;
    const bool known =
        std::ranges::any_of(out_.services, [&](const Service& each) { return each.name == service->name; });
    if (!known) out_.services.push_back(std::move(*service));
    return {};
  }

  /// Whether `name` in a label of `definer` means `target`; without a project only `definer` itself.
  static bool is_named(const Target& target, std::string_view name, const Target& definer) {
    if (target.project != definer.project) return false;
    if (definer.project.empty() && target.name != definer.name) return false;
    return target.service == name || target.name == name;
  }

  void add_way(Service& service, const Target& target, std::uint16_t port, bool tls) const {
    const auto way = reach(target, port, {}, links_, targets_);
    if (way)
      service.upstreams.push_back({.host = way->host, .port = way->port, .tls = tls, .target = target.name});
    else
      service.down += way.error().text() + "\n";
  }

  /// The containers that `definer` would reach under the address's name: those of its own project, so that a label
  /// cannot make the edge ask anything else.
  Result<Service> auth_service(const ForwardAuth& asks, const Target& definer) {
    const bool tls = asks.address.starts_with("https://");
    const std::string_view rest = std::string_view(asks.address).substr(tls ? 8 : 7);
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
    const Cut parts = cut(authority, ':');
    const std::optional<std::uint16_t> port = parts.found ? parse_port(parts.after) : tls ? 443 : 80;
    if (!port) return fail(Code::invalid, "\"" + std::string(authority) + "\" is not host and port");
    Service service{.name = "auth " + definer.project + " " + std::string(authority) + (tls ? " tls" : ""),
                    .upstreams = {},
                    .pass_host = false,
                    .down = {}};
    bool named = false;
    for (const Target& target : targets_) {
      if (!is_named(target, parts.before, definer)) continue;
      named = true;
      if (is_serving(target)) add_way(service, target, *port, tls);
    }
    if (named && service.upstreams.empty()) service.down += std::string(parts.before) + " does not run";
    if (named) return service;
    return fail(Code::invalid, "\"" + std::string(parts.before) +
                                   "\" is no service or container of the same project; a label may name no other");
  }

  const std::vector<Target>& targets_;
  const HostLinks& links_;
  const LabelOptions& options_;
  std::vector<Declared> declared_;
  std::map<std::string, Router> routers_;
  std::map<std::string, std::vector<const Declared*>> services_;
  Trees middlewares_;
  std::map<std::string, const Target*> defined_by_;  ///< middleware -> whose definition it is
  TlsOptionNames tls_options_{options_.tls_options};
  Labelled out_;
};

}  // namespace

Labelled read_labels(const std::vector<Target>& targets, const HostLinks& links, const LabelOptions& options) {
  return Reader(targets, links, options).read();
}

}  // namespace berth::edge
