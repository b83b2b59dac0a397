#include "edge/tcp_file.h"

#include <algorithm>

#include "base/text.h"
#include "base/units.h"
#include "edge/file_value.h"
#include "edge/keys.h"
#include "edge/label_parse.h"

namespace berth::edge {
namespace {

Result<std::chrono::milliseconds> duration_of(const std::string& text) {
  const bool digits = !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  const auto parsed = parse_duration(digits ? text + "s" : text);
  const auto whole =
      parsed ? std::chrono::duration_cast<std::chrono::milliseconds>(*parsed) : std::chrono::milliseconds(0);
  if (whole.count() < 1) return fail(Code::invalid, "\"" + text + "\" is not a duration such as 3s");
  return whole;
}

Result<Upstream> server_of(const Json& server) {
  const std::string address = scalar(server["address"]);
  const Cut parts = cut_last(address, ':');
  std::string_view host = parts.before;
  if (host == "localhost") host = "127.0.0.1";
  const auto ip = parse_ip(host);
  const auto port = parse_port(parts.after);
  if (!ip || !port)
    return fail(Code::invalid,
                "address: \"" + address + "\" is not an IP address or localhost with a port, such as 127.0.0.1:5432");
  const std::int64_t weight = server["weight"].integer(1);
  if (weight < 0 || weight > 1000) return fail(Code::invalid, "weight: is not a number up to 1000");
  return Upstream{.host = ip->text(),
                  .port = *port,
                  .tls = server["tls"].boolean(),
                  .target = address,
                  .h2 = false,
                  .weight = static_cast<std::uint32_t>(weight)};
}

class Reader {
 public:
  Reader(const std::vector<Json>& trees, const std::vector<std::string>& tls_options, FileConfig& out)
      : trees_(trees), tls_options_(tls_options), out_(out) {}

  void read() {
    for (const auto& [name, item] : collect_items(trees_, "tcp", "serverstransports", out_.notes))
      read_transport_of(name, item);
    for (const auto& [name, item] : collect_items(trees_, "tcp", "services", out_.notes))
      read_service("tcp", name, item);
    for (const auto& [name, item] : collect_items(trees_, "udp", "services", out_.notes))
      read_service("udp", name, item);
    middlewares_ = collect_items(trees_, "tcp", "middlewares", out_.notes);
    for (const auto& [name, item] : collect_items(trees_, "tcp", "routers", out_.notes)) {
      FilePath path{"tcp", "routers", name};
      auto route = tcp_route(name, item.tree, path);
      if (route)
        out_.tcp.routes.push_back(std::move(*route));
      else
        note(item.file, std::move(path), std::move(route.error().message));
    }
    for (const auto& [name, item] : collect_items(trees_, "udp", "routers", out_.notes)) {
      FilePath path{"udp", "routers", name};
      auto route = udp_route(name, item.tree, path);
      if (route)
        out_.tcp.udp_routes.push_back(std::move(*route));
      else
        note(item.file, std::move(path), std::move(route.error().message));
    }
  }

 private:
  void note(std::size_t file, FilePath path, std::string message) {
    out_.notes.push_back({true, file, std::move(path), std::move(message)});
  }

  void read_transport_of(const std::string& name, const FileItem& item) {
    TcpTransport transport;
    transport.name = name;
    if (auto done = read_transport(item.tree, transport); !done)
      note(item.file, {"tcp", "serverstransports", name}, std::move(done.error().message));
    else
      out_.tcp.transports.push_back(std::move(transport));
  }

  void read_service(const std::string& side, const std::string& name, const FileItem& item) {
    TcpService service{.servers = {.name = name, .upstreams = {}, .pass_host = true, .down = {}}};
    Service& servers = service.servers;
    const Json& tree = item.tree["loadbalancer"];
    Json options = tree;
    options.erase("servers");
    auto done = item.tree.size() == 1 && tree.is_object()
                    ? read_tcp_balancing(options, service)
                    : fail(Code::invalid, "must have loadBalancer and nothing else");
    if (!done) note(item.file, {side, "services", name}, done.error().message);
    std::size_t at = 0;
    for (const Json& server : tree["servers"].items()) {
      auto upstream = done ? server_of(server) : fail(done.error());
      if (upstream) {
        servers.upstreams.push_back(std::move(*upstream));
      } else if (done) {
        servers.down = upstream.error().message;
        note(item.file, {side, "services", name, "loadbalancer", "servers", std::to_string(at), "address"},
             upstream.error().message);
      }
      ++at;
    }
    if (!servers.upstreams.empty()) servers.down.clear();
    if (servers.upstreams.empty() && servers.down.empty()) servers.down = "service \"" + name + "\" has no servers";
    if (auto used = use_transport(servers, service.transport, names_of(out_.tcp.transports)); !used)
      note(item.file, {side, "services", name, "loadbalancer", "serverstransport"}, std::move(used.error().message));
    if (side == "tcp")
      out_.tcp.services.push_back(std::move(service));
    else
      out_.tcp.udp_services.push_back(std::move(servers));
  }

  static Result<void> check_keys(const Json& tree, std::span<const std::string_view> known, FilePath& path) {
    for (const auto& [key, value] : tree.members()) {
      if (std::ranges::count(known, key)) continue;
      path.push_back(key);
      return fail(Code::invalid, "is not known" + suggestion(key, known));
    }
    return {};
  }

  /// On an error `path` leads to the place.
  Result<TcpRoute> tcp_route(const std::string& name, const Json& tree, FilePath& path) {
    static constexpr std::string_view kKnown[] = {"rule", "entrypoints", "service",   "priority",
                                                  "tls",  "middlewares", "rulesyntax"};
    TRY(check_keys(tree, kKnown, path));
    TcpRoute route{.name = name + "@file",
                   .rule = scalar(tree["rule"]),
                   .priority = static_cast<int>(tree["priority"].integer()),
                   .entry_points = {},
                   .service = file_name(scalar(tree["service"]))};
    path.push_back("rule");
    const Rule rule = TRY(parse_rule(route.rule, RuleKind::tcp));
    path.back() = "tls";
    TRY(read_tls(tree["tls"], rule, tree.contains("tls"), route));
    path.back() = "entrypoints";
    route.entry_points = TRY(entry_points(tree, route.tls != TcpRoute::Tls::none, false));
    path.back() = "service";
    const auto known = [&](const TcpService& each) { return each.servers.name == route.service; };
    if (std::ranges::none_of(out_.tcp.services, known))
      return fail(Code::invalid, "\"" + route.service + "\" is not defined in any file");
    path.back() = "middlewares";
    for (const std::string& each : list_of(tree["middlewares"])) route.middlewares.push_back(TRY(middleware(each)));
    path.pop_back();
    return route;
  }

  Result<void> read_tls(const Json& tls, const Rule& rule, bool has, TcpRoute& route) {
    route.tls_options = TRY(tls_options_of(tls, tls_options_, rule));
    if (has && !(tls.is_bool() && !tls.boolean()))
      route.tls = tls["passthrough"].boolean() ? TcpRoute::Tls::passthrough : TcpRoute::Tls::terminate;
    if (route.tls == TcpRoute::Tls::none && needs_tls(rule))
      return fail(Code::invalid, "is missing: without TLS no client names a host or protocol; write HostSNI(`*`)");
    return {};
  }

  Result<UdpRoute> udp_route(const std::string& name, const Json& tree, FilePath& path) {
    static constexpr std::string_view kKnown[] = {"entrypoints", "service"};
    TRY(check_keys(tree, kKnown, path));
    UdpRoute route{.name = name + "@file", .entry_points = {}, .service = file_name(scalar(tree["service"]))};
    path.push_back("entrypoints");
    route.entry_points = TRY(entry_points(tree, false, true));
    path.back() = "service";
    if (std::ranges::count(out_.tcp.udp_services, route.service, &Service::name) == 0)
      return fail(Code::invalid, "\"" + route.service + "\" is not defined in any file");
    path.pop_back();
    return route;
  }

  Result<std::vector<std::string>> entry_points(const Json& tree, bool tls, bool udp) const {
    return choose_entry_points(list_of(tree["entrypoints"]), {.points = out_.tcp.entry_points, .tls = tls, .udp = udp});
  }

  Result<TcpMiddleware> middleware(const std::string& reference) {
    const std::string name = file_name(reference);
    const auto found = middlewares_.find(name);
    if (found == middlewares_.end()) return fail(Code::invalid, "\"" + reference + "\" is not defined in any file");
    if (found->second.tree.size() != 1) return fail(Code::invalid, "\"" + name + "\" must have exactly one kind");
    const auto& [kind, tree] = found->second.tree.members()[0];
    return TcpMiddleware{name, TRY(read_tcp_action(kind, tree))};
  }

  const std::vector<Json>& trees_;
  TlsOptionNames tls_options_;
  FileConfig& out_;
  FileItems middlewares_;
};

}  // namespace

Result<EntryPoint> read_entry_point(std::string_view name, const Json& entry, const std::vector<std::string>& hosts) {
  EntryPoint point{.name = entry_point_name(name)};
  if (point.name == "websecure") point.role = Listener::websecure;
  const std::string written = scalar(entry["address"]);
  const Cut address = cut(written, '/');
  if (address.found && address.after != "udp" && address.after != "tcp")
    return fail(Code::invalid, "address: \"" + written + "\" is neither of tcp nor of udp");
  point.udp = address.after == "udp";
  if (address.before.starts_with(':')) {
    for (const std::string& host : hosts)
      point.addresses.push_back((host.contains(':') ? "[" + host + "]" : host) + std::string(address.before));
  } else if (!address.before.empty()) {
    point.addresses.emplace_back(address.before);
  }
  for (std::string& prefix : list_of(entry["proxyprotocol"]["trustedips"])) {
    if (!parse_cidr(prefix)) return fail(Code::invalid, "proxyProtocol.trustedIPs: \"" + prefix + "\" is not a prefix");
    point.proxy_trusted.push_back(std::move(prefix));
  }
  const std::string insecure = scalar(entry["proxyprotocol"]["insecure"]);
  point.proxy_insecure = insecure == "true";
  const std::string timeout = scalar(entry["udp"]["timeout"]);
  if (!timeout.empty()) {
    auto parsed = duration_of(timeout);
    if (!parsed) return fail(std::move(parsed.error()).within("udp.timeout"));
    point.udp_timeout = *parsed;
  }
  return point;
}

Result<std::string> tls_options_of(const Json& tls, TlsOptionNames& names, const Rule& rule) {
  const std::string reference = scalar(tls["options"]);
  if (reference.empty()) return std::string();
  auto own = names.take(reference, rule);
  if (!own) own.error().message = "options: \"" + reference + "\"" + own.error().message;
  return own;
}

void read_tcp_files(const std::vector<Json>& trees, const std::vector<std::string>& tls_options, FileConfig& out) {
  Reader(trees, tls_options, out).read();
}

}  // namespace berth::edge
