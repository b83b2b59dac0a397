#include "http/sse.h"

#include <gtest/gtest.h>

namespace berth::http {
namespace {

std::string text_of(const Event& event) {
  std::string out;
  append_event(out, event);
  return out;
}

TEST(Sse, WritesFieldsAndLines) {
  EXPECT_EQ(text_of({.id = "7", .name = "out", .data = "a"}), "id: 7\nevent: out\ndata: a\n\n");
  EXPECT_EQ(text_of({.data = "a\nb\r\nc\rd"}), "data: a\ndata: b\ndata: c\ndata: d\n\n");
  EXPECT_EQ(text_of({}), "data: \n\n");
}

TEST(Sse, NothingCanBreakOutOfAField) {
  EXPECT_EQ(text_of({.id = "1\ndata: x", .name = "a\r\n\r\nb", .data = "\n\nid: 9"}),
            "id: 1data: x\nevent: ab\ndata: \ndata: \ndata: id: 9\n\n");
}

TEST(Sse, ReadsTheLastEventId) {
  EXPECT_EQ(last_event_number("42"), 42u);
  for (const char* text : {"", "-1", "4 2", "x", "99999999999999999999999"})
    EXPECT_FALSE(last_event_number(text)) << text;
}

}  // namespace
}  // namespace berth::http
