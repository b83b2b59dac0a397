#include "cli/usage.h"

#include <fmt/format.h>

#include <span>
#include <string_view>

#include "engine/usage.h"

namespace berth::cli {
namespace {

std::string scaled(std::uint64_t bytes, double step, std::span<const std::string_view> units, int digits) {
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= step && unit + 1 < units.size(); ++unit) value /= step;
  return fmt::format("{:.{}g}{}", value, digits, units[unit]);
}

}  // namespace

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
  const auto usage = engine::usage_of(sample);
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
