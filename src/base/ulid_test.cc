#include "base/ulid.h"

#include <gtest/gtest.h>

#include "base/utf8.h"

namespace berth {
namespace {

TEST(Ulid, IsCrockfordsBase32) {
  // The example of the specification: 1469922850259 ms is 01ARZ3NDEK... in base 32.
  EXPECT_EQ(encode_ulid(1469922850259, std::string(10, '\0')), "01ARZ3NDEK0000000000000000");
  EXPECT_EQ(encode_ulid(0, std::string(10, '\xff')), "0000000000ZZZZZZZZZZZZZZZZ");
  EXPECT_EQ(encode_ulid((std::int64_t{1} << 48) - 1, std::string("\0\0\0\0\0\0\0\0\0\x1f", 10)),
            "7ZZZZZZZZZ000000000000000Z");
}

TEST(Ulid, SortsByTime) {
  EXPECT_LT(encode_ulid(1000, std::string(10, '\xff')), encode_ulid(1001, std::string(10, '\0')));
}

TEST(Ulid, TellsIdsApart) {
  const std::string ulid = encode_ulid(1700000000000, "0123456789");
  EXPECT_TRUE(is_id_of("job_" + ulid, "job"));
  for (const std::string& wrong : {ulid, "user_" + ulid, "job_" + ulid + "0", "job_" + ulid.substr(1),
                                   std::string("job_"), "job_8" + ulid.substr(1), "job_" + ulid.substr(0, 25) + "I"})
    EXPECT_FALSE(is_id_of(wrong, "job")) << wrong;
}

TEST(Utf8, TellsValidTexts) {
  for (const char* valid : {"", "abc", "h\u00e4user", "\u20ac", "\U0001F600", "\uFFFD"})
    EXPECT_TRUE(is_utf8(valid)) << valid;
  for (const char* wrong :
       {"\x80", "a\xff", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"})
    EXPECT_FALSE(is_utf8(wrong)) << wrong;
}

TEST(Utf8, NothingIsNoSequence) {
  EXPECT_EQ(utf8_length(""), 0u);
  EXPECT_EQ(utf8_length(std::string_view()), 0u);
  EXPECT_TRUE(is_utf8(""));
}

TEST(Utf8, CleansWhatIsNot) {
  EXPECT_EQ(clean_utf8("h\u00e4user"), "h\u00e4user");
  EXPECT_EQ(clean_utf8("a\xff"
                       "b\xe2\x82"),
            "a\uFFFDb\uFFFD\uFFFD");
}

}  // namespace
}  // namespace berth
