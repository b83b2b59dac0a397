// When a circuit breaker opens: its expression language and the window that it looks at. Pure.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::edge {

/// What happened to the requests of the last ten seconds, in slices of one second.
class Window {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// `status` 0: no answer came from the upstream.
  void add(Time now, int status, std::chrono::milliseconds latency);
  void clear();

  struct Sums {
    std::uint64_t requests = 0, network_errors = 0;
    std::array<std::uint64_t, 600> by_status{};
    std::array<std::uint64_t, 20> by_latency{};  ///< slot i: below 2^i ms
  };
  Sums sums(Time now) const;

 private:
  static constexpr std::int64_t kSlices = 10;
  struct Slice {
    std::int64_t second = -1;
    Sums sums;
  };
  std::vector<Slice> slices_;
};

/// A parsed expression such as `NetworkErrorRatio() > 0.30 && ResponseCodeRatio(500, 600, 0, 600) > 0.25`.
struct Condition {
  enum class Kind { any, all, negation, compare };
  enum class Function { network_error_ratio, response_code_ratio, latency_at_quantile, request_threshold };
  enum class Operator { less, at_most, more, at_least, equal, unequal };
  Kind kind = Kind::all;
  std::vector<Condition> children{};
  Function function = Function::network_error_ratio;
  std::vector<double> arguments{};
  Operator comparison = Operator::more;
  double value = 0;
};

/// Code::invalid with the column. At most 1 KiB and 32 levels.
Result<Condition> parse_condition(std::string_view text);
bool holds(const Condition& condition, const Window::Sums& sums);

}  // namespace berth::edge
