#include "base/text.h"

#include <gtest/gtest.h>

namespace berth {
namespace {

using Views = std::vector<std::string_view>;
using Words = std::vector<std::string>;

TEST(Text, SplitKeepsEmptyParts) {
  EXPECT_EQ(split("a,,b,", ','), (Views{"a", "", "b", ""}));
  EXPECT_EQ(split("", ','), (Views{""}));
}

TEST(Text, CutsAtTheFirstAndAtTheLast) {
  EXPECT_EQ(cut("a=b=c", '=').after, "b=c");
  EXPECT_EQ(cut_last("a=b=c", '=').before, "a=b");
  EXPECT_FALSE(cut("abc", '=').found);
  EXPECT_EQ(cut("abc", '=').before, "abc");
}

TEST(Text, JoinsTrimsAndReplaces) {
  const Words words{"a", "b"};
  EXPECT_EQ(join(words, ", "), "a, b");
  EXPECT_EQ(join({}, ", "), "");
  EXPECT_EQ(trim(" \t a b\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(replace_all("a$b$", "$", "$$"), "a$$b$$");
}

TEST(Text, CaseIsAsciiOnly) {
  EXPECT_EQ(lower("AbZ\xc3\x89"), "abz\xc3\x89");
  EXPECT_TRUE(equal_fold("Content-Type", "content-tYPE"));
  EXPECT_FALSE(equal_fold("a", "ab"));
}

TEST(Text, SuggestsTheNearestWordOrNothing) {
  const Views keys{"image", "ports", "volumes"};
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(did_you_mean("port", keys), "ports");
  EXPECT_EQ(did_you_mean("Volume", keys), "volumes");
  EXPECT_EQ(did_you_mean("zzz", keys), "");
  EXPECT_EQ(suggestion("imgae", keys), " (did you mean \"image\"?)");
  EXPECT_EQ(suggestion("zzz", keys), "");
}

TEST(Text, WordsFollowQuotesAndBackslashes) {
  EXPECT_EQ(*split_words("a 'b c' \"d \\\"e\" f\\ g"), (Words{"a", "b c", "d \"e", "f g"}));
  EXPECT_EQ(*split_words("a '' \"\""), (Words{"a", "", ""}));
  EXPECT_EQ(*split_words("a #b x\\ty"), (Words{"a", "#b", "x\ty"}));
  EXPECT_EQ(*split_words("a `b c` $(d e)"), (Words{"a", "`b c`", "$(d e)"}));
  EXPECT_EQ(*split_words(" \t\n"), Words{});
}

TEST(Text, WordsEndAtAnOperator) {
  EXPECT_EQ(*split_words("a b;c"), (Words{"a", "b"}));
  EXPECT_EQ(*split_words("a && b"), (Words{"a"}));
  EXPECT_EQ(*split_words("a 2>file"), (Words{"a"}));
  EXPECT_EQ(*split_words("a '&' \\; b"), (Words{"a", "&", ";", "b"}));
}

TEST(Text, WordsThatAreNotClosedAreRefused) {
  for (const auto* const bad : {"\"a", "'a", "a\\", "a (b)", "a )", "`a", "$(a"}) {
    const auto words = split_words(bad);
    ASSERT_FALSE(words) << bad;
    EXPECT_EQ(words.error().code, Code::invalid);
  }
}

}  // namespace
}  // namespace berth
