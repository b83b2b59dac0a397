#include "edge/trace.h"

#include <gtest/gtest.h>

namespace berth::edge {
namespace {

constexpr std::string_view kGood = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(Trace, KnowsATraceparent) {
  EXPECT_TRUE(is_traceparent(kGood));
  EXPECT_EQ(trace_id_of(kGood), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_TRUE(is_traceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later"));
  for (const std::string_view wrong : {"", "00", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                       "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                                       "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                                       "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                                       "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
                                       "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
                                       "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-011",
                                       "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
                                       "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7 01"})
    EXPECT_FALSE(is_traceparent(wrong)) << wrong;
}

TEST(Trace, MakesWhatItKnows) {
  EXPECT_EQ(make_traceparent(0x4bf92f3577b34da6, 0xa3ce929d0e0e4737, 0x00f067aa0ba902b7),
            "00-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b7-01");
  EXPECT_TRUE(is_traceparent(make_traceparent(0, 0, 0)));
}

TEST(Trace, KnowsARequestId) {
  EXPECT_TRUE(is_request_id("f058ebd6-02f7-4d3f-942e-904344e8cde5"));
  EXPECT_TRUE(is_request_id(std::string(128, 'x')));
  for (const std::string& wrong : {std::string(), std::string("a b"), std::string("a\"b"), std::string(129, 'x')})
    EXPECT_FALSE(is_request_id(wrong)) << wrong;
}

}  // namespace
}  // namespace berth::edge
