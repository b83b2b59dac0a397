#include "plan/git_checkout.h"

#include <gtest/gtest.h>

namespace berth::plan {
namespace {

std::string parsed(std::string_view text) {
  const auto source = parse_git_source(text);
  return source ? source->url + " " + source->ref + " " + source->folder : std::string("none");
}

TEST(GitSource, IsReadAsDockerReadsIt) {
  EXPECT_EQ(parsed("https://host/a.git"), "https://host/a.git  ");
  EXPECT_EQ(parsed("https://host/a.git#v1:sub/x"), "https://host/a.git v1 sub/x");
  EXPECT_EQ(parsed("github.com/a/b#:sub"), "https://github.com/a/b  sub");
  EXPECT_EQ(parsed("git@host:a/b#main"), "git@host:a/b main ");
  EXPECT_EQ(parsed("git://host/a"), "git://host/a  ");
  for (const auto* text : {"/folder", "./a.git", "https://host/a.tar.gz", "file:///a.git", "ext::sh -c x", ""})
    EXPECT_EQ(parsed(text), "none") << text;
  EXPECT_TRUE(is_url("https://host/a.tar.gz"));
  EXPECT_FALSE(is_url("/https://"));
}

}  // namespace
}  // namespace berth::plan
