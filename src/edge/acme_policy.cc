#include "edge/acme_policy.h"

#include <algorithm>

#include "base/hash.h"
#include "edge/certificate.h"

namespace berth::edge {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using Time = std::chrono::sys_seconds;

bool may_be_signed(const std::string& host, const Resolver& resolver) {
  if (parse_ip(host) || host == "localhost" || host.ends_with(".localhost")) return false;
  return resolver.directory != kDefaultCa || !parent_domain(host).empty();
}

const Resolver* find(const std::vector<Resolver>& resolvers, std::string_view name) {
  const auto found = std::ranges::find(resolvers, name, &Resolver::name);
  return found == resolvers.end() ? nullptr : &*found;
}

/// What one route asks for.
std::vector<WantedCertificate> wanted_by(const Route& route, const Resolver& resolver) {
  std::vector<WantedCertificate> out;
  for (const std::vector<std::string>& hosts : route.domains) out.push_back({hosts, resolver.name});
  if (!out.empty()) return out;
  const auto rule = parse_rule(route.rule);
  if (!rule) return out;
  for (const std::string& host : hosts_of(*rule)) out.push_back({{host}, resolver.name});
  return out;
}

bool covers_all(const WantedCertificate& wanted, const WantedCertificate& other) {
  return std::ranges::all_of(other.hosts, [&](const std::string& host) {
    return std::ranges::any_of(wanted.hosts, [&](const std::string& pattern) { return covers(pattern, host); });
  });
}

}  // namespace

std::string id_of(const WantedCertificate& wanted) {
  std::string all = wanted.resolver;
  for (const std::string& host : wanted.hosts) all += "\n" + host;
  std::string name = wanted.hosts.empty() ? "none" : wanted.hosts.front();
  if (name.starts_with("*.")) name = "wildcard." + name.substr(2);
  return name + "-" + sha256_hex(all).substr(0, 8);
}

bool covers(std::string_view pattern, std::string_view host) {
  if (pattern == host) return true;
  const auto dot = host.find('.');
  return pattern.starts_with("*.") && dot != std::string_view::npos && dot > 0 && !host.starts_with("*.") &&
         pattern.substr(1) == host.substr(dot);
}

std::vector<WantedCertificate> wanted_certificates(const std::vector<Route>& routes,
                                                   const std::vector<Resolver>& resolvers) {
  std::vector<WantedCertificate> all;
  for (const Route& route : routes) {
    const Resolver* resolver = find(resolvers, route.resolver);
    if (!resolver || std::ranges::count(route.listeners, Listener::websecure) == 0) continue;
    for (WantedCertificate& wanted : wanted_by(route, *resolver)) {
      std::erase_if(wanted.hosts, [&](const std::string& host) { return !may_be_signed(host, *resolver); });
      if (!wanted.hosts.empty() && std::ranges::find(all, wanted) == all.end()) all.push_back(std::move(wanted));
    }
  }
  // The larger ones decide: of two that cover each other the first stays.
  std::vector<WantedCertificate> out;
  for (std::size_t i = 0; i < all.size(); ++i) {
    bool covered = false;
    for (std::size_t k = 0; k < all.size(); ++k)
      covered = covered || (k != i && covers_all(all[k], all[i]) && (k < i || !covers_all(all[i], all[k])));
    if (!covered) out.push_back(all[i]);
  }
  return out;
}

std::string resolver_for(const Routes& routes, std::string_view host) {
  const RequestFacts facts{.host = host, .method = "GET", .path = "/", .query = {}, .client = {}, .headers = nullptr};
  const Routes::Entry* entry = routes.find(Listener::websecure, facts);
  return entry ? entry->route.resolver : "";
}

std::vector<const Resolver*> chain_of(const std::vector<Resolver>& resolvers, std::string_view name) {
  std::vector<const Resolver*> out;
  for (const Resolver* next = find(resolvers, name); next; next = find(resolvers, next->fallback)) {
    if (std::ranges::count(out, next) > 0) break;
    out.push_back(next);
  }
  return out;
}

seconds backoff(int failures) {
  static constexpr seconds kPauses[] = {minutes(1), minutes(5), minutes(30), hours(2), hours(6), hours(12)};
  const auto last = std::ssize(kPauses) - 1;
  return kPauses[std::clamp<std::ptrdiff_t>(failures - 1, 0, last)];
}

double spread(std::string_view text) {
  const std::string digest = sha256(text);
  double value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = (value + static_cast<unsigned char>(digest[i])) / 256;
  return value;
}

Time renewal_time(Time not_before, Time not_after, const std::optional<RenewalWindow>& window, double jitter) {
  if (window) {
    const auto length = static_cast<double>((window->end - window->start).count());
    return window->start + seconds(static_cast<std::int64_t>(length * jitter));
  }
  const auto life = static_cast<double>((not_after - not_before).count());
  return not_before + seconds(static_cast<std::int64_t>(life * (2.0 / 3 - jitter / 50)));
}

}  // namespace berth::edge
