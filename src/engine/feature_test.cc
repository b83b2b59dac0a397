#include "engine/feature.h"

#include <gtest/gtest.h>

namespace berth::engine {
namespace {

TEST(ApiVersion, ParsesExactly) {
  EXPECT_EQ(*parse_api_version("1.41"), (ApiVersion{1, 41}));
  EXPECT_EQ(parse_api_version("1.41")->text(), "1.41");
  EXPECT_LT(*parse_api_version("1.9"), *parse_api_version("1.10"));
  for (const char* bad :
       {"", "1", "1.", ".41", "1.41.0", "v1.41", "1.041", " 1.41", "1.41 ", "-1.41", "1.+4", "1.99999"})
    EXPECT_EQ(parse_api_version(bad).error().code, Code::invalid) << bad;
}

struct Negotiation {
  ApiVersion newest{}, oldest{};
  std::string expected;  // a version, or a part of the error
};
TEST(Negotiate, EveryCase) {
  const Negotiation rows[] = {
      {{1, 41}, {1, 12}, "1.41"},  // Debian 12
      {{1, 24}, {1, 12}, "1.24"},  // the oldest
      {{1, 48}, {1, 24}, "1.48"},  // the newest that we know
      {{1, 45}, {1, 24}, "1.45"},  // Debian 13
      {{1, 52}, {1, 44}, "1.48"},  // newer, still speaks ours
      {{1, 60}, {1, 48}, "1.48"},  // just so
      {{1, 23}, {1, 12}, "the engine is too old: it speaks API 1.23 at most, berth needs 1.24"},
      {{1, 60}, {1, 49}, "berth is too old for this engine: it speaks API 1.49 at least, berth 1.48 at most"},
  };
  for (const Negotiation& row : rows) {
    const auto version = negotiate({.newest = row.newest, .oldest = row.oldest});
    const std::string told = version ? version->text() : version.error().message;
    EXPECT_EQ(told.substr(0, row.expected.size()), row.expected);
    if (!version) EXPECT_EQ(version.error().code, Code::unavailable);
  }
}

TEST(Negotiate, ReadsRefusals) {
  const auto old = range_from_refusal(
      "client version 1.41 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer "
      "version",
      {1, 41});
  ASSERT_TRUE(old);
  EXPECT_EQ(old->oldest, (ApiVersion{1, 44}));
  EXPECT_EQ(old->newest, (ApiVersion{1, 44}));
  const auto fresh =
      range_from_refusal("client version 1.48 is too new. Maximum supported API version is 1.41", {1, 48});
  ASSERT_TRUE(fresh);
  EXPECT_EQ(fresh->newest, (ApiVersion{1, 41}));
  const auto ancient =
      range_from_refusal("client is newer than server (client API version: 1.48, server API version: 1.24)", {1, 48});
  ASSERT_TRUE(ancient);
  EXPECT_EQ(ancient->newest, (ApiVersion{1, 24}));
  EXPECT_FALSE(range_from_refusal("something else", {1, 48}));
}

struct FeatureRow {
  Feature feature;
  int minor;
};
// One row per feature, written down apart from the table that the code reads.
TEST(Features, EachCameWithItsVersion) {
  const FeatureRow rows[] = {
      {Feature::exec_environment, 25},
      {Feature::stop_timeout_in_config, 25},
      {Feature::build_cache_from, 25},
      {Feature::container_init, 25},
      {Feature::build_target, 29},
      {Feature::healthcheck_start_period, 29},
      {Feature::wait_condition, 30},
      {Feature::image_platform, 32},
      {Feature::exec_working_dir, 35},
      {Feature::bind_non_recursive, 40},
      {Feature::cgroup_namespace, 41},
      {Feature::create_platform, 41},
      {Feature::bind_create_mountpoint, 42},
      {Feature::container_annotations, 43},
      {Feature::healthcheck_start_interval, 44},
      {Feature::endpoints_at_create, 44},
      {Feature::endpoint_mac_address, 44},
      {Feature::recursive_bind_readonly, 44},
      {Feature::volume_subpath, 45},
      {Feature::endpoint_driver_options, 46},
      {Feature::network_enable_ipv4, 47},
      {Feature::endpoint_gateway_priority, 48},
  };
  for (const FeatureRow& row : rows) {
    EXPECT_EQ(since(row.feature), (ApiVersion{1, row.minor})) << name_of(row.feature);
    EXPECT_TRUE(has({1, row.minor}, row.feature));
    EXPECT_FALSE(has({1, row.minor - 1}, row.feature)) << name_of(row.feature);
    EXPECT_FALSE(name_of(row.feature).empty());
  }
  EXPECT_EQ(std::size(rows), static_cast<std::size_t>(Feature::network_enable_ipv4) + 1) << "a feature has no row";
}

}  // namespace
}  // namespace berth::engine
