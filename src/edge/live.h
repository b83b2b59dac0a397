// A snapshot made ready for use: table built, keys parsed. One immutable value that requests and handshakes hold.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "edge/ready_transport.h"
#include "io/tls.h"

namespace berth::edge {

class Handler;

/// Immutable, any thread. A request keeps the Live it began with, so a swap touches nothing that runs.
class Live {
 public:
  /// Code::invalid when a route, service or prefix is wrong: the old one stays in use. A certificate that does not load
  /// is left out and named in warnings(), since one bad file must not hold back every change. Keys that `previous` has
  /// parsed already are taken from there.
  static Result<std::shared_ptr<const Live>> make(Snapshot snapshot, const Live* previous = nullptr);

  std::uint64_t version() const { return version_; }
  const Settings& settings() const { return settings_; }
  const std::vector<Cidr>& trusted() const { return trusted_; }
  const Routes& routes() const { return *routes_; }
  const TcpTable& tcp() const { return *tcp_; }
  /// What answers the requests of one of routes().entries().
  const Handler& handler(const Routes::Entry& entry) const {
    return *handlers_[static_cast<std::size_t>(&entry - routes_->entries().data())];
  }
  const std::vector<std::string>& warnings() const { return warnings_; }
  /// For an SNI name: its own certificate, else its parent's wildcard; without a name one for a loopback address.
  std::shared_ptr<const io::TlsIdentity> identity(std::string_view server_name) const;
  /// What TLS demands of clients that ask for this host; null: nothing beyond the defaults. The same value as before a
  /// change that left it alone.
  std::shared_ptr<const io::TlsPolicy> tls_policy(std::string_view host) const;
  /// The same for connections that a TCP router terminates; the name may have been written in any way.
  std::shared_ptr<const io::TlsPolicy> tcp_tls_policy(std::string_view server_name) const;
  /// The body for a CA that asks for this path of this host, or null.
  const std::string* http_challenge(std::string_view host, std::string_view path) const;
  /// The certificate for a CA that asks for a TLS-ALPN-01 challenge, or null.
  std::shared_ptr<const io::TlsIdentity> tls_challenge(std::string_view server_name) const;

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Identity = std::shared_ptr<const io::TlsIdentity>;
  using ByText = std::unordered_map<std::string, Identity, Hash, std::equal_to<>>;
  using Policy = std::shared_ptr<const io::TlsPolicy>;
  struct NamedPolicy {
    TlsOptions options;
    Policy policy;
  };
  Result<void> add_policies(std::vector<TlsOptions> all, const Live* previous);
  using PolicyByHost = std::unordered_map<std::string, Policy, Hash, std::equal_to<>>;
  Result<void> bind_policy(const Route& route, const Rule& rule, PolicyByHost& by_host);
  Policy policy_in(const PolicyByHost& by_host, std::string_view host) const;
  void add_certificate(const Certificate& certificate, const Live* previous);

  std::uint64_t version_ = 0;
  Settings settings_;
  std::vector<Cidr> trusted_;
  std::shared_ptr<const Routes> routes_;
  std::shared_ptr<const TcpTable> tcp_;
  std::vector<std::shared_ptr<const Handler>> handlers_;  ///< one per entry
  std::vector<std::string> warnings_;
  ByText by_host_;   ///< names and "*.parent"
  ByText by_chain_;  ///< PEM chain -> parsed, for the next Live
  Identity loopback_;
  std::unordered_map<std::string, NamedPolicy> policies_;  ///< by name
  ReadyTransports transports_;
  PolicyByHost policy_by_host_, tcp_policy_by_host_;  ///< names and "*.parent"; TCP: also "*"
  std::vector<HttpChallenge> http_challenges_;        ///< few, and empty but for the seconds of an order
  ByText tls_challenges_;
};

}  // namespace berth::edge
