// The edge's whole table as one immutable value: built anew on each change and swapped at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "edge/middleware.h"
#include "edge/rule.h"
#include "edge/service.h"

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

/// The table. Immutable, any thread; held by shared_ptr, so a request keeps the table it was matched in.
class Routes {
 public:
  /// A route in its ready form.
  struct Entry {
    Route route;
    Rule rule;
    int priority = 0;
    const Service* service = nullptr;  ///< owned by the table; never null
    bool on(Listener listener) const;
  };

  /// Code::invalid naming the route when a rule does not parse or a service is missing: the caller keeps its old table.
  static Result<std::shared_ptr<const Routes>> build(std::vector<Route> routes, std::vector<Service> services);

  /// The route with the highest priority that matches (ties by name), or null. Allocates nothing.
  const Entry* find(Listener listener, const RequestFacts& facts) const;
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

  const std::vector<Entry>& entries() const { return entries_; }
  const std::vector<Service>& services() const { return services_; }
  /// Null when there is none. Linear: for when a snapshot becomes live.
  const Service* service(std::string_view name) const;

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Index = std::unordered_map<std::string, std::vector<std::uint32_t>, Hash, std::equal_to<>>;

  void index_entries();

  std::vector<Service> services_;
  std::vector<Entry> entries_;  ///< by priority, highest first; the lists below hold ascending positions in it
  Index exact_;                 ///< host -> entries
  Index wildcard_;              ///< "example.com" of "*.example.com" -> entries
  std::vector<std::uint32_t> generic_;
};

}  // namespace berth::edge
