#include "edge/crowd.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace berth::edge {
namespace {

TEST(Crowd, CountsEachClientAndGivesSeatsBack) {
  Crowd crowd(10'000);
  const Ip one = *parse_ip("192.0.2.1"), other = *parse_ip("192.0.2.2");
  {
    Crowd::Seat first(crowd), second(crowd), third(crowd);
    EXPECT_TRUE(first.name(one, 2));
    EXPECT_TRUE(second.name(one, 2));
    EXPECT_FALSE(third.name(one, 2));
    EXPECT_EQ(crowd.size(), 3u);
    const Crowd::Seat moved(std::move(first));
    Crowd::Seat fourth(crowd);
    EXPECT_TRUE(fourth.name(other, 2));
  }
  EXPECT_EQ(crowd.size(), 0u);
  Crowd::Seat again(crowd), more(crowd);
  EXPECT_TRUE(again.name(one, 2));
  EXPECT_TRUE(more.name(one, 2));
}

TEST(Crowd, ANetworkOfIPv6IsOneClient) {
  Crowd crowd(10'000);
  Crowd::Seat first(crowd), same(crowd), other(crowd), v4(crowd), v4_near(crowd);
  EXPECT_TRUE(first.name(*parse_ip("2001:db8:0:1::1"), 1));
  EXPECT_FALSE(same.name(*parse_ip("2001:db8:0:1:ffff::2"), 1));
  EXPECT_TRUE(other.name(*parse_ip("2001:db8:0:2::1"), 1));
  EXPECT_TRUE(v4.name(*parse_ip("192.0.2.1"), 1));
  EXPECT_TRUE(v4_near.name(*parse_ip("192.0.2.2"), 1));
}

TEST(Crowd, FitsTheDescriptorsOfTheProcess) {
  struct Case {
    std::size_t descriptors, all, each;
  };
  for (const Case& each : {Case{1u << 20, 524'160, 10'000}, Case{1024, 384, 48}, Case{4, 1, 1}, Case{0, 1, 1}}) {
    const Crowd::Most most = Crowd::fitting(each.descriptors);
    EXPECT_EQ(most.all, each.all) << each.descriptors;
    EXPECT_EQ(most.each, each.each) << each.descriptors;
  }
  const Crowd crowd(1024);
  EXPECT_EQ(crowd.most({}).all, 384u);
  EXPECT_EQ(crowd.most({.all = 7, .each = 0}).all, 7u);
  EXPECT_EQ(crowd.most({.all = 7, .each = 3}).each, 3u);
}

TEST(Crowd, IsOneForAllThreads) {
  Crowd crowd(10'000);
  const Ip client = *parse_ip("192.0.2.1");
  std::atomic<int> inside = 0, most_inside = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int turn = 0; turn < 500; ++turn) {
          Crowd::Seat seat(crowd);
          if (!seat.name(client, 3)) continue;
          const int now = ++inside;
          for (int seen = most_inside; seen < now && !most_inside.compare_exchange_weak(seen, now);) {
          }
          --inside;
        }
      });
    }
  }
  EXPECT_LE(most_inside, 3);
  EXPECT_GE(most_inside, 1);
  EXPECT_EQ(crowd.size(), 0u);
}

}  // namespace
}  // namespace berth::edge
