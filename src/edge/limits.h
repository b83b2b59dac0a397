// What must count alike on all loops of a process: a limit of ten requests is not ten for each core.
#pragma once

#include <mutex>

#include "edge/crowd.h"
#include "edge/rate.h"

namespace berth::edge {

/// Any thread; only requests and connections of routes with such a limit come here, each for the time of one look-up.
class Limits {
 public:
  using Time = RateLimiter::Time;
  /// For a process that may have so many descriptors.
  explicit Limits(std::size_t descriptors = 1u << 20) : crowd_(descriptors) {}
  Crowd& crowd() { return crowd_; }
  /// As RateLimiter::allow.
  bool allow(const RateLimit& limit, std::string_view name, const Ip& source, Time now);
  /// Counts a request or connection of `source` that begins under the middleware `name`; false when `most` run already.
  bool begin(std::string_view name, const Ip& source, std::uint64_t most);
  /// REQUIRES: begin() returned true.
  void end(std::string_view name, const Ip& source);

 private:
  std::mutex mutex_;  // guards what follows
  RateLimiter rates_;
  std::unordered_map<SourceKey, std::uint64_t, SourceKey::Hash> running_;
  Crowd crowd_;  // guards itself
};

}  // namespace berth::edge
