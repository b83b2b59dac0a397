#include "edge/balance.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace berth::edge {
namespace {

using namespace std::chrono_literals;
constexpr Balancer::Time kNow(1000s);

Service three(Strategy strategy, std::vector<std::uint32_t> weights = {1, 1, 1}) {
  Service service{.name = "s", .upstreams = {}, .pass_host = true, .down = {}};
  service.strategy = strategy;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    service.upstreams.push_back(
        {.host = "10.0.0." + std::to_string(i + 1), .port = 80, .tls = false, .target = "c", .weight = weights[i]});
  }
  return service;
}

struct Choices {
  Balancer balancer;
  std::set<std::string> failing;
  std::map<std::string, std::size_t> running;
  Ip client = *parse_ip("192.0.2.1");

  std::size_t choose(const Service& service, std::string_view cookie = {}, Balancer::Time now = kNow) {
    return balancer.choose(service, {.now = now,
                                     .client = client,
                                     .cookie = cookie,
                                     .usable = [&](const Upstream& each) { return !failing.contains(each.host); },
                                     .exchanges = [&](const Upstream& each) { return running[each.host]; }});
  }
  std::vector<int> count(const Service& service, int times, Balancer::Time now = kNow) {
    std::vector<int> counts(service.upstreams.size());
    for (int i = 0; i < times; ++i) ++counts[choose(service, {}, now)];
    return counts;
  }
};

TEST(Balancer, TakesTurnsByWeight) {
  Choices choices;
  EXPECT_EQ(choices.count(three(Strategy::wrr), 30), (std::vector{10, 10, 10}));
  EXPECT_EQ(choices.count(three(Strategy::wrr, {5, 1, 0}), 60), (std::vector{50, 10, 0}));
  const Service service = three(Strategy::wrr, {2, 1, 1});
  std::string order;
  for (int i = 0; i < 4; ++i) order += std::to_string(choices.choose(service));
  EXPECT_EQ(std::set(order.begin(), order.end()).size(), 3u) << order;
  EXPECT_FALSE(order.contains("00")) << "smooth: " << order;
}

TEST(Balancer, PassesOverWhatFails) {
  Choices choices;
  choices.failing = {"10.0.0.1"};
  EXPECT_EQ(choices.count(three(Strategy::wrr, {5, 1, 1}), 10), (std::vector{0, 5, 5}));
  choices.failing = {"10.0.0.1", "10.0.0.2", "10.0.0.3"};
  EXPECT_LT(choices.choose(three(Strategy::p2c)), 3u);
}

TEST(Balancer, PrefersTheLessBusyOfTwo) {
  Choices choices;
  choices.running = {{"10.0.0.1", 50}};
  const auto counts = choices.count(three(Strategy::p2c), 900);
  EXPECT_LT(counts[0], 200);  // only where both draws are it
  EXPECT_GT(counts[1], 250);
  EXPECT_GT(counts[2], 250);
}

TEST(Balancer, KeepsAClientAtItsUpstream) {
  Choices choices;
  const Service service = three(Strategy::hrw);
  std::map<std::size_t, int> seen;
  for (int i = 0; i < 200; ++i) {
    choices.client.bytes[15] = static_cast<std::uint8_t>(i);
    const std::size_t at = choices.choose(service);
    EXPECT_EQ(choices.choose(service), at);
    ++seen[at];
    choices.failing = {"10.0.0.3"};
    if (at != 2) EXPECT_EQ(choices.choose(service), at) << "only those of the one that failed move";
    choices.failing.clear();
  }
  for (const auto& [at, count] : seen) EXPECT_GT(count, 30) << at;
}

TEST(Balancer, PrefersTheFaster) {
  Choices choices;
  const Service service = three(Strategy::leasttime);
  choices.choose(service);
  choices.balancer.took(service, service.upstreams[0], 5ms, kNow);
  choices.balancer.took(service, service.upstreams[1], 1ms, kNow);
  choices.balancer.took(service, service.upstreams[2], 5ms, kNow);
  EXPECT_EQ(choices.choose(service), 1u);
  choices.running["10.0.0.2"] = 20;
  EXPECT_NE(choices.choose(service), 1u);
}

TEST(Balancer, AsksASlowOneAgainAfterAWhile) {
  Choices choices;
  const Service service = three(Strategy::leasttime, {1, 1});
  choices.choose(service);
  choices.balancer.took(service, service.upstreams[0], 500ms, kNow);
  choices.balancer.took(service, service.upstreams[1], 5ms, kNow);
  EXPECT_EQ(choices.choose(service), 1u);
  choices.balancer.took(service, service.upstreams[1], 5ms, kNow + 90s);
  EXPECT_EQ(choices.choose(service, {}, kNow + 90s), 0u);
}

TEST(Balancer, StartsOneThatComesBackSlowly) {
  Choices choices;
  Service service = three(Strategy::wrr, {1, 1});
  service.slow_start = 10s;
  choices.failing = {"10.0.0.2"};
  EXPECT_EQ(choices.count(service, 10), (std::vector{10, 0}));
  choices.failing.clear();
  EXPECT_LT(choices.count(service, 200)[1], 30);
  EXPECT_GT(choices.count(service, 200, kNow + 10s)[1], 90);
}

TEST(Balancer, ACookieDecidesWhileItsUpstreamServes) {
  Choices choices;
  Service service = three(Strategy::wrr);
  service.sticky = Sticky{.name = "sid", .secure = true, .same_site = "lax", .max_age = 60};
  const std::string value = sticky_value(service.upstreams[2]);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(choices.choose(service, value), 2u);
  EXPECT_EQ(sticky_cookie(service, service.upstreams[2]),
            "sid=" + value + "; Path=/; Max-Age=60; Secure; SameSite=Lax");
  EXPECT_FALSE(value.contains("10"));
  choices.failing = {"10.0.0.3"};
  Service weighted = service;
  weighted.upstreams[0].weight = 2;
  EXPECT_NE(choices.choose(weighted, value), 2u);
  choices.failing.clear();
  std::set<std::size_t> others;
  for (int i = 0; i < 6; ++i) others.insert(choices.choose(service, "forged"));
  EXPECT_EQ(others.size(), 3u);
}

TEST(Balancer, StartsANewOneSlowly) {
  Choices choices;
  Service service = three(Strategy::wrr, {1, 1});
  service.slow_start = 10s;
  EXPECT_EQ(choices.count(service, 10), (std::vector{5, 5}));
  service.upstreams.push_back({.host = "10.0.0.9", .port = 80, .tls = false, .target = "c"});
  EXPECT_LT(choices.count(service, 300)[2], 15);
  EXPECT_LT(choices.count(service, 300, kNow + 5s)[2], 70);
  EXPECT_EQ(choices.count(service, 300, kNow + 10s)[2], 100);
  service.upstreams.pop_back();
  choices.balancer.forget(std::vector{service});
}

}  // namespace
}  // namespace berth::edge
