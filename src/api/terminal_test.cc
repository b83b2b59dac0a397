#include "api/terminal.h"

#include <gtest/gtest.h>

namespace berth::api {
namespace {

TEST(Backlog, KeepsTheNewestAtTheirPlaces) {
  Backlog log(6);
  EXPECT_EQ(log.from(0, 9), "");
  log.add("abcd");
  EXPECT_EQ(log.from(0, 9), "abcd");
  EXPECT_EQ(log.from(1, 2), "bc");
  log.add("efgh");
  EXPECT_EQ(log.oldest(), 2u);
  EXPECT_EQ(log.from(0, 9), "cdefgh");  // what came before is gone
  EXPECT_EQ(log.from(7, 9), "h");
  EXPECT_EQ(log.from(8, 9), "");
  log.add("0123456789");
  EXPECT_EQ(log.end(), 18u);
  EXPECT_EQ(log.from(log.oldest(), 9), "456789");
}

}  // namespace
}  // namespace berth::api
