#include "cli/usage.h"

#include <fmt/format.h>

#include <span>
#include <string_view>

namespace berth::cli {
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
  return used > 0 && passed > 0 ? used / passed * processors * 100 : 0;
}

std::uint64_t memory_of(const Json& memory) {
  const auto used = count(memory["usage"]);
  const auto& parts = memory["stats"];
  const auto cache = count(parts[parts.contains("total_inactive_file") ? "total_inactive_file" : "inactive_file"]);
  return cache < used ? used - cache : used;
}

std::string scaled(std::uint64_t bytes, double step, std::span<const std::string_view> units, int digits) {
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= step && unit + 1 < units.size(); ++unit) value /= step;
  return fmt::format("{:.{}g}{}", value, digits, units[unit]);
}

}  // namespace

Usage usage_of(const Json& sample) {
  Usage out{.cpu_percent = cpu_percent(sample),
            .memory = memory_of(sample["memory_stats"]),
            .memory_limit = count(sample["memory_stats"]["limit"]),
            .processes = count(sample["pids_stats"]["current"])};
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

std::string decimal_size(std::uint64_t bytes) {
  static constexpr std::string_view kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  return scaled(bytes, 1000, kUnits, 3);
}

std::string binary_size(std::uint64_t bytes) {
  static constexpr std::string_view kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  return scaled(bytes, 1024, kUnits, 4);
}

Json usage_row(const std::string& id, const std::string& name, const Json& sample) {
  auto row = Json::object({{"BlockIO", "--"},
                           {"CPUPerc", "--"},
                           {"Container", id},
                           {"ID", id},
                           {"MemPerc", "--"},
                           {"MemUsage", "-- / --"},
                           {"Name", name},
                           {"NetIO", "--"},
                           {"PIDs", "--"}});
  if (sample.is_null()) return row;
  const auto usage = usage_of(sample);
  const double of_limit =
      usage.memory_limit == 0 ? 0 : static_cast<double>(usage.memory) / static_cast<double>(usage.memory_limit) * 100;
  row.set("BlockIO", decimal_size(usage.read) + " / " + decimal_size(usage.written));
  row.set("CPUPerc", fmt::format("{:.2f}%", usage.cpu_percent));
  row.set("MemPerc", fmt::format("{:.2f}%", of_limit));
  row.set("MemUsage", binary_size(usage.memory) + " / " + binary_size(usage.memory_limit));
  row.set("NetIO", decimal_size(usage.received) + " / " + decimal_size(usage.sent));
  row.set("PIDs", std::to_string(usage.processes));
  return row;
}

}  // namespace berth::cli
