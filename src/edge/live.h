// A snapshot made ready for use: table built, keys parsed. One immutable value that requests and handshakes hold.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "edge/ready_transport.h"
#include "edge/snapshot_patch.h"
#include "io/tls.h"

namespace berth::edge {

/// Immutable, any thread. A request keeps the Live it began with, so a swap touches nothing that runs. What is the same
/// in two snapshots is the same in two Lives: entries with their handlers, keys that were parsed, TLS policies.
class Live {
 public:
  /// Code::invalid when a route, service or prefix is wrong: the old one stays in use. A certificate that does not load
  /// is left out and named in warnings(), since one bad file must not hold back every change. What `previous` has
  /// already is taken from there.
  static Result<std::shared_ptr<const Live>> make(Snapshot snapshot, const Live* previous = nullptr);
  /// What comes of a change. Code::conflict when it is for another version than this.
  Result<std::shared_ptr<const Live>> changed(SnapshotPatch patch) const;
  /// A copy of what it was made of.
  Snapshot snapshot() const;

  std::uint64_t version() const { return version_; }
  const Settings& settings() const { return settings_; }
  const std::vector<Cidr>& trusted() const { return trusted_; }
  const Routes& routes() const { return *routes_; }
  const TcpTable& tcp() const { return *tcp_; }
  /// Whether a service of any kind has an upstream with this upstream_key().
  bool names_upstream(std::string_view key) const;
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
  struct Loaded {
    Certificate certificate;
    std::vector<std::string> hosts;  ///< in lower case
    Identity identity;               ///< null: it does not load
    std::string warning;             ///< why
    bool loopback = false;           ///< it names a loopback address
  };
  using Certificates = std::vector<std::shared_ptr<const Loaded>>;
  using Policy = std::shared_ptr<const io::TlsPolicy>;
  struct NamedPolicy {
    TlsOptions options;
    Policy policy;
  };
  static Result<std::shared_ptr<const Loaded>> load(Certificate certificate);
  const NamedPolicy* named_policy(std::string_view name) const;
  /// `patch` then holds what is made anew, ready for use.
  Result<void> set_transports(const Live& before, SnapshotPatch& patch);
  Result<void> set_policies(const Live& before, Splices<TlsOptions> change);
  using PolicyByHost = std::unordered_map<std::string, Policy, Hash, std::equal_to<>>;
  Result<void> bind_policies();
  Result<void> bind_policy(const Route& route, const Rule& rule, PolicyByHost& by_host);
  Policy policy_in(const PolicyByHost& by_host, std::string_view host) const;
  void index_certificates();

  std::uint64_t version_ = 0;
  Settings settings_;
  std::vector<Cidr> trusted_;
  std::shared_ptr<const Routes> routes_ = std::make_shared<Routes>();
  std::shared_ptr<const TcpTable> tcp_ = std::make_shared<TcpTable>();
  std::vector<std::string> warnings_;
  Certificates certificates_, tls_challenges_;
  NameIndex by_host_;  ///< names and "*.parent" -> certificates_
  Identity loopback_;
  std::vector<NamedPolicy> policies_;
  ReadyTransports transports_;
  PolicyByHost policy_by_host_, tcp_policy_by_host_;  ///< names and "*.parent"; TCP: also "*"
  std::vector<HttpChallenge> http_challenges_;        ///< few, and empty but for the seconds of an order
};

}  // namespace berth::edge
