#include "base/units.h"

#include <gtest/gtest.h>

namespace berth {
namespace {

std::string round_trip(std::string_view text) {
  const auto value = parse_duration(text);
  return value ? format_duration(*value) : value.error().message;
}

TEST(Units, DurationsPrintAsGoPrintsThem) {
  EXPECT_EQ(round_trip("90s"), "1m30s");
  EXPECT_EQ(round_trip("1h5m30s20ms"), "1h5m30.02s");
  EXPECT_EQ(round_trip("1d"), "24h0m0s");
  EXPECT_EQ(round_trip("1.5w"), "252h0m0s");
  EXPECT_EQ(round_trip("1500us"), "1.5ms");
  EXPECT_EQ(round_trip("1us"), "1\u00b5s");
  EXPECT_EQ(round_trip("7ns"), "7ns");
  EXPECT_EQ(round_trip("-1s"), "-1s");
  EXPECT_EQ(round_trip("0"), "0s");
  EXPECT_EQ(round_trip(".5s"), "500ms");
  EXPECT_EQ(format_duration(std::chrono::nanoseconds::min()), "-2562047h47m16.854775808s");
}

TEST(Units, DurationsSayWhatIsWrong) {
  EXPECT_EQ(round_trip("10"), "invalid duration \"10\": missing unit; write \"10s\" for seconds");
  EXPECT_EQ(round_trip("2y"), "invalid duration \"2y\": unknown unit \"y\"; known are ns us ms s m h d w");
  EXPECT_EQ(round_trip("1h 5m"), "invalid duration \"1h 5m\": unknown unit \"h \"; known are ns us ms s m h d w");
  for (const auto* const bad : {"", "abc", " 1s", "1s ", "-", ".s", "99999999999999999999s", "2562048h"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(Units, SizesAreBinaryMultiples) {
  EXPECT_EQ(*parse_size("64"), 64);
  EXPECT_EQ(*parse_size("2g"), std::int64_t{2} << 30);
  EXPECT_EQ(*parse_size("512MiB"), 512 << 20);
  EXPECT_EQ(*parse_size("1.5 kb"), 1536);
  EXPECT_EQ(*parse_size("1e3"), 1000);
  EXPECT_EQ(*parse_size("3B"), 3);
  for (const auto* const bad : {"", "-1", "abc", "512Mi", "1 gbb", "1x", "9e18", "8192p", "nan", "1e400"})
    EXPECT_EQ(parse_size(bad).has_value(), std::string_view(bad) == "9e18") << bad;
}

}  // namespace
}  // namespace berth
