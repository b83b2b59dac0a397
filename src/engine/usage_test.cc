#include "engine/usage.h"

#include <gtest/gtest.h>

namespace berth::engine {
namespace {

Json sample(std::string_view text) {
  return parse_json(text).value_or(Json());
}

TEST(Usage, ProcessorTimeIsOfOneProcessor) {
  const auto usage = usage_of(sample(R"({
    "cpu_stats": {"cpu_usage": {"total_usage": 3000}, "system_cpu_usage": 20000, "online_cpus": 4},
    "precpu_stats": {"cpu_usage": {"total_usage": 1000}, "system_cpu_usage": 16000}})"));
  EXPECT_DOUBLE_EQ(usage.cpu_percent, 200);
  EXPECT_DOUBLE_EQ(usage_of(sample(R"({"cpu_stats": {"cpu_usage": {"total_usage": 1}}})")).cpu_percent, 0);
}

TEST(Usage, MemoryIsWithoutTheCacheThatCanBeGivenBack) {
  EXPECT_EQ(usage_of(sample(R"({"memory_stats": {"usage": 100, "stats": {"inactive_file": 30}}})")).memory, 70u);
  EXPECT_EQ(usage_of(sample(R"({"memory_stats": {"usage": 100, "stats":
      {"total_inactive_file": 40, "inactive_file": 1}}})"))
                .memory,
            60u);
  EXPECT_EQ(usage_of(sample(R"({"memory_stats": {"usage": 100, "stats": {"inactive_file": 300}}})")).memory, 100u);
}

TEST(Usage, NetworksAndDevicesAreAddedUp) {
  const auto usage = usage_of(sample(R"({
    "networks": {"eth0": {"rx_bytes": 1, "tx_bytes": 2}, "eth1": {"rx_bytes": 10, "tx_bytes": 20}},
    "blkio_stats": {"io_service_bytes_recursive": [{"op": "read", "value": 5}, {"op": "Write", "value": 7},
                                                   {"op": "total", "value": 99}]}})"));
  EXPECT_EQ(usage.received, 11u);
  EXPECT_EQ(usage.sent, 22u);
  EXPECT_EQ(usage.read, 5u);
  EXPECT_EQ(usage.written, 7u);
}

}  // namespace
}  // namespace berth::engine
