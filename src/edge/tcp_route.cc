#include "edge/tcp_route.h"

#include <algorithm>
#include <set>

namespace berth::edge {
namespace {

bool is_catch_all(const Rule& rule) {
  return rule.matchers.size() == 1 && rule.matchers[0].kind == MatcherKind::host && rule.matchers[0].value == "*" &&
         !rule.matchers[0].negated;
}

template <class Items, class Member>
auto by_name(const Items& items, std::string_view name, Member member) {
  const auto at = std::ranges::find(items, name, member);
  return at == items.end() ? nullptr : &*at;
}

std::string_view service_name(const TcpService& service) {
  return service.servers.name;
}

}  // namespace

bool needs_tls(const Rule& rule) {
  return std::ranges::any_of(rule.matchers, [](const Matcher& matcher) {
    const bool any = matcher.kind == MatcherKind::host && matcher.value == "*" && !matcher.negated;
    return !any && matcher.kind != MatcherKind::client_ip;
  });
}

std::vector<Route> certificate_routes(const std::vector<TcpRoute>& routes) {
  std::vector<Route> out;
  for (const TcpRoute& route : routes) {
    const auto rule = parse_rule(route.rule, RuleKind::tcp);
    if (route.tls != TcpRoute::Tls::terminate || !rule) continue;
    Route wanted{.name = route.name, .rule = {}, .priority = 0, .listeners = {Listener::websecure}, .service = {}};
    for (const std::string& host : hosts_of(*rule)) {
      if (host != "*") wanted.rule += (wanted.rule.empty() ? "Host(`" : " || Host(`") + host + "`)";
    }
    wanted.resolver = route.resolver;
    wanted.domains = route.domains;
    if (!wanted.rule.empty() || !wanted.domains.empty()) out.push_back(std::move(wanted));
  }
  return out;
}

std::vector<std::string> terminated_hosts(const std::vector<TcpRoute>& routes) {
  std::set<std::string> hosts;
  for (const TcpRoute& route : routes) {
    const auto rule = parse_rule(route.rule, RuleKind::tcp);
    if (route.tls != TcpRoute::Tls::terminate || !rule) continue;
    for (std::string& host : hosts_of(*rule)) hosts.insert(std::move(host));
  }
  return {hosts.begin(), hosts.end()};
}

bool TcpTable::Place::expects_proxy(const Ip& peer) const {
  return point.proxy_insecure || std::ranges::any_of(trusted, [&](const Cidr& each) { return each.contains(peer); });
}

TcpTable::Place& TcpTable::make_place(const std::string& name) {
  const auto [at, added] = places_.try_emplace(name);
  if (added) at->second.point.name = name;
  if (added && name == to_text(Listener::websecure)) at->second.point.role = Listener::websecure;
  return at->second;
}

Result<std::shared_ptr<const TcpTable>> TcpTable::build(TcpConfig config) {
  auto table = std::make_shared<TcpTable>();
  table->config_ = std::move(config);
  for (const EntryPoint& point : table->config_.entry_points) {
    Place& place = table->make_place(point.name);
    place.point = point;
    for (const std::string& prefix : point.proxy_trusted) place.trusted.push_back(TRY(parse_cidr(prefix)));
  }
  for (const TcpService& service : table->config_.services) table->servers_.push_back(service.servers);
  for (const Service& service : table->config_.udp_services) table->servers_.push_back(service);
  for (const Service& service : table->servers_)
    for (const Upstream& each : service.upstreams) table->upstreams_.insert(upstream_key(each));
  TRY(table->add_routes());
  return std::shared_ptr<const TcpTable>(std::move(table));
}

Result<void> TcpTable::add_routes() {
  for (const TcpRoute& route : config_.routes) {
    const std::string subject = "TCP route \"" + route.name + "\"";
    auto rule = parse_rule(route.rule, RuleKind::tcp);
    if (!rule) return fail(std::move(rule.error()).within(subject));
    const TcpService* service = by_name(config_.services, route.service, service_name);
    if (!service) return fail(Code::invalid, subject + ": service \"" + route.service + "\" does not exist");
    const bool all = is_catch_all(*rule);
    const int priority = route.priority != 0 ? route.priority : all ? -1 : rule->default_priority();
    entries_.push_back({route, std::move(*rule), priority, all, service});
  }
  std::ranges::stable_sort(entries_, [](const Entry& a, const Entry& b) {
    return a.priority != b.priority ? a.priority > b.priority : a.route.name < b.route.name;
  });
  for (const Entry& entry : entries_) {
    for (const std::string& name : entry.route.entry_points) {
      Place& place = make_place(name);
      (entry.route.tls == TcpRoute::Tls::none ? place.plain : place.secure).push_back(&entry);
    }
  }
  return add_udp_routes();
}

Result<void> TcpTable::add_udp_routes() {
  for (const UdpRoute& route : config_.udp_routes) {
    const Service* service = by_name(config_.udp_services, route.service, &Service::name);
    if (!service) return fail(Code::invalid, "UDP route \"" + route.name + "\": its service does not exist");
    udp_entries_.push_back({route, service});
  }
  for (const UdpEntry& entry : udp_entries_) {
    for (const std::string& name : entry.route.entry_points) {
      Place& place = make_place(name);
      if (!place.udp) place.udp = &entry;
    }
  }
  return {};
}

const TcpTable::Place* TcpTable::place(std::string_view entry_point) const {
  const auto at = places_.find(entry_point);
  return at == places_.end() ? nullptr : &at->second;
}

std::string TcpTable::explain(std::string_view entry_point, bool tls, const RequestFacts& facts) const {
  const Place* here = place(entry_point);
  std::string out;
  bool decided = false;
  for (const Entry* entry : here ? (tls ? here->secure : here->plain) : std::vector<const Entry*>()) {
    const bool fits = matches(entry->rule, facts);
    out += std::to_string(entry->priority) + " " + entry->route.name + " " + entry->route.rule + ": " +
           (!fits     ? "does not match"
            : decided ? "matches, but an earlier one decided"
                      : "matches") +
           "\n";
    decided = decided || fits;
  }
  if (out.empty()) out = "no TCP router on " + std::string(entry_point) + (tls ? " for TLS\n" : " without TLS\n");
  return out;
}

const TcpTable::Entry* TcpTable::find(const std::vector<const Entry*>& list, const RequestFacts& facts) {
  const auto at = std::ranges::find_if(list, [&](const Entry* each) { return matches(each->rule, facts); });
  return at == list.end() ? nullptr : *at;
}

}  // namespace berth::edge
