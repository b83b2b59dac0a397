// The edge as a process of its own: listeners fed by snapshots from core, serving on without core.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "edge/snapshot.h"

namespace berth::edge {

/// What the supervisor decides when it starts the role. Everything that may change later is in the Snapshot.
struct EdgeOptions {
  /// A listening socket that is open already, owned from here on.
  struct Handed {
    std::string entry_point;  ///< "web", "websecure" or another name
    bool udp = false;
    int fd = -1;
  };
  std::vector<std::string> web{"127.0.0.1:80", "[::1]:80"};  ///< empty: no such listener; port 0: any free one
  std::vector<std::string> websecure{"127.0.0.1:443", "[::1]:443"};
  std::vector<EntryPoint> entry_points{};  ///< further ones, with their addresses
  std::vector<Handed> listening{};         ///< besides the addresses: one or more for each
  std::string data;                        ///< folder of the edge alone (DATA/edge, 0700); holds the last good snapshot
  int control = -1;                        ///< stream socketpair to core, owned from here on; -1: none yet
  std::string control_socket{};  ///< where a core may connect instead: a path in a folder of the edge's own; "": none
  int supervisor = -1;           ///< socketpair on which a new control descriptor may arrive (io::send_fd); -1: none
  unsigned workers = 0;          ///< threads with a loop and listeners (SO_REUSEPORT) each; 0: one for each core
  std::string access_log{};      ///< file for one JSON line a request, opened for appending; empty: none
  std::vector<std::string> metrics{};  ///< addresses on which Prometheus fetches /metrics (edge/metrics_server.h)
  std::size_t cache = 128u << 20;  ///< bytes of memory for stored replies, shared by the workers; 0: nothing is cached
  std::uint64_t cache_disk = 0;  ///< bytes of files in data/cache for stored replies that are asked for again; 0: none
  std::chrono::milliseconds drain{30'000};  ///< how long open exchanges may finish after SIGTERM
  /// Gives up what serving does not need (io/confine.h) once listeners and logs are open.
  bool confined = false;
  std::vector<std::string> users{};  ///< the account to become then: the first that exists; empty: none
  /// Another edge serves still: waits at most so long for core's snapshot before it accepts. Zero: accepts at once.
  std::chrono::milliseconds first_snapshot{};
};

/// Runs until SIGTERM or SIGINT and a drain, or until the supervisor's end of `supervisor` closes: then a drain that
/// gives clients time to go elsewhere. Says 'w' on `supervisor` when it waits for a snapshot, 'r' when it accepts.
/// Reads frames with snapshots from the control channel, answers each with an event (edge/channel.h), and keeps the
/// last good one in data/snapshot (0600), from which it starts when core is away. Losing the control channel changes
/// nothing: it serves on and waits for a new one on `supervisor`. A frame that does not decode is refused and the old
/// snapshot stays. SIGUSR1, or a file that comes on `supervisor` with the word 'l', has the access log go on in a new
/// file. Exit status: 0 drained, 1 a listener could not be opened or the data folder is not usable (message
/// on stderr).
int run_edge(EdgeOptions options);

}  // namespace berth::edge
