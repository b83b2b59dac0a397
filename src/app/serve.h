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
  bool tracing = false;                   ///< requests carry traceparent and X-Request-Id
  Json statics{};                         ///< Traefik's static keys (app/static_tree.h)
  std::string edge_user{};                ///< account of the edge; "": berth-edge, else nobody
  unsigned workers = io::usable_cores();  ///< threads of the edge, each with listeners of its own
  std::int64_t cache = 128 << 20;         ///< bytes of memory for stored replies; 0: nothing is cached
  std::int64_t connections = 0;           ///< edge::Settings::connections
  std::int64_t client_connections = 0;    ///< the same of one client
  std::int64_t cache_disk = 0;            ///< bytes of files for those that are asked for again; 0: none
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
  int supervisor = -1;   ///< socketpair on which control descriptors to the edge arrive
  std::uint16_t https_port = 443;
  bool tracing = false;
  std::int64_t connections = 0, client_connections = 0;
  std::string control{};  ///< path of the control socket
  std::string holds_file() const { return data + "/holds.json"; }
  std::string statics_file() const { return data + "/static.json"; }
};
std::string encode_core(const CoreOptions& options);
Result<CoreOptions> decode_core(const std::string& text);

/// The core role: follows the engine's events, turns labels into routes, keeps certificates, sends snapshots to the
/// edge. Ends with status 0 on SIGTERM or when the supervisor goes away.
int run_core(const std::vector<std::string>& arguments, const Environment& environment);
/// The edge role as the supervisor starts it.
int run_edge_role(const std::vector<std::string>& arguments, const Environment& environment);

}  // namespace berth::app
