#include "http/server.h"

#include <gtest/gtest.h>

namespace berth::http {
namespace {

TEST(StatusOf, EveryCodeHasAStatus) {
  EXPECT_EQ(status_of(Code::invalid), 400);
  EXPECT_EQ(status_of(Code::denied), 403);
  EXPECT_EQ(status_of(Code::not_found), 404);
  EXPECT_EQ(status_of(Code::busy), 409);
  EXPECT_EQ(status_of(Code::unavailable), 503);
  EXPECT_EQ(status_of(Code::timeout), 504);
  EXPECT_EQ(status_of(Code::internal), 500);
}

}  // namespace
}  // namespace berth::http
