#include "edge/rate.h"

#include <gtest/gtest.h>

namespace berth::edge {
namespace {

using namespace std::chrono_literals;
constexpr RateLimiter::Time kStart(1000s);
const Ip kClient = *parse_ip("192.0.2.1");

int passed(RateLimiter& limiter, const RateLimit& limit, RateLimiter::Time now, int count, const Ip& client = kClient) {
  int good = 0;
  for (int i = 0; i < count; ++i) good += limiter.allow(limit, "m", client, now) ? 1 : 0;
  return good;
}

TEST(RateLimiter, AllowsABurstAndThenTheAverage) {
  RateLimiter limiter;
  const RateLimit limit{.average = 10, .period = 1000ms, .burst = 5};
  EXPECT_EQ(passed(limiter, limit, kStart, 20), 5);
  EXPECT_EQ(passed(limiter, limit, kStart + 100ms, 20), 1);
  EXPECT_EQ(passed(limiter, limit, kStart + 150ms, 20), 0);
  EXPECT_EQ(passed(limiter, limit, kStart + 300ms, 20), 2);
  EXPECT_EQ(passed(limiter, limit, kStart + 10s, 20), 5);
}

TEST(RateLimiter, CountsEachClientAndMiddlewareApart) {
  RateLimiter limiter;
  const RateLimit limit{.average = 1, .period = 1000ms, .burst = 1};
  EXPECT_EQ(passed(limiter, limit, kStart, 3), 1);
  EXPECT_EQ(passed(limiter, limit, kStart, 3, *parse_ip("192.0.2.2")), 1);
  EXPECT_TRUE(limiter.allow(limit, "other", kClient, kStart));
}

TEST(RateLimiter, ZeroIsNoLimit) {
  RateLimiter limiter;
  EXPECT_EQ(passed(limiter, {}, kStart, 1000), 1000);
}

TEST(RateLimiter, StaysBounded) {
  RateLimiter limiter;
  const RateLimit limit{.average = 1, .period = 1000ms, .burst = 1};
  Ip client = kClient;
  for (std::uint32_t i = 0; i < 200000; ++i) {
    client.bytes[13] = static_cast<std::uint8_t>(i >> 16);
    client.bytes[14] = static_cast<std::uint8_t>(i >> 8);
    client.bytes[15] = static_cast<std::uint8_t>(i);
    EXPECT_TRUE(limiter.allow(limit, "m", client, kStart));
    EXPECT_LE(limiter.size(), 65536u);
  }
}

}  // namespace
}  // namespace berth::edge
