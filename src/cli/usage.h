// What a container uses, from one sample of the engine's statistics, as docker shows it. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"

namespace berth::cli {

struct Usage {
  double cpu_percent = 0;    ///< of one processor: 250 is two and a half
  std::uint64_t memory = 0;  ///< bytes, without the page cache that can be given back
  std::uint64_t memory_limit = 0;
  std::uint64_t received = 0, sent = 0;  ///< bytes over all networks
  std::uint64_t read = 0, written = 0;   ///< bytes of block devices
  std::uint64_t processes = 0;
};
/// Memory is usage minus `inactive_file` (cgroup 2) or `total_inactive_file` (cgroup 1), docker's own rule.
Usage usage_of(const Json& sample);

/// "1.5kB", "34MB": decimal units with three digits.
std::string decimal_size(std::uint64_t bytes);
/// "1.5KiB", "34MiB": binary units with four digits.
std::string binary_size(std::uint64_t bytes);

/// The members of `docker stats --format json`; without a sample everything reads "--".
Json usage_row(const std::string& id, const std::string& name, const Json& sample);

}  // namespace berth::cli
