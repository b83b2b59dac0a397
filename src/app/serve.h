// `berth serve`: the supervisor, and the core role that it runs beside the edge.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "io/process.h"

namespace berth::app {

/// What a user decides about `berth serve`.
struct ServeOptions {
  std::string data = "/var/lib/berth";
  std::vector<std::string> listen{"127.0.0.1", "::1"};  ///< addresses of both listeners
  std::uint16_t web = 80;                               ///< 0: any free port
  std::uint16_t websecure = 443;
  std::string host{};                     ///< of the engine; "": DOCKER_HOST or the default socket
  std::string access_log{};               ///< file; "": none
  std::vector<std::string> metrics{};     ///< addresses of the edge's metrics
  bool tracing = false;                   ///< requests carry traceparent and X-Request-Id
  Json statics{};                         ///< Traefik's static keys (app/static_tree.h)
  std::string edge_user{};                ///< account of the edge; "": berth-edge, else nobody
  std::string core_user{};                ///< account of core; "": berth, where it exists
  std::string broker_user{};              ///< account of the broker; "": berth-broker, where it exists
  unsigned workers = io::usable_cores();  ///< threads of the edge, each with listeners of its own
  std::int64_t cache = 128 << 20;         ///< bytes of memory for stored replies; 0: nothing is cached
  std::int64_t connections = 0;           ///< edge::Settings::connections
  std::int64_t client_connections = 0;    ///< the same of one client
  std::string only{};                     ///< "edge" or "core": no other role; "": all, supervised
  std::string edge_in{};                  ///< CoreOptions::edge_in
  std::string broker{};                   ///< with only core: socket of the broker before the engine; "": none
  std::string broker_folder{};  ///< of policies and grants; "": /etc/berth/broker.d, or DATA/broker.d without root
  std::string control{};        ///< with `only`: path of the socket where both meet
  std::int64_t cache_disk = 0;  ///< bytes of files for those that are asked for again; 0: none
  std::string platform_host = "berth.localhost";  ///< of the API and the UI
  std::string store{};                            ///< as remember_store() reads it
  bool setup_remote = false;                      ///< reachable from elsewhere before an admin exists
};

using Environment = std::map<std::string, std::string>;

/// Reads the flags of `berth serve`. Code::invalid for a wrong one.
Result<ServeOptions> parse_serve(const std::vector<std::string>& arguments);
std::string serve_help();

/// Runs core and edge as processes of their own (re-executing this program) and restarts what dies, until SIGTERM or
/// SIGINT. Exit status: 0 stopped, 1 something could not be set up (message on stderr), 16 wrong flags, 75 another
/// serve holds the data folder.
int run_serve(const std::vector<std::string>& arguments, const Environment& environment);

/// What the supervisor hands to core, as one argument of JSON text.
struct CoreOptions {
  std::string data{};
  std::string engine{};  ///< address text
  std::string broker{};  ///< socket through which core reaches it; "": directly
  std::string broker_folder{};
  int supervisor = -1;  ///< socketpair on which control descriptors to the edge arrive
  int door = -1;        ///< listening socket for requests from the edge; -1: core opens one
  std::uint16_t https_port = 443;
  bool tracing = false;
  std::int64_t connections = 0, client_connections = 0;
  std::string control{};  ///< path of the control socket
  /// Where that edge stands: "" beside core, "host" in the network of the engine's host, else the name of its
  /// container, which core connects to the networks of what it routes.
  std::string edge_in{};
  std::string edge{};  ///< socket on which an edge of its own waits; "": edges come from the supervisor
  std::string platform_host = "berth.localhost";
  bool setup_remote = false;
  std::string account{};  ///< to become; "": stays
  std::string holds_file() const { return data + "/holds.json"; }
  std::string statics_file() const { return data + "/static.json"; }
};
std::string encode_core(const CoreOptions& options);
Result<CoreOptions> decode_core(const std::string& text);

// As which accounts the roles run when root starts berth serve (accounts.cc).

/// The account that core becomes unless another one is named.
inline constexpr const char* kUsualAccount = "berth";
/// Of core: the one that is named, else berth where that exists; "" where core stays what it is, also without root.
/// Code::invalid for a name that no account has.
Result<std::string> core_account(const ServeOptions& options);
/// The same of the broker.
Result<std::string> broker_account(const ServeOptions& options);
/// Gives core's account what core writes: the data folder, without the edge's part, and the runtime folder. What lies
/// in projects is given once, when that was root's: later it is its containers'. Nothing for "".
Result<void> hand_over(const ServeOptions& options, const std::string& runtime, const std::string& account);
/// Core's first deed.
Result<void> become_account(const CoreOptions& options);

// The same error, with what somebody can do about it (advice.cc).

Error advise_port(Error error, const std::string& entry_point, const std::string& address);
Error advise_data(Error error, const std::string& data);
std::string advise_engine(const Error& error);
/// "" unless the clock stands before the time of core's last status: what was valid then may not be now.
std::string advise_clock(const std::string& data);

/// Dials the broker's socket; null for "": then the engine's own address is dialled. The address stays what names the
/// engine, for locks and control sockets.
inline std::unique_ptr<io::Dialer> engine_dialer(const std::string& broker) {
  if (broker.empty()) return nullptr;
  return std::make_unique<io::UnixDialer>(broker);
}

/// The core role: follows the engine's events, turns labels into routes, keeps certificates, sends snapshots to the
/// edge. Ends with status 0 on SIGTERM or when the supervisor goes away.
int run_core(const std::vector<std::string>& arguments, const Environment& environment);
/// The edge role as the supervisor starts it.
int run_edge_role(const std::vector<std::string>& arguments, const Environment& environment);

}  // namespace berth::app
