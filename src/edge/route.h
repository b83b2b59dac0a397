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
#include "edge/cache_policy.h"
#include "edge/rule.h"

namespace berth::edge {

/// The roles of listeners; entrypoint names of labels and files map to one of them.
enum class Listener : std::uint8_t { web, websecure };
std::string_view to_text(Listener listener);

/// One address that serves requests.
struct Upstream {
  std::string host;  ///< IP literal without brackets
  std::uint16_t port = 0;
  bool tls = false;    ///< scheme https; the certificate is not verified (a container's own, as Traefik's insecure)
  std::string target;  ///< container name, for messages and the access log
  bool h2 = false;     ///< scheme h2c: HTTP/2 without TLS
  friend bool operator==(const Upstream&, const Upstream&) = default;
};

/// Tells apart what connections are kept and counted for: address, port, scheme.
void append_upstream_key(std::string& out, const Upstream& upstream);
std::string upstream_key(const Upstream& upstream);

/// Where the requests of a route go.
struct Service {
  std::string name;
  std::vector<Upstream> upstreams;
  bool pass_host = true;  ///< Host as the client sent it; false: the upstream's address
  std::string down;       ///< why there is no upstream; shown by explain and logged, never sent to clients
  friend bool operator==(const Service&, const Service&) = default;
};

struct RedirectScheme {
  std::string scheme = "https";
  std::string port;
  bool permanent = false;
  friend bool operator==(const RedirectScheme&, const RedirectScheme&) = default;
};
struct StripPrefix {
  std::vector<std::string> prefixes;
  friend bool operator==(const StripPrefix&, const StripPrefix&) = default;
};
struct AddPrefix {
  std::string prefix;
  friend bool operator==(const AddPrefix&, const AddPrefix&) = default;
};
/// An empty value removes the field.
struct Headers {
  std::vector<std::pair<std::string, std::string>> request, response;
  friend bool operator==(const Headers&, const Headers&) = default;
};

/// Requests of one client (an IPv4 address, an IPv6 /64): `average` per `period` and `burst` at once; 429 beyond.
struct RateLimit {
  std::uint32_t average = 0;  ///< 0: no limit
  std::chrono::milliseconds period{1000};
  std::uint32_t burst = 1;
  friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

/// A middleware of a route, applied in order.
struct Middleware {
  std::string name;
  std::variant<RedirectScheme, StripPrefix, AddPrefix, Headers, RateLimit, CachePolicy> action;
  friend bool operator==(const Middleware&, const Middleware&) = default;
};

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
  /// One line per candidate in order of look-up: matched, not matched and why, or on another listener.
  std::string explain(Listener listener, const RequestFacts& facts) const;
  /// The exact and wildcard hosts of the routes of `listener`, sorted: what certificates are needed for.
  std::vector<std::string> hosts(Listener listener) const;

  const std::vector<Entry>& entries() const { return entries_; }
  const std::vector<Service>& services() const { return services_; }

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
