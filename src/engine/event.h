// The engine's event stream, which outlives lost connections.
#pragma once

#include <cstdint>

#include "engine/client.h"
#include "engine/output.h"

namespace berth::engine {

/// One thing that happened on the engine.
struct EngineEvent {
  std::string type{};    ///< "container", "network", "volume", "image", ...
  std::string action{};  ///< "start", "die", "health_status: healthy", ...
  std::string id{};      ///< of the subject
  Json attributes{};     ///< labels of the subject, "name", "image", "exitCode", ...
  std::int64_t time_nano = 0;
};
/// Reads one message of GET /events, of old engines too.
EngineEvent parse_event(const Json& message);

struct WatchEvents {
  Query filters{};      ///< {"type", "container"}, {"label", "com.docker.compose.project=shop"}
  std::string since{};  ///< seconds with up to nine decimals; "" from now on
};

/// Events from now on (or from `since`). When the connection is lost, it dials again (0.1 s doubling to 10 s) and asks
/// for what happened since the last event, so that none is lost or told twice while the engine lives. An engine's
/// restart loses its events: `gap` tells to read the world anew. Thread: loop only.
class EventStream {
 public:
  EventStream(Client& client, WatchEvents which);
  struct Item {
    bool gap = false;  ///< the stream began or was interrupted: list everything anew; `event` is empty
    EngineEvent event{};
  };
  /// Waits for the next item; the first is a gap, sent once the stream stands. Errors only when cancelled or when the
  /// engine refuses the request itself (Code::invalid, denied).
  io::Task<Result<Item>> next();

 private:
  io::Task<Result<void>> open();
  io::Task<Result<void>> stand();
  bool repeated(const EngineEvent& event);

  Client& client_;
  WatchEvents which_;
  std::optional<JsonStream> stream_;
  bool stood_ = false;
  std::chrono::milliseconds pause_{100};
  std::int64_t last_nano_ = 0;
  std::vector<std::string> at_last_;  // events of that very nanosecond, to drop repetitions
};

}  // namespace berth::engine
