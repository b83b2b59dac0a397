// What a container uses, from one sample of the engine's statistics, by the docker CLI's rules. Pure.
#pragma once

#include <cstdint>

#include "base/json.h"

namespace berth::engine {

struct Usage {
  double cpu_percent = 0;    ///< of one processor: 250 is two and a half; 0 without an earlier sample in this one
  std::uint64_t memory = 0;  ///< bytes, without the page cache that can be given back
  std::uint64_t memory_limit = 0;
  std::uint64_t received = 0, sent = 0;  ///< bytes over all networks
  std::uint64_t read = 0, written = 0;   ///< bytes of block devices
  std::uint64_t processes = 0;
  std::uint64_t cpu_time = 0;  ///< nanoseconds since its start
};
/// Memory is usage minus `inactive_file` (cgroup 2) or `total_inactive_file` (cgroup 1), docker's own rule.
Usage usage_of(const Json& sample);

}  // namespace berth::engine
