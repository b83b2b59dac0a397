#include "edge/file_config.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "edge/file_value.h"
#include "edge/keys.h"
#include "edge/label_middleware.h"
#include "edge/tcp_file.h"
#include "http/url.h"

namespace berth::edge {
namespace {

bool is_secure(const std::string& name, const Json& entry) {
  if (name == "websecure" || name == "https" || name == "web-secure") return true;
  if (name == "web" || name == "http") return false;
  const std::string_view address = entry["address"].text();
  return entry["http"].contains("tls") || address.ends_with(":443") || address.ends_with(":8443");
}

Result<Upstream> upstream_of(const Json& server) {
  const std::string text = scalar(server["url"]);
  const std::string scheme = lower(cut(text, ':').before);
  const bool plain = scheme == "h2c" || scheme == "uwsgi" || scheme == "fcgi";
  const auto url = TRY(http::parse_url(plain ? "http" + text.substr(scheme.size()) : text));
  const std::string host = url.host == "localhost" ? "127.0.0.1" : url.host;
  const auto ip = parse_ip(host);
  if (!ip) {
    return fail(Code::invalid,
                "url: \"" + url.host + "\" is a name; servers in files must be IP addresses or localhost");
  }
  if (url.path != "/" || !url.query.empty()) return fail(Code::invalid, "url: a path is not supported; use addPrefix");
  const std::int64_t weight = server["weight"].integer(1);
  if (weight < 0 || weight > 1000) return fail(Code::invalid, "weight: is not a number up to 1000");
  return Upstream{.host = ip->text(),
                  .port = url.port,
                  .tls = url.scheme == "https",
                  .target = url.authority(),
                  .h2 = scheme == "h2c",
                  .weight = static_cast<std::uint32_t>(weight),
                  .speaks = scheme == "uwsgi"  ? Speaks::uwsgi
                            : scheme == "fcgi" ? Speaks::fcgi
                                               : Speaks::http};
}

class Reader {
 public:
  Reader(const std::vector<Json>& trees, const std::vector<std::string>& tls_options)
      : known_tls_options_(tls_options), tls_options_(tls_options) {
    for (const Json& tree : trees) trees_.push_back(lower_keys(tree));
  }

  FileConfig read() {
    for (std::size_t file = 0; file < trees_.size(); ++file) read_file(file);
    for (std::size_t file = 0; file < trees_.size(); ++file) read_metrics(file, trees_[file]["metrics"]);
    for (const auto& [name, item] : collect_items(trees_, "http", "serverstransports", out_.notes))
      read_transport_of(name, item);
    services_ = collect_items(trees_, "http", "services", out_.notes);
    middlewares_ = collect_items(trees_, "http", "middlewares", out_.notes);
    routers_ = collect_items(trees_, "http", "routers", out_.notes);
    for (const auto& [name, item] : services_) read_service(name, item);
    check_groups();
    for (const auto& [name, item] : middlewares_) add_middleware(name, item.tree);
    for (const auto& [name, item] : routers_) read_router(name, item);
    std::ranges::sort(out_.services, {}, &Service::name);
    read_tcp_files(trees_, known_tls_options_, out_);
    share_entry_points();
    return std::move(out_);
  }

 private:
  void note(std::size_t file, FilePath path, std::string message, bool error = true) {
    out_.notes.push_back({error, file, std::move(path), std::move(message)});
  }

  void read_file(std::size_t file) {
    const Json& tree = trees_[file];
    static constexpr std::string_view kKnown[] = {
        "http", "tls",     "entrypoints", "providers", "log", "accesslog", "api", "global", "certificatesresolvers",
        "ping", "metrics", "tcp",         "udp"};
    for (const auto& [key, value] : tree.members()) {
      if (!std::ranges::count(kKnown, key)) {
        note(file, {key}, "is not known here and has no effect" + suggestion(key, kKnown), false);
      }
    }
    read_entries(file, tree["entrypoints"]);
    for (const Json& pair : tree["tls"]["certificates"].items()) {
      out_.certificates.push_back({scalar(pair["certfile"]), scalar(pair["keyfile"])});
    }
  }

  void read_entries(std::size_t file, const Json& entries) {
    for (const auto& [name, entry] : entries.members()) {
      const bool secure = is_secure(name, entry);
      entries_[name] = secure ? Listener::websecure : Listener::web;
      add_entry_point(file, name, entry, secure);
      if (!secure && entry["http"]["redirections"].contains("entrypoint")) redirects_ = true;
      read_trust(file, name, entry["forwardedheaders"]);
    }
  }

  void add_entry_point(std::size_t file, const std::string& name, const Json& entry, bool secure) {
    auto point = read_entry_point(name, entry, {"0.0.0.0"});
    if (!point) return note(file, {"entrypoints", name}, std::move(point.error().message));
    point->role = secure ? Listener::websecure : Listener::web;
    if (point->name == "web" || point->name == "websecure") {
      auto& addresses = secure ? out_.websecure : out_.web;
      std::ranges::move(std::exchange(point->addresses, {}), std::back_inserter(addresses));
    }
    if (point->udp) entries_.erase(name);
    out_.tcp.entry_points.push_back(std::move(*point));
  }

  /// What only TCP routers name is theirs alone.
  void share_entry_points() {
    std::set<std::string> tcp;
    for (const Json& tree : trees_) {
      for (const auto& [name, router] : tree["tcp"]["routers"].members())
        for (const std::string& each : list_of(router["entrypoints"])) tcp.insert(entry_point_name(each));
    }
    for (EntryPoint& point : out_.tcp.entry_points) {
      const bool usual = point.name == "web" || point.name == "websecure";
      point.http = usual || (!point.udp && (!tcp.contains(point.name) || named_.contains(point.name)));
    }
  }

  /// The entry point of the metrics is theirs alone. One whose address has no host is on loopback.
  void read_metrics(std::size_t file, const Json& metrics) {
    for (const auto& [kind, tree] : metrics.members()) {
      if (kind != "prometheus") {
        note(file, {"metrics", kind}, "has no effect; there is prometheus", false);
        continue;
      }
      for (const auto& [key, value] : tree.members())
        if (key != "entrypoint") note(file, {"metrics", kind, key}, "has no effect", false);
      if (auto addresses = metrics_addresses(scalar(tree["entrypoint"])))
        out_.metrics = std::move(*addresses);
      else
        note(file, {"metrics", kind, "entrypoint"}, std::move(addresses.error().message));
    }
  }

  Result<std::vector<std::string>> metrics_addresses(const std::string& written) {
    const std::string name = entry_point_name(written.empty() ? "traefik" : written);
    if (name == "web" || name == "websecure")
      return fail(Code::invalid, "\"" + written + "\" serves routers; give the metrics an entry point of their own");
    const auto same = [&](const auto& each) { return entry_point_name(each.first) == name; };
    for (const Json& tree : trees_) {
      const auto& all = tree["entrypoints"].members();
      const auto found = std::ranges::find_if(all, same);
      if (found == all.end()) continue;
      entries_.erase(found->first);
      std::erase_if(out_.tcp.entry_points, [&](const EntryPoint& point) { return point.name == name; });
      EntryPoint point = TRY(read_entry_point(name, found->second, {"127.0.0.1"}));
      if (point.udp || point.addresses.empty()) return fail(Code::invalid, "\"" + written + "\" has no address of tcp");
      return std::move(point.addresses);
    }
    if (written.empty()) return std::vector<std::string>{"127.0.0.1:8080"};
    return fail(Code::invalid, "\"" + written + "\" is no entry point");
  }

  void read_trust(std::size_t file, const std::string& name, const Json& headers) {
    const FilePath path{"entrypoints", name, "forwardedheaders"};
    for (const std::string& proxy : list_of(headers["trustedips"])) {
      if (parse_cidr(proxy)) {
        out_.settings.trusted_proxies.push_back(proxy);
      } else {
        note(file, path, "trustedIPs: \"" + proxy + "\" is not a prefix");
      }
    }
    if (headers["insecure"].boolean()) {
      note(file, path, "insecure is not supported: anybody could name any address; list trustedIPs");
    }
  }

  void add_middleware(const std::string& name, Json tree) {
    if (tree.contains("chain")) {
      Json names = Json::array();
      for (const std::string& each : list_of(tree["chain"]["middlewares"])) names.push(file_name(each));
      tree.slot("chain").set("middlewares", std::move(names));
    }
    middleware_trees_[name] = std::move(tree);
  }

  void read_transport_of(const std::string& name, const FileItem& item) {
    Transport transport{.name = name};
    if (auto done = read_transport(item.tree, transport); !done)
      note(item.file, {"http", "serverstransports", name}, std::move(done.error().message));
    else
      out_.transports.push_back(std::move(transport));
  }

  // Services.

  void read_service(const std::string& name, const FileItem& item) {
    Service service{.name = name, .upstreams = {}, .pass_host = true, .down = {}};
    if (item.tree.size() != 1) {
      note(item.file, {"http", "services", name},
           "must have exactly one of loadBalancer, weighted, mirroring, failover");
      service.down = "service \"" + name + "\" is defined wrongly";
    }
    for (const auto& [kind, tree] : item.tree.members()) {
      auto done = kind == "loadbalancer" ? read_servers(name, item, tree, service) : read_group(kind, tree, service);
      if (done) continue;
      service = {.name = name, .upstreams = {}, .pass_host = true, .down = done.error().message};
      note(item.file, {"http", "services", name, kind}, std::move(done.error().message));
    }
    out_.services.push_back(std::move(service));
  }

  Result<void> read_servers(const std::string& name, const FileItem& item, const Json& tree, Service& service) {
    Json options = tree;
    options.erase("servers");
    TRY(read_balancing(options, service));
    std::size_t at = 0;
    for (const Json& server : tree["servers"].items()) {
      auto upstream = upstream_of(server);
      if (upstream) {
        service.upstreams.push_back(std::move(*upstream));
      } else {
        service.down = upstream.error().message;
        note(item.file, {"http", "services", name, "loadbalancer", "servers", std::to_string(at), "url"},
             upstream.error().message);
      }
      ++at;
    }
    if (!service.upstreams.empty()) service.down.clear();
    if (service.upstreams.empty() && service.down.empty()) service.down = "service \"" + name + "\" has no servers";
    return use_transport(service, service.transport, names_of(out_.transports));
  }

  void check_groups() {
    for (Service& service : out_.services) {
      for (std::string* part : parts_of(service)) {
        *part = file_name(*part);
        const auto found = std::ranges::find(out_.services, *part, &Service::name);
        if (found != out_.services.end() && found->group.index() == 0) continue;
        service.down = "\"" + *part + (found == out_.services.end() ? "\" is not defined" : "\" is a group itself");
        note(services_.find(service.name)->second.file, {"http", "services", service.name}, service.down);
        service.group = {};
        break;
      }
    }
  }

  bool has_service(std::string_view name) const {
    return std::ranges::find(out_.services, name, &Service::name) != out_.services.end();
  }

  // Routers.

  void read_router(const std::string& name, const FileItem& item) {
    FilePath path{"http", "routers", name};
    auto route = route_of(name, item, path);
    if (route)
      out_.routes.push_back(std::move(*route));
    else
      note(item.file, std::move(path), std::move(route.error().message));
  }

  /// On an error `path` leads to the place.
  Result<Route> route_of(const std::string& name, const FileItem& item, FilePath& path) {
    const Json& tree = item.tree;
    static constexpr std::string_view kKnown[] = {"rule", "entrypoints", "service",    "priority",
                                                  "tls",  "middlewares", "rulesyntax", "observability"};
    for (const auto& [key, value] : tree.members()) {
      if (std::ranges::count(kKnown, key)) continue;
      path.push_back(key);
      return fail(Code::invalid, "is not known" + suggestion(key, kKnown));
    }
    Route route{.name = name + "@file",
                .rule = scalar(tree["rule"]),
                .priority = static_cast<int>(tree["priority"].integer()),
                .listeners = {},
                .service = file_name(scalar(tree["service"]))};
    const Json& observed = tree["observability"];
    route.logged = scalar(observed["accessLogs"]) != "false";
    route.counted = scalar(observed["metrics"]) != "false";
    route.traced = scalar(observed["tracing"]) != "false";
    path.push_back("rule");
    const Rule rule = TRY(parse_rule(route.rule));
    path.back() = "tls";
    route.tls_options = TRY(tls_options_of(tree["tls"], tls_options_, rule));
    path.back() = "entrypoints";
    TRY(read_listeners(tree, route));
    path.back() = "service";
    if (!has_service(route.service)) {
      return fail(Code::invalid, "\"" + route.service + "\" is not defined in any file");
    }
    path.back() = "middlewares";
    route.middlewares = TRY(chain_of(local_names(tree["middlewares"]), middleware_trees_));
    for (Middleware& each : route.middlewares) TRY(link(each));
    path.pop_back();
    return route;
  }

  static std::vector<std::string> local_names(const Json& references) {
    std::vector<std::string> names;
    for (const std::string& each : list_of(references)) names.push_back(file_name(each));
    return names;
  }

  Result<void> read_listeners(const Json& tree, Route& route) {
    const bool tls = tree.contains("tls") && !(tree["tls"].is_bool() && !tree["tls"].boolean());
    bool web = false, websecure = false;
    const auto names = list_of(tree["entrypoints"]);
    for (const std::string& written : names) {
      const std::string name = lower(written);
      named_.insert(name);
      const auto known = entries_.find(name);
      const bool usual = name == "web" || name == "http" || name == "websecure" || name == "https";
      if (known == entries_.end() && !usual) return fail(Code::invalid, "\"" + written + "\" is no entry point");
      const bool secure =
          known != entries_.end() ? known->second == Listener::websecure : name.ends_with("s") || name == "websecure";
      (secure ? websecure : web) = true;
    }
    if (names.empty()) web = websecure = true;
    if (web && (tls || redirects_)) {
      web = false;
      websecure = true;
    }
    if (web) route.listeners.push_back(Listener::web);
    if (websecure) route.listeners.push_back(Listener::websecure);
    return {};
  }

  /// Middlewares that ask a service.
  Result<void> link(Middleware& middleware) {
    if (auto* pages = std::get_if<ErrorPages>(&middleware.action)) {
      pages->service = file_name(pages->service);
      if (!has_service(pages->service)) {
        return fail(Code::invalid, "errors.service: \"" + pages->service + "\" is not defined in any file");
      }
    }
    auto* asks = std::get_if<ForwardAuth>(&middleware.action);
    if (!asks) return {};
    const auto end = asks->address.find_first_of("/?", asks->address.find("://") + 3);
    const std::string base = asks->address.substr(0, end);
    Service service{.name = "auth " + base, .upstreams = {}, .pass_host = false, .down = {}};
    service.upstreams.push_back(TRY(upstream_of(Json::object({{"url", base}}))));
    asks->service = service.name;
    if (!has_service(service.name)) out_.services.push_back(std::move(service));
    return {};
  }

  std::vector<Json> trees_;
  const std::vector<std::string>& known_tls_options_;
  TlsOptionNames tls_options_;
  FileItems routers_, services_, middlewares_;
  Trees middleware_trees_;
  std::map<std::string, Listener> entries_;
  std::set<std::string> named_;  ///< entry points that HTTP routers name
  bool redirects_ = false;
  FileConfig out_;
};

}  // namespace

FileConfig read_files(const std::vector<Json>& trees, const std::vector<std::string>& tls_options) {
  return Reader(trees, tls_options).read();
}

}  // namespace berth::edge
