#include "edge/limits.h"

#include <gtest/gtest.h>

#include <thread>

namespace berth::edge {
namespace {

TEST(Limits, CountsWhatRunsForEachSourceAndName) {
  Limits limits;
  const Ip one = *parse_ip("192.0.2.1"), other = *parse_ip("192.0.2.2");
  EXPECT_TRUE(limits.begin("m", one, 2));
  EXPECT_TRUE(limits.begin("m", one, 2));
  EXPECT_FALSE(limits.begin("m", one, 2));
  EXPECT_TRUE(limits.begin("m", other, 2));
  EXPECT_TRUE(limits.begin("n", one, 2));
  limits.end("m", one);
  EXPECT_TRUE(limits.begin("m", one, 2));
  EXPECT_FALSE(limits.begin("m", one, 2));
}

TEST(Limits, AreOneForAllThreads) {
  Limits limits;
  const Ip client = *parse_ip("192.0.2.1");
  const RateLimit limit{.average = 1, .period = std::chrono::hours(1), .burst = 100};
  const Limits::Time now = std::chrono::steady_clock::now();
  std::array<int, 4> passed{};
  {
    std::vector<std::jthread> threads;
    for (int& mine : passed) {
      threads.emplace_back([&] {
        for (int i = 0; i < 200; ++i) {
          mine += limits.allow(limit, "m", client, now) ? 1 : 0;
          if (limits.begin("m", client, 1000)) limits.end("m", client);
        }
      });
    }
  }
  EXPECT_EQ(passed[0] + passed[1] + passed[2] + passed[3], 100);
  EXPECT_FALSE(limits.begin("m", client, 0));
}

}  // namespace
}  // namespace berth::edge
