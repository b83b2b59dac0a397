#include "engine/usage.h"

#include <algorithm>
#include <string_view>

namespace berth::engine {
namespace {

std::uint64_t count(const Json& value) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(value.integer(), 0));
}

double cpu_percent(const Json& sample) {
  const auto& now = sample["cpu_stats"];
  const auto& before = sample["precpu_stats"];
  const auto used = now.at("cpu_usage.total_usage").number() - before.at("cpu_usage.total_usage").number();
  const auto passed = now["system_cpu_usage"].number() - before["system_cpu_usage"].number();
  auto processors = now["online_cpus"].number();
  if (processors == 0) processors = static_cast<double>(now.at("cpu_usage.percpu_usage").size());
  return used > 0 && passed > 0 && before["system_cpu_usage"].number() > 0 ? used / passed * processors * 100 : 0;
}

std::uint64_t memory_of(const Json& memory) {
  const auto used = count(memory["usage"]);
  const auto& parts = memory["stats"];
  const auto cache = count(parts[parts.contains("total_inactive_file") ? "total_inactive_file" : "inactive_file"]);
  return cache < used ? used - cache : used;
}

}  // namespace

Usage usage_of(const Json& sample) {
  Usage out{.cpu_percent = cpu_percent(sample),
            .memory = memory_of(sample["memory_stats"]),
            .memory_limit = count(sample["memory_stats"]["limit"]),
            .processes = count(sample["pids_stats"]["current"]),
            .cpu_time = count(sample.at("cpu_stats.cpu_usage.total_usage"))};
  for (const auto& [name, network] : sample["networks"].members()) {
    out.received += count(network["rx_bytes"]);
    out.sent += count(network["tx_bytes"]);
  }
  for (const auto& entry : sample.at("blkio_stats.io_service_bytes_recursive").items()) {
    const auto op = entry["op"].text();
    if (op == "Read" || op == "read") out.read += count(entry["value"]);
    if (op == "Write" || op == "write") out.written += count(entry["value"]);
  }
  return out;
}

}  // namespace berth::engine
