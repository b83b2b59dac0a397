// Where a broker may listen on plain TCP beyond loopback: in a container whose networks are all internal.
#pragma once

#include "broker/place.h"
#include "broker/server.h"

namespace berth::app {

/// Asks the engine for this process's container and its networks. Where the engine cannot say (it is away, knows no
/// such container, or names other addresses than are here), a container without a default route is taken for internal.
/// Thread: the engine's loop.
class PlainPlace {
 public:
  explicit PlainPlace(broker::Engine& engine) : engine_(engine) {}
  /// Code::denied says what is in the way and what to do.
  io::Task<Result<void>> check();
  /// Looks at the interfaces each second, and asks again when they changed and each 30 s. Ends with Code::denied when
  /// the place is none any more, or Code::cancelled. REQUIRES: check() passed.
  io::Task<Result<void>> until_left();

 private:
  io::Task<broker::Place> look(const std::set<std::string>& own);
  io::Task<Result<broker::Place>> look_at(std::string candidate, const std::set<std::string>& own);
  broker::Engine& engine_;
  std::set<std::string> own_{};  ///< hardware and network addresses that were found good
};

}  // namespace berth::app
