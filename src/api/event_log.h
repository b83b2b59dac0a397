// What happened on the engine, kept beyond the engine's own short memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/event.h"
#include "store/database.h"

namespace berth::api {

struct KeptEvent {
  std::int64_t number = 0;
  std::int64_t at = 0;  ///< milliseconds since 1970
  std::string kind{}, action{}, id{}, name{}, project{};
};
Json to_json(const KeptEvent& event);
/// Of an engine's; number 0.
KeptEvent kept_event(const engine::EngineEvent& event);

struct EventQuery {
  std::string kind{}, action{};  ///< "": any
  std::int64_t before = 0;       ///< numbers below; 0: from the newest
  std::size_t limit = 100;
};

/// The newest 20,000, in the store. Thread: the loop's.
class EventLog {
 public:
  explicit EventLog(store::Database& database) : database_(database) {}
  /// Takes it into a queue (of at most 10,000: beyond, the oldest are dropped).
  void add(KeptEvent event);
  /// Writes what was taken, until cancelled: at most once in 200 ms.
  io::Task<void> run();
  /// The newest first.
  io::Task<Result<std::vector<KeptEvent>>> list(EventQuery query);

 private:
  io::Task<Result<void>> write(std::vector<KeptEvent> events);
  store::Database& database_;
  std::vector<KeptEvent> queue_;
  io::Event arrived_;
};

/// The tables of this room.
std::span<const store::Migration> migrations();

}  // namespace berth::api
