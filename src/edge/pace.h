// How long a peer may keep a body waiting. Pure: the caller tells what was waited and what came.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

namespace berth::edge {

/// A stock of patience that waiting uses up and bytes fill again, up to what it was at first: who sends at the least
/// rate may go on forever and rest now and then, who drips is given up after the patience and a little more.
class Pace {
 public:
  using Duration = std::chrono::nanoseconds;
  /// What is left, at least a millisecond. `least_rate` in bytes a second; 0: each wait has the whole patience.
  Duration left(Duration patience) const { return std::max<Duration>(patience - spent_, std::chrono::milliseconds(1)); }
  /// `waited` was waited until the body had `total` bytes.
  void note(Duration waited, std::uint64_t total, std::size_t least_rate) {
    const std::uint64_t came = total - std::exchange(seen_, total);
    if (least_rate == 0) return;
    // Beyond an hour's worth the stock is full anyway, and the product fits.
    const std::uint64_t bytes = std::min<std::uint64_t>(came, std::uint64_t{least_rate} * 3600);
    spent_ += waited - Duration(bytes * 1'000'000'000 / least_rate);
    spent_ = std::max(spent_, Duration{});
  }

 private:
  Duration spent_{};
  std::uint64_t seen_ = 0;
};

}  // namespace berth::edge
