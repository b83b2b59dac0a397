#include "edge/live.h"

#include <algorithm>

#include "base/text.h"
#include "edge/chain.h"
#include "edge/tls_options.h"

namespace berth::edge {

Result<std::shared_ptr<const Live>> Live::make(Snapshot snapshot, const Live* previous) {
  const Live nothing;
  const Live& before = previous ? *previous : nothing;
  return before.changed(patch_between(before.snapshot(), snapshot));
}

Result<std::shared_ptr<const Live>> Live::changed(SnapshotPatch patch) const {
  if (patch.base != version_)
    return fail(Code::conflict, "snapshot: a change of version " + std::to_string(patch.base) + " came, and " +
                                    std::to_string(version_) + " is in use");
  auto live = std::make_shared<Live>();
  live->version_ = patch.version;
  const bool same_transports = !patch.transports;
  TRY(live->set_transports(*this, patch));
  live->settings_ = patch.settings ? std::move(*patch.settings) : settings_;
  for (const std::string& proxy : live->settings_.trusted_proxies) live->trusted_.push_back(TRY(parse_cidr(proxy)));
  const bool same_routes = same_transports && patch.routes.empty() && patch.services.empty();
  const Routes none;
  live->routes_ = same_routes ? routes_
                              : TRY(Routes::changed(same_transports ? *routes_ : none, std::move(patch.routes),
                                                    std::move(patch.services), make_chain));
  live->tcp_ = patch.tcp ? TRY(TcpTable::build(std::move(*patch.tcp))) : tcp_;
  live->certificates_ = TRY(spliced(certificates_, std::move(patch.certificates), load));
  live->tls_challenges_ = TRY(spliced(tls_challenges_, std::move(patch.tls_challenges), load));
  live->index_certificates();
  TRY(live->set_policies(*this, std::move(patch.tls_options)));
  TRY(live->bind_policies());
  live->http_challenges_ = TRY(spliced(http_challenges_, std::move(patch.http_challenges),
                                       [](HttpChallenge each) { return Result<HttpChallenge>(std::move(each)); }));
  return std::shared_ptr<const Live>(std::move(live));
}

Result<void> Live::set_transports(const Live& before, SnapshotPatch& patch) {
  transports_ = before.transports_.changed(patch.transports, patch.tcp);
  warnings_ = transports_.faults();
  if (patch.transports) {
    // What the services hold is of the old ones: all are made anew, with what stayed the same.
    Snapshot whole = before.snapshot();
    SnapshotPatch lists{.base = patch.base, .version = patch.version};
    lists.routes = std::move(patch.routes);
    lists.services = std::move(patch.services);
    whole = TRY(patched(std::move(whole), std::move(lists)));
    patch.routes = {{.put = std::move(whole.routes)}};
    patch.services = {{.put = std::move(whole.services)}};
  }
  for (auto& each : patch.services)
    for (Service& service : each.put) TRY(transports_.hand_over(service));
  if (patch.tcp)
    for (TcpService& service : patch.tcp->services) TRY(transports_.hand_over(service));
  return {};
}

Snapshot Live::snapshot() const {
  Snapshot out{.version = version_, .settings = settings_};
  for (const auto& each : routes_->entries()) out.routes.push_back(each->route);
  for (const auto& each : routes_->services()) out.services.push_back(*each);
  for (const auto& each : certificates_) out.certificates.push_back(each->certificate);
  for (const auto& each : policies_) out.tls_options.push_back(each.options);
  for (const auto& each : tls_challenges_) out.tls_challenges.push_back(each->certificate);
  out.http_challenges = http_challenges_;
  out.tcp = tcp_->config();
  out.transports = transports_.options();
  return out;
}

bool Live::names_upstream(std::string_view key) const {
  return routes_->names_upstream(key) || tcp_->names_upstream(key);
}

const Live::NamedPolicy* Live::named_policy(std::string_view name) const {
  // The last of a name counts.
  const auto found = std::find_if(policies_.rbegin(), policies_.rend(),
                                  [&](const NamedPolicy& each) { return each.options.name == name; });
  return found == policies_.rend() ? nullptr : &*found;
}

// A policy that cannot be made must not leave its hosts open: the whole snapshot is refused.
Result<void> Live::set_policies(const Live& before, Splices<TlsOptions> change) {
  policies_ = TRY(spliced(before.policies_, std::move(change), [&](TlsOptions options) -> Result<NamedPolicy> {
    const NamedPolicy* known = before.named_policy(options.name);
    if (known && known->options == options) return *known;
    auto policy = TRY(make_policy(options));
    return NamedPolicy{std::move(options), std::move(policy)};
  }));
  return {};
}

Result<void> Live::bind_policies() {
  for (const auto& entry : routes_->entries())
    if (!entry->route.tls_options.empty()) TRY(bind_policy(entry->route, entry->rule, policy_by_host_));
  for (const TcpTable::Entry& entry : tcp_->entries()) {
    const Route bound{.name = entry.route.name,
                      .rule = {},
                      .priority = 0,
                      .listeners = {},
                      .service = {},
                      .tls_options = entry.route.tls_options};
    if (!bound.tls_options.empty()) TRY(bind_policy(bound, entry.rule, tcp_policy_by_host_));
  }
  return {};
}

Result<void> Live::bind_policy(const Route& route, const Rule& rule, PolicyByHost& by_host) {
  const std::string& name = route.tls_options;
  const NamedPolicy* found = named_policy(name);
  const auto hosts = hosts_of(rule);
  if (!found || hosts.empty())
    return fail(Code::invalid, "route \"" + route.name + "\": its TLS options \"" + name +
                                   "\" do not exist, or its rule names no certain host");
  for (const std::string& host : hosts) {
    const auto [at, first] = by_host.try_emplace(host, found->policy);
    if (!first && at->second != found->policy)
      return fail(Code::invalid, "host " + host + " has routes with different TLS options");
  }
  return {};
}

std::shared_ptr<const io::TlsPolicy> Live::tls_policy(std::string_view host) const {
  return policies_.empty() ? nullptr : policy_in(policy_by_host_, host);
}

std::shared_ptr<const io::TlsPolicy> Live::tcp_tls_policy(std::string_view server_name) const {
  if (policies_.empty()) return nullptr;
  if (server_name.ends_with('.')) server_name.remove_suffix(1);
  return policy_in(tcp_policy_by_host_, lower(server_name));
}

Live::Policy Live::policy_in(const PolicyByHost& by_host, std::string_view host) const {
  if (const auto own = by_host.find(host); own != by_host.end()) return own->second;
  if (const auto dot = host.find('.'); dot != std::string_view::npos) {
    const auto wildcard = by_host.find("*" + std::string(host.substr(dot)));
    if (wildcard != by_host.end()) return wildcard->second;
  }
  if (const auto all = by_host.find("*"); all != by_host.end()) return all->second;
  const NamedPolicy* standard = named_policy("default");
  return standard ? standard->policy : nullptr;
}

Result<std::shared_ptr<const Live::Loaded>> Live::load(Certificate certificate) {
  auto loaded = std::make_shared<Loaded>();
  auto parsed = io::TlsIdentity::from_pem(certificate.chain, certificate.key);
  if (parsed) {
    loaded->identity = std::move(*parsed);
  } else {
    const std::string host = certificate.hosts.empty() ? "?" : certificate.hosts.front();
    loaded->warning = "certificate for " + host + " is not used: " + parsed.error().message;
  }
  for (const std::string& host : certificate.hosts) {
    loaded->hosts.push_back(lower(host));
    const auto ip = parse_ip(host);
    loaded->loopback = loaded->loopback || (ip && ip->is_loopback());
  }
  loaded->certificate = std::move(certificate);
  return std::shared_ptr<const Loaded>(std::move(loaded));
}

void Live::index_certificates() {
  std::size_t hosts = 0;
  for (const auto& each : certificates_) hosts += each->hosts.size();
  by_host_ = NameIndex(hosts);
  // The first that names a host counts, and an index gives the last that was added.
  for (std::size_t i = certificates_.size(); i-- > 0;) {
    if (!certificates_[i]->identity) continue;
    for (const std::string& host : certificates_[i]->hosts) by_host_.add(host, static_cast<std::uint32_t>(i));
  }
  for (const auto& each : certificates_) {
    if (each->loopback && each->identity) loopback_ = each->identity;
    if (!each->identity) warnings_.push_back(each->warning);
  }
}

const std::string* Live::http_challenge(std::string_view host, std::string_view path) const {
  static constexpr std::string_view kFolder = "/.well-known/acme-challenge/";
  if (http_challenges_.empty() || !path.starts_with(kFolder)) return nullptr;
  const std::string_view token = path.substr(kFolder.size());
  for (const HttpChallenge& each : http_challenges_)
    if (each.host == host && each.token == token) return &each.answer;
  return nullptr;
}

std::shared_ptr<const io::TlsIdentity> Live::tls_challenge(std::string_view server_name) const {
  const std::string name = lower(server_name);
  for (const auto& each : tls_challenges_)
    if (each->identity && each->certificate.hosts.front() == name) return each->identity;
  return nullptr;
}

std::shared_ptr<const io::TlsIdentity> Live::identity(std::string_view server_name) const {
  if (server_name.empty()) return loopback_;
  const std::string name = lower(server_name);
  std::uint32_t found = by_host_.first(name);
  const auto dot = name.find('.');
  if (found == NameIndex::kNone && dot != std::string::npos) found = by_host_.first("*" + name.substr(dot));
  return found == NameIndex::kNone ? nullptr : certificates_[found]->identity;
}

}  // namespace berth::edge
