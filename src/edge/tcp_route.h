// TCP and UDP routers as data, and the table that they become: immutable, part of a snapshot.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "edge/route.h"

namespace berth::edge {

/// A place where the edge listens. `web` and `websecure` are always there; others have a name of their own.
struct EntryPoint {
  std::string name;                      ///< lower case
  std::vector<std::string> addresses{};  ///< "127.0.0.1:5432"; opened when the edge starts
  bool udp = false;
  Listener role = Listener::web;                 ///< as which of the two HTTP is served there
  bool http = true;                              ///< false: HTTP is not served there
  std::vector<std::string> proxy_trusted{};      ///< prefixes whose connections begin with a PROXY protocol header
  bool proxy_insecure = false;                   ///< all connections do
  std::chrono::milliseconds udp_timeout{3'000};  ///< a client that sends nothing for so long is forgotten
  friend bool operator==(const EntryPoint&, const EntryPoint&) = default;
};

struct TcpIpAllowList {
  std::vector<Cidr> ranges{};
  friend bool operator==(const TcpIpAllowList&, const TcpIpAllowList&) = default;
};
struct InFlightConn {
  std::uint32_t amount = 0;
  friend bool operator==(const InFlightConn&, const InFlightConn&) = default;
};
struct TcpMiddleware {
  using Action = std::variant<TcpIpAllowList, InFlightConn>;
  std::string name;
  Action action;
  friend bool operator==(const TcpMiddleware&, const TcpMiddleware&) = default;
};

struct TcpRoute {
  enum class Tls : std::uint8_t {
    none,         ///< connections without TLS
    terminate,    ///< the edge has the certificate
    passthrough,  ///< the service has it: bytes pass as they are
  };
  std::string name;                         ///< "db@docker"
  std::string rule;                         ///< HostSNI and so on (RuleKind::tcp)
  int priority = 0;                         ///< 0: the length of the rule, and last for HostSNI(`*`)
  std::vector<std::string> entry_points{};  ///< never empty
  std::string service{};                    ///< name of a TcpService
  Tls tls = Tls::none;
  std::vector<TcpMiddleware> middlewares{};
  std::vector<std::string> warnings{};
  std::string resolver{};     ///< as in Route
  std::string tls_options{};  ///< as in Route
  std::vector<std::vector<std::string>> domains{};
  friend bool operator==(const TcpRoute&, const TcpRoute&) = default;
};

/// The PROXY protocol header that a service gets before a connection's bytes.
struct ProxyOut {
  std::uint32_t version = 2;
  friend bool operator==(const ProxyOut&, const ProxyOut&) = default;
};
struct TcpService {
  Service servers{};  ///< name, addresses, `down`; the rest is for HTTP
  std::int64_t termination_delay =
      100;  ///< ms of silence that end a connection of which one side said its end; < 0: none
  std::optional<ProxyOut> proxy{};
  std::string transport{};  ///< what labels and files say; its servers know better
  friend bool operator==(const TcpService&, const TcpService&) = default;
};

struct UdpRoute {
  std::string name;
  std::vector<std::string> entry_points{};  ///< never empty
  std::string service{};                    ///< name among `udp_services`
  std::vector<std::string> warnings{};
  friend bool operator==(const UdpRoute&, const UdpRoute&) = default;
};

/// All that a snapshot says beside HTTP.
struct TcpConfig {
  std::vector<EntryPoint> entry_points{};  ///< those with more to say than their name
  std::vector<TcpRoute> routes{};
  std::vector<TcpService> services{};
  std::vector<UdpRoute> udp_routes{};
  std::vector<Service> udp_services{};
  std::vector<TcpTransport> transports{};
  friend bool operator==(const TcpConfig&, const TcpConfig&) = default;
};

/// Whether a client with TLS is needed for the rule to match, since it names hosts or protocols.
bool needs_tls(const Rule& rule);

/// What certificates are wanted for: routes on `websecure` with the hosts of those that terminate TLS.
std::vector<Route> certificate_routes(const std::vector<TcpRoute>& routes);

/// The hosts of their rules, sorted.
std::vector<std::string> terminated_hosts(const std::vector<TcpRoute>& routes);

/// The table. Immutable, any thread.
class TcpTable {
 public:
  struct Entry {
    TcpRoute route;
    Rule rule;
    int priority = 0;
    bool catch_all = false;               ///< HostSNI(`*`) and nothing else
    const TcpService* service = nullptr;  ///< owned by the table; never null
  };
  struct UdpEntry {
    UdpRoute route;
    const Service* service = nullptr;
  };
  /// The routers of one entry point, highest priority first, those for TLS apart.
  struct Place {
    EntryPoint point;
    std::vector<Cidr> trusted{};  ///< of point.proxy_trusted
    std::vector<const Entry*> plain{}, secure{};
    const UdpEntry* udp = nullptr;
    /// Whether a connection from `peer` begins with a PROXY protocol header.
    bool expects_proxy(const Ip& peer) const;
  };

  /// Code::invalid naming the route when a rule does not parse or a service is missing.
  static Result<std::shared_ptr<const TcpTable>> build(TcpConfig config);

  /// Null for an entry point of which nothing is said.
  const Place* place(std::string_view entry_point) const;
  /// The first of `list` that matches, or null.
  static const Entry* find(const std::vector<const Entry*>& list, const RequestFacts& facts);

  /// One line per router of the entry point for this kind of connection: whether it matches.
  std::string explain(std::string_view entry_point, bool tls, const RequestFacts& facts) const;

  const TcpConfig& config() const { return config_; }
  const std::vector<Entry>& entries() const { return entries_; }
  /// The servers of all TCP and UDP services.
  const std::vector<Service>& servers() const { return servers_; }
  /// Whether one of them has an upstream with this upstream_key().
  bool names_upstream(std::string_view key) const { return upstreams_.contains(key); }

 private:
  Place& make_place(const std::string& name);
  Result<void> add_routes();
  Result<void> add_udp_routes();

  TcpConfig config_;
  std::vector<Entry> entries_;
  std::vector<UdpEntry> udp_entries_;
  std::vector<Service> servers_;
  std::set<std::string, std::less<>> upstreams_;
  std::map<std::string, Place, std::less<>> places_;
};

}  // namespace berth::edge
