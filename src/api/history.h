// What containers and the host used over time: rates out of counters, and the series that are shown. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace berth::api {

struct Counters {
  std::int64_t at = 0;         ///< nanoseconds; only differences count
  std::uint64_t cpu_time = 0;  ///< nanoseconds
  std::uint64_t memory = 0;
  std::uint64_t received = 0, sent = 0;
};
/// Of one sample of the engine's statistics.
Counters counters_of(const Json& sample);
/// Of the texts of /proc/stat, /proc/meminfo and /proc/net/dev; all networks but lo.
Counters host_counters(std::string_view stat, std::string_view meminfo, std::string_view net, std::int64_t at);

struct Figures {
  std::int64_t at = 0;            ///< milliseconds since 1970
  double cpu = 0;                 ///< percent of one core
  double memory = 0;              ///< bytes
  double received = 0, sent = 0;  ///< bytes a second
};
/// Nothing where a counter went back: it began anew.
std::optional<Figures> figures_between(const Counters& before, const Counters& now);

/// {"step", "at", "cpu", "memory", "rx", "tx"} of figures in the order of their times; null where one is missing.
Json history_json(const std::vector<Figures>& figures, std::int64_t step);

}  // namespace berth::api
