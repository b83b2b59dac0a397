#include "base/json_fold.h"

#include <gtest/gtest.h>

namespace berth {
namespace {

TEST(JsonFold, FindsMembersWithoutCase) {
  Json tree = parse_json(R"({"EntryPoints": {"Web": 1}, "x": 2})").value();
  EXPECT_EQ(folded_name(tree, "entrypoints"), "EntryPoints");
  EXPECT_EQ(folded_name(tree, "Other"), "Other");
  EXPECT_EQ(folded_member(folded_member(tree, "entryPoints"), "WEB").integer(), 1);
  EXPECT_TRUE(folded_member(tree, "y").is_null());
  *find_folded(tree, "X") = 3;
  EXPECT_EQ(tree["x"].integer(), 3);
  EXPECT_EQ(find_folded(tree, "y"), nullptr);
  Json text("a");
  EXPECT_EQ(find_folded(text, "a"), nullptr);
}

}  // namespace
}  // namespace berth
