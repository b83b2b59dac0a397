#include "edge/cache_claims.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace berth::edge {
namespace {

TEST(CacheClaims, OneHoldsANameAndTheOthersAreWoken) {
  CacheClaims claims;
  int woken = 0;
  auto first = claims.take("a", [&] { woken += 100; });
  ASSERT_TRUE(first);
  EXPECT_TRUE(claims.take("b", {}));
  EXPECT_FALSE(claims.take("a", [&] { ++woken; }));
  EXPECT_FALSE(claims.take("a", {}));
  EXPECT_EQ(woken, 0);
  first.drop();
  EXPECT_EQ(woken, 1);
  EXPECT_FALSE(first);
  EXPECT_TRUE(claims.take("a", {}));
}

TEST(CacheClaims, AClaimEndsOnceWhereverItIs) {
  CacheClaims claims;
  int woken = 0;
  {
    auto moved = claims.take("a", {});
    EXPECT_FALSE(claims.take("a", [&] { ++woken; }));
    const auto kept = std::move(moved);
    EXPECT_TRUE(kept);
    EXPECT_EQ(woken, 0);
  }
  EXPECT_EQ(woken, 1);
  auto other = claims.take("a", {});
  auto replaced = claims.take("b", {});
  replaced = std::move(other);
  EXPECT_TRUE(claims.take("b", {}));
  EXPECT_FALSE(claims.take("a", {}));
}

TEST(CacheClaims, AWakerMayTakeTheName) {
  CacheClaims claims;
  CacheClaims::Claim next;
  auto first = claims.take("a", {});
  EXPECT_FALSE(claims.take("a", [&] { next = claims.take("a", {}); }));
  first.drop();
  EXPECT_TRUE(next);
}

TEST(CacheClaims, OneThreadAtATimeHoldsAName) {
  CacheClaims claims;
  std::atomic<int> holders{0}, most{0}, taken{0}, refused{0}, woken{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 2000; ++round) {
        const auto claim = claims.take("a", [&] { ++woken; });
        if (!claim) {
          ++refused;
          continue;
        }
        ++taken;
        if (++holders > 1) most = 2;
        --holders;
      }
    });
  }
  for (auto& each : threads) each.join();
  EXPECT_EQ(most, 0);
  EXPECT_EQ(taken + refused, 8000);
  EXPECT_EQ(woken, refused);
}

}  // namespace
}  // namespace berth::edge
