#include "edge/pace.h"

#include <gtest/gtest.h>

namespace berth::edge {
namespace {

using namespace std::chrono_literals;

constexpr Pace::Duration kPatience = 60s;

TEST(Pace, EndsWhoDrips) {
  Pace pace;
  std::uint64_t total = 0;
  Pace::Duration waited{};
  // A byte in 59 seconds would do for a deadline that each byte pushes on.
  while (pace.left(kPatience) >= 59s) {
    pace.note(59s, ++total, 500);
    waited += 59s;
  }
  EXPECT_EQ(total, 1u);
  EXPECT_EQ(pace.left(kPatience), 1s + 2ms);
}

TEST(Pace, LetsADecentPaceGoOnForever) {
  Pace pace;
  std::uint64_t total = 0;
  for (int hour = 0; hour < 3600; ++hour) {
    pace.note(1s, total += 500, 500);
    ASSERT_EQ(pace.left(kPatience), kPatience);
  }
  pace.note(55s, total += 1, 500);
  EXPECT_LT(pace.left(kPatience), 6s);
  pace.note(1s, total += 60 * 500, 500);
  EXPECT_EQ(pace.left(kPatience), kPatience);
}

TEST(Pace, ManyBytesBuyNoMoreThanThePatience) {
  Pace pace;
  pace.note(0s, std::uint64_t{1} << 62, 500);
  EXPECT_EQ(pace.left(kPatience), kPatience);
  pace.note(59s, (std::uint64_t{1} << 62) + 1, 500);
  EXPECT_LT(pace.left(kPatience), 2s);
}

TEST(Pace, CountsNothingWithoutARate) {
  Pace pace;
  pace.note(59s, 1, 0);
  EXPECT_EQ(pace.left(kPatience), kPatience);
}

TEST(Pace, AlwaysLeavesAMoment) {
  Pace pace;
  pace.note(90s, 0, 500);
  EXPECT_EQ(pace.left(kPatience), 1ms);
}

}  // namespace
}  // namespace berth::edge
