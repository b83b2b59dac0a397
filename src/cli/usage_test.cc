#include "cli/usage.h"

#include <gtest/gtest.h>

namespace berth::cli {
namespace {

Json sample(std::string_view text) {
  return parse_json(text).value_or(Json());
}

TEST(Usage, SizesReadAsDockers) {
  EXPECT_EQ(decimal_size(0), "0B");
  EXPECT_EQ(decimal_size(1126), "1.13kB");
  EXPECT_EQ(decimal_size(34'000'000), "34MB");
  EXPECT_EQ(binary_size(3 << 20), "3MiB");
  EXPECT_EQ(binary_size(1000), "1000B");
  EXPECT_EQ(binary_size((5ull << 30) + (700ull << 20)), "5.684GiB");
}

TEST(Usage, ARowWithoutASampleSaysSo) {
  EXPECT_EQ(usage_row("abc", "web", {})["CPUPerc"].text(), "--");
  EXPECT_EQ(usage_row("abc", "web", sample(R"({"pids_stats": {"current": 3}})"))["PIDs"].text(), "3");
}

}  // namespace
}  // namespace berth::cli
