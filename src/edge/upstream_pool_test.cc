#include "edge/upstream_pool.h"

#include <gtest/gtest.h>

#include "io/loop.h"

namespace berth::edge {
namespace {

// A table that is swapped may have another upstream at the same place in memory.
TEST(UpstreamPool, KnowsAnUpstreamByAllThatItsKeySays) {
  io::Loop loop;
  UpstreamPool pool(loop);
  Upstream upstream{.host = "127.0.0.1", .port = 80, .target = "one"};
  std::vector<Upstream> others(6, upstream);
  others[0].host = "127.0.0.2";
  others[1].port = 81;
  others[2].tls = true;
  others[3].h2 = true;
  others[4].speaks = Speaks::uwsgi;
  others[5].speaks = Speaks::fcgi;
  const auto use = pool.begin(upstream);
  ASSERT_EQ(pool.exchanges(upstream), 1u);
  for (const Upstream& other : others) {
    const Upstream before = std::exchange(upstream, other);
    EXPECT_EQ(pool.exchanges(upstream), 0u) << upstream_key(other);
    upstream = before;
    EXPECT_EQ(pool.exchanges(upstream), 1u) << upstream_key(other);
  }
}

}  // namespace
}  // namespace berth::edge
