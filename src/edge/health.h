// Asks the upstreams of services that want it whether they are well: one loop of a process asks for all.
#pragma once

#include <map>
#include <string>

#include "edge/shared.h"

namespace berth::edge {

/// Tells `shared.pool` which upstreams are down. Thread: its loop's.
class Prober {
 public:
  explicit Prober(Shared& shared) : shared_(shared) {}
  /// Until cancelled. Follows the snapshots of `shared`.
  io::Task<void> run();

 private:
  struct Probe {
    Upstream upstream;  ///< where requests go
    Upstream asked;     ///< where the check goes
    HealthCheck check;
    std::string host;
    io::Time due{};
    bool running = false, down = false;
  };
  void follow();
  static Probe probe_of(Probe probe, const HealthCheck& check, const Upstream& upstream);
  void tell(const Upstream& upstream, bool down);
  io::Task<void> ask(std::string key);

  Shared& shared_;
  std::shared_ptr<const Live> seen_;
  std::map<std::string, Probe> probes_;  ///< by service and upstream
};

}  // namespace berth::edge
