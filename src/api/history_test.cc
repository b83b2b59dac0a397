#include "api/history.h"

#include <gtest/gtest.h>

namespace berth::api {
namespace {

TEST(History, RatesAreOfTheTimeBetween) {
  const Counters before{.at = 1'000'000'000, .cpu_time = 5'000'000'000, .received = 100, .sent = 10};
  const Counters now{.at = 3'000'000'000, .cpu_time = 8'000'000'000, .memory = 7, .received = 300, .sent = 10};
  const auto figures = figures_between(before, now);
  ASSERT_TRUE(figures);
  EXPECT_DOUBLE_EQ(figures->cpu, 150);
  EXPECT_DOUBLE_EQ(figures->memory, 7);
  EXPECT_DOUBLE_EQ(figures->received, 100);
  EXPECT_DOUBLE_EQ(figures->sent, 0);
  EXPECT_FALSE(figures_between(now, before)) << "a time that went back";
  EXPECT_FALSE(figures_between(before, {.at = 3'000'000'000, .cpu_time = 1})) << "it was started anew";
}

TEST(History, ReadsTheHost) {
  const Counters host = host_counters("cpu  100 20 30 4000 50 1 2 3 9 9\ncpu0 1 1 1 1\n",
                                      "MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:   400 kB\n",
                                      "Inter-| Receive\n face |bytes\n    lo: 9 9 0 0 0 0 0 0 9 9\n"
                                      "  eth0: 70 1 0 0 0 0 0 0 80 1 0\n eth1:5 1 0 0 0 0 0 0 6 1 0\n",
                                      4);
  EXPECT_EQ(host.cpu_time, 1'560'000'000u);
  EXPECT_EQ(host.memory, 600u * 1024);
  EXPECT_EQ(host.received, 75u);
  EXPECT_EQ(host.sent, 86u);
}

TEST(History, SaysNullWhereNothingIsKnown) {
  const Json shown = history_json({{.at = 10, .cpu = 1}, {.at = 40, .cpu = 2}}, 10);
  EXPECT_EQ(shown["at"].dump(), "[10,20,30,40]");
  EXPECT_TRUE(shown["cpu"].items()[1].is_null());
  EXPECT_EQ(shown["cpu"].items()[3].number(), 2);
  EXPECT_EQ(history_json({}, 10)["at"].size(), 0u);
}

}  // namespace
}  // namespace berth::api
