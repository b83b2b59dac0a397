// How many requests a source may send in a time. Pure: the caller tells the time.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "edge/route.h"

namespace berth::edge {

/// Who is counted: a source, under the name of a middleware.
struct SourceKey {
  std::size_t name;  ///< hash
  Ip source;
  static SourceKey of(std::string_view name, const Ip& source) { return {std::hash<std::string_view>()(name), source}; }
  friend bool operator==(const SourceKey&, const SourceKey&) = default;
  struct Hash {
    std::size_t operator()(const SourceKey& key) const;
  };
};

/// Counts for all routes, at most 65,536 sources at a time. Beyond that those that could send a full burst
/// again are forgotten, and if none could, all are: memory stays bounded, and a flood costs others nothing.
class RateLimiter {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// Whether the request may pass; it counts then. `name` is the middleware's, `source` what source_of() says.
  bool allow(const RateLimit& limit, std::string_view name, const Ip& source, Time now);
  std::size_t size() const { return next_.size(); }

 private:
  /// When a source would have used up its share if it had sent evenly (GCRA's theoretical arrival time).
  std::unordered_map<SourceKey, Time, SourceKey::Hash> next_;
};

}  // namespace berth::edge
