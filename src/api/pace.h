// How many requests one client may send: token buckets. Pure: time is told.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace berth::api {

using Instant = std::chrono::steady_clock::time_point;

struct Allowance {
  double per_second = 50;
  double burst = 200;
};

/// A bucket for each key; full ones are forgotten, and at most 10,000 are kept: beyond, whoever is new shares one.
/// Thread: its loop's.
class Pace {
 public:
  explicit Pace(Allowance allowance) : allowance_(allowance) {}
  /// Takes one; zero when there was one, else after how long (whole seconds, at least 1) to come again.
  std::chrono::seconds take(std::string_view key, Instant now);
  std::size_t size() const { return buckets_.size(); }

 private:
  struct Bucket {
    double left = 0;
    Instant at{};
  };
  void refill(Bucket& bucket, Instant now) const;
  void forget_full(Instant now);

  Allowance allowance_;
  Instant next_look_{};  ///< for full ones, once a second
  std::map<std::string, Bucket, std::less<>> buckets_;
};

}  // namespace berth::api
