// Who sends requests to containers: what a replacement without a gap asks of the edges of an engine. A seam: the
// control sockets of `berth serve` (traffic_socket.h), a fake in tests.
#pragma once

#include <chrono>
#include <string>

#include "base/error.h"
#include "io/task.h"
#include "plan/traffic_view.h"

namespace berth::plan {

/// What became of a question about one container.
enum class Routing {
  routed,  ///< requests reach it
  none,    ///< its labels ask for no requests, so that none come
};
enum class Drained {
  empty,   ///< no request is left
  forced,  ///< the time is over, and some still are
};

/// Thread: loop only. Questions about different containers may run at the same time.
class Traffic {
 public:
  virtual ~Traffic() = default;
  virtual io::Task<TrafficView> view() = 0;
  /// Waits until every edge sends requests to the container: it runs, is not unhealthy, accepts connections at the port
  /// that its labels name, and the edge uses a table with it. Code::conflict when that can never be (it ended, its
  /// labels are wrong), timeout after `most`, unavailable when an edge went away and did not come back.
  virtual io::Task<Result<Routing>> route(std::string id, std::chrono::seconds most) = 0;
  /// Takes new requests away from the container and waits for at most `most` until those that it has are answered. It
  /// stays so until route(). Code::conflict when nobody else would answer its routes: then it keeps them.
  virtual io::Task<Result<Drained>> drain(std::string id, std::chrono::seconds most) = 0;
};

}  // namespace berth::plan
