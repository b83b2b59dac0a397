#include "edge/live.h"

#include "base/text.h"
#include "edge/chain.h"
#include "edge/tls_options.h"

namespace berth::edge {

Result<std::shared_ptr<const Live>> Live::make(Snapshot snapshot, const Live* previous) {
  auto live = std::make_shared<Live>();
  live->version_ = snapshot.version;
  live->settings_ = snapshot.settings;
  for (const std::string& proxy : snapshot.settings.trusted_proxies) live->trusted_.push_back(TRY(parse_cidr(proxy)));
  TRY(live->transports_.prepare(snapshot, previous ? &previous->transports_ : nullptr));
  live->warnings_ = live->transports_.faults();
  live->routes_ = TRY(Routes::build(std::move(snapshot.routes), std::move(snapshot.services)));
  live->tcp_ = TRY(TcpTable::build(std::move(snapshot.tcp)));
  live->handlers_.reserve(live->routes_->entries().size());
  for (const Routes::Entry& entry : live->routes_->entries())
    live->handlers_.push_back(make_chain(entry.route, *live->routes_));
  for (const Certificate& certificate : snapshot.certificates) live->add_certificate(certificate, previous);
  TRY(live->add_policies(std::move(snapshot.tls_options), previous));
  live->http_challenges_ = std::move(snapshot.http_challenges);
  for (const Certificate& challenge : snapshot.tls_challenges) {
    auto parsed = io::TlsIdentity::from_pem(challenge.chain, challenge.key);
    if (parsed) live->tls_challenges_.try_emplace(challenge.hosts.front(), std::move(*parsed));
  }
  return live;
}

// A policy that cannot be made must not leave its hosts open: the whole snapshot is refused.
Result<void> Live::add_policies(std::vector<TlsOptions> all, const Live* previous) {
  for (TlsOptions& options : all) {
    Policy policy;
    if (previous) {
      const auto known = previous->policies_.find(options.name);
      if (known != previous->policies_.end() && known->second.options == options) policy = known->second.policy;
    }
    if (!policy) policy = TRY(make_policy(options));
    std::string name = options.name;
    policies_.insert_or_assign(std::move(name), NamedPolicy{std::move(options), std::move(policy)});
  }
  for (const Routes::Entry& entry : routes_->entries())
    if (!entry.route.tls_options.empty()) TRY(bind_policy(entry.route, entry.rule, policy_by_host_));
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
  const auto found = policies_.find(name);
  const auto hosts = hosts_of(rule);
  if (found == policies_.end() || hosts.empty())
    return fail(Code::invalid, "route \"" + route.name + "\": its TLS options \"" + name +
                                   "\" do not exist, or its rule names no certain host");
  for (const std::string& host : hosts) {
    const auto [at, first] = by_host.try_emplace(host, found->second.policy);
    if (!first && at->second != found->second.policy)
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
  const auto standard = policies_.find("default");
  return standard == policies_.end() ? nullptr : standard->second.policy;
}

void Live::add_certificate(const Certificate& certificate, const Live* previous) {
  Identity identity;
  if (previous) {
    const auto known = previous->by_chain_.find(certificate.chain);
    if (known != previous->by_chain_.end()) identity = known->second;
  }
  if (!identity) {
    auto parsed = io::TlsIdentity::from_pem(certificate.chain, certificate.key);
    if (!parsed) {
      const std::string host = certificate.hosts.empty() ? "?" : certificate.hosts.front();
      warnings_.push_back("certificate for " + host + " is not used: " + parsed.error().message);
      return;
    }
    identity = std::move(*parsed);
  }
  for (const std::string& host : certificate.hosts) {
    by_host_.try_emplace(lower(host), identity);
    if (const auto ip = parse_ip(host); ip && ip->is_loopback()) loopback_ = identity;
  }
  by_chain_.try_emplace(certificate.chain, std::move(identity));
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
  const auto found = tls_challenges_.find(lower(server_name));
  return found == tls_challenges_.end() ? nullptr : found->second;
}

std::shared_ptr<const io::TlsIdentity> Live::identity(std::string_view server_name) const {
  if (server_name.empty()) return loopback_;
  const std::string name = lower(server_name);
  if (const auto own = by_host_.find(name); own != by_host_.end()) return own->second;
  const auto dot = name.find('.');
  if (dot == std::string::npos) return nullptr;
  const auto wildcard = by_host_.find("*" + name.substr(dot));
  return wildcard == by_host_.end() ? nullptr : wildcard->second;
}

}  // namespace berth::edge
