// The edge's whole table as one immutable value: another one for each change, swapped at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "edge/middleware.h"
#include "edge/route_index.h"
#include "edge/rule.h"
#include "edge/service.h"
#include "edge/snapshot_splice.h"

namespace berth::edge {

/// The roles of listeners; entrypoint names of labels and files map to one of them.
enum class Listener : std::uint8_t { web, websecure };
std::string_view to_text(Listener listener);

/// One router as data.
struct Route {
  std::string name;                 ///< "myapp@docker"
  std::string rule;                 ///< Traefik's grammar (edge/rule.h)
  int priority = 0;                 ///< 0: the length of the rule
  std::vector<Listener> listeners;  ///< never empty
  std::string service;              ///< name of a Service
  std::vector<Middleware> middlewares{};
  std::vector<std::string> warnings{};
  std::string resolver{};                           ///< certificate resolver; "": the local CA signs
  std::string tls_options{};                        ///< name of TlsOptions; "": the default ones
  std::vector<std::vector<std::string>> domains{};  ///< certificates that it wants instead of one for each host
  /// Whether its requests are in the access log and in the metrics, and carry trace fields where tracing is on.
  bool logged = true, counted = true, traced = true;
  friend bool operator==(const Route&, const Route&) = default;
};

class Handler;

/// The table. Immutable, any thread; held by shared_ptr, so a request keeps the table it was matched in. Tables share
/// the entries and services that are the same in both.
class Routes {
 public:
  /// A service with the upstream_key() of each upstream.
  struct Listed : Service {
    explicit Listed(Service service);
    std::vector<std::string> keys;
  };
  /// A route in its ready form. What a plain request reads of it lies at its front: of thousands of routes that are
  /// asked in turn, none is in a cache of the core.
  struct Entry {
    std::shared_ptr<const Service> service{};  ///< never null
    std::uint8_t listeners = 0;                ///< a bit for each
    bool host_decides =
        false;           ///< the rule is nothing but hosts without wildcards: who finds it by host has matched it
    bool plain = false;  ///< it has no middlewares
    bool logged = true, counted = true, traced = true;  ///< as in `route`
    std::shared_ptr<const Handler> handler{};           ///< what answers; null where nobody makes handlers
    int priority = 0;
    Route route{};
    Rule rule{};
    std::vector<std::string> hosts{};  ///< hosts_of(rule)
    bool on(Listener listener) const { return (listeners >> static_cast<unsigned>(listener) & 1) != 0; }
    /// `route`, for who asks for its middlewares alone; another one without any where it has none.
    const Route& with_middlewares() const { return plain ? no_middlewares() : route; }
  };
  using Entries = std::vector<std::shared_ptr<const Entry>>;
  using Services = std::vector<std::shared_ptr<const Listed>>;
  /// Makes what answers a route's requests; the table has all services by then.
  using MakeHandler = std::shared_ptr<const Handler> (*)(const Route& route, const Routes& routes);

  /// Code::invalid naming the route when a rule does not parse or a service is missing: the caller keeps its old table.
  static Result<std::shared_ptr<const Routes>> build(std::vector<Route> routes, std::vector<Service> services);
  /// The same from a table that changes in some places only: its cost is theirs, and pointers. The lists are those of
  /// build(), in their order.
  static Result<std::shared_ptr<const Routes>> changed(const Routes& before, Splices<Route> routes,
                                                       Splices<Service> services, MakeHandler make_handler);

  /// The route with the highest priority that matches (ties by name), or null. Allocates nothing. `rank`, where it is
  /// not null, is then its number in the table, below entries().size().
  const Entry* find(Listener listener, const RequestFacts& facts, std::uint32_t* rank = nullptr) const;
  /// Whether some route of `listener` may serve `host`: decides if a certificate is wanted for an SNI name.
  bool knows_host(Listener listener, std::string_view host) const;
  /// What becomes of a route when it is looked at.
  struct Judged {
    const Entry* entry = nullptr;  ///< owned by the table
    bool decides = false;
    std::string why{};  ///< "does not match Path(`/api`)", "not on web", "matches, to service web"
  };
  /// The candidates in order of look-up.
  std::vector<Judged> judge(Listener listener, const RequestFacts& facts) const;
  /// The same for people, a line each.
  std::string explain(Listener listener, const RequestFacts& facts) const;
  /// The exact and wildcard hosts of the routes of `listener`, sorted: what certificates are needed for.
  std::vector<std::string> hosts(Listener listener) const;

  const Entries& entries() const { return entries_; }
  const Services& services() const { return services_; }
  /// Null when there is none.
  std::shared_ptr<const Service> service(std::string_view name) const;
  bool has_route(std::string_view name) const { return by_name_.first(name) != NameIndex::kNone; }
  /// Whether a service has an upstream with this upstream_key().
  bool names_upstream(std::string_view key) const { return by_upstream_.first(key) != NameIndex::kNone; }

 private:
  class Candidates;
  class Change;
  static const Route& no_middlewares();
  void index_services();
  void index_entries();

  Services services_;
  Entries entries_;
  std::vector<const Entry*> ranked_;  ///< by priority, highest first, then by name; the indexes hold positions in it
  NameIndex exact_;                   ///< host -> entries
  NameIndex wildcard_;                ///< "example.com" of "*.example.com" -> entries
  std::vector<std::uint32_t> generic_;
  NameIndex by_name_;      ///< of routes
  NameIndex by_service_;   ///< name -> position in services_
  NameIndex by_upstream_;  ///< upstream_key() -> position in services_
};

}  // namespace berth::edge
