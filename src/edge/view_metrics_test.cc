#include "edge/view_metrics.h"

#include <gtest/gtest.h>

#include "edge/view_command.h"

namespace berth::edge {
namespace {

TEST(Metrics, SumsLoops) {
  Metrics one, other;
  one.of("a", "s").replies[0][2] = 3;
  one.of("a", "s").took.note(7'000);
  other.of("a", "s").replies[0][2] = 4;
  other.of("a", "s").took.note(20'000'000);
  other.of("b", "s").sent = 5;
  other.connections[1] = 2;
  one += other;
  EXPECT_EQ(one.routes.at("a").replies[0][2], 7u);
  EXPECT_EQ(one.routes.at("a").took.counts[1], 1u);
  EXPECT_EQ(one.routes.at("a").took.counts.back(), 1u);
  EXPECT_EQ(one.routes.at("b").service, "s");
  EXPECT_EQ(one.connections[1], 2u);
}

TEST(Metrics, TellOfRoutesAndNoOthers) {
  Metrics metrics;
  auto& counts = metrics.of("a\"\\\n", "s");
  counts.replies[1][5] = 2;
  counts.took.note(5'000);
  counts.took.note(5'001);
  const std::string text = metrics_text(metrics, {.version = 9, .resident = 4096});
  const std::string labels = R"(route="a\"\\\n",service="s")";
  EXPECT_TRUE(text.contains("berth_requests_total{" + labels +
                            R"(,protocol="http/2",code="5xx"} 2)"
                            "\n"))
      << text;
  EXPECT_TRUE(text.contains("berth_request_duration_seconds_bucket{" + labels + ",le=\"0.005\"} 1\n")) << text;
  EXPECT_TRUE(text.contains("berth_request_duration_seconds_bucket{" + labels + ",le=\"0.01\"} 2\n")) << text;
  EXPECT_TRUE(text.contains("berth_request_duration_seconds_bucket{" + labels + ",le=\"+Inf\"} 2\n")) << text;
  EXPECT_TRUE(text.contains("berth_request_duration_seconds_sum{" + labels + "} 0.010001\n")) << text;
  EXPECT_TRUE(text.contains("berth_snapshot_version 9\n"));
  EXPECT_FALSE(text.contains("berth_cache"));
}

TEST(Metrics, AreBounded) {
  Metrics metrics;
  for (std::size_t i = 0; i <= Metrics::kMostRoutes + 5; ++i) metrics.of(std::to_string(i), "s").sent = 1;
  EXPECT_EQ(metrics.routes.size(), Metrics::kMostRoutes + 1);
  EXPECT_EQ(metrics.routes.at("other").service, "other");
}

TEST(ViewCommand, SurvivesItsText) {
  for (const auto what : {ViewCommand::What::metrics, ViewCommand::What::requests, ViewCommand::What::follow}) {
    const std::string text = encode_command(ViewCommand{.id = 3, .what = what});
    ASSERT_TRUE(is_view_command(text));
    const auto command = decode_view_command(text);
    ASSERT_TRUE(command);
    EXPECT_EQ(command->id, 3u);
    EXPECT_EQ(command->what, what);
  }
  EXPECT_FALSE(decode_view_command(R"({"command":"view","what":"keys"})"));
}

}  // namespace
}  // namespace berth::edge
