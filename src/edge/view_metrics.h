// What one loop counts, and the text in which Prometheus reads it. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/json.h"

namespace berth::edge {

enum class Spoken : std::uint8_t { http1, http2, websocket };

/// How often something took how long.
struct Durations {
  static constexpr std::array<double, 11> kBounds{0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                  0.5,   1,    2.5,   5,    10};  ///< seconds
  std::uint64_t micros = 0;
  std::array<std::uint64_t, kBounds.size() + 1> counts{};  ///< each up to its bound, the last one beyond
  void note(std::uint64_t micros);
  Durations& operator+=(const Durations& other);
};

/// Of one router. What a quick request adds to lies in two lines of a core's cache.
struct alignas(64) RouteCounts {
  std::uint64_t received = 0, sent = 0;                   ///< bytes of bodies
  std::array<std::array<std::uint64_t, 6>, 3> replies{};  ///< by Spoken, then status / 100; 0: the client went away
  Durations took{};
  std::string service{};
  RouteCounts& operator+=(const RouteCounts& other);
};

/// Counts without a lock: one per loop, summed when they are read. Thread: its loop's.
struct Metrics {
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  static constexpr std::size_t kMostRoutes = 10'000;
  std::unordered_map<std::string, RouteCounts, Hash, std::equal_to<>> routes;  ///< by name; "": no route
  std::array<std::uint64_t, 2> connections{};                                  ///< accepted, by Listener
  std::uint64_t refused = 0, pauses = 0;  ///< connections of clients with too many; waits for room to accept
  std::uint64_t handshakes = 0, handshakes_failed = 0;
  std::uint64_t connects = 0, failures = 0;  ///< to and of upstreams
  std::size_t open = 0, idle_upstreams = 0, running = 0;
  Durations lag{};  ///< how late a timer fired

  /// The counts of a route; beyond kMostRoutes those of "other". Allocates for a route's first request only.
  RouteCounts& of(std::string_view route, std::string_view service);
  Metrics& operator+=(const Metrics& other);
};

/// What is known of the process as a whole.
struct ProcessFacts {
  std::uint64_t version = 0;   ///< of the snapshot
  std::uint64_t resident = 0;  ///< bytes
  Json cache{};                ///< CacheStore::describe(); null: nothing is cached
};

/// The text format 0.0.4.
std::string metrics_text(const Metrics& metrics, const ProcessFacts& facts);
/// Quoted for a label's value.
std::string label_value(std::string_view text);

}  // namespace berth::edge
