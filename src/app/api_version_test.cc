// Core speaks to its engine through the broker: what the one asks, the other has to let through.
#include <gtest/gtest.h>

#include "broker/version.h"
#include "engine/feature.h"

namespace berth::app {
namespace {

TEST(ApiVersions, OfCoreAreThoseOfTheBroker) {
  using engine::ApiVersion;
  EXPECT_LE(engine::kNewestApi, (ApiVersion{1, broker::kNewestMinor}));
  EXPECT_EQ(engine::kOldestApi, (ApiVersion{1, broker::kOldestMinor}));
  // Every engine that core could speak to directly has a version for it through the broker, which it knows.
  for (int newest = 20; newest < 70; ++newest) {
    for (int oldest = 12; oldest <= newest; ++oldest) {
      const ApiVersion most{1, newest}, least{1, oldest};
      const auto direct = engine::negotiate({.newest = most, .oldest = least});
      const auto through = broker::common_versions(most.text(), least.text());
      if (!direct) continue;
      ASSERT_TRUE(through) << most.text() << " " << least.text();
      const auto core = engine::negotiate({.newest = {1, through->newest}, .oldest = ApiVersion{1, through->oldest}});
      ASSERT_TRUE(core) << core.error().message;
      EXPECT_EQ(*core, *direct);
    }
  }
}

}  // namespace
}  // namespace berth::app
