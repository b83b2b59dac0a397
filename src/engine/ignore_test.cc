#include "engine/ignore.h"

#include <gtest/gtest.h>

namespace berth::engine {
namespace {

struct Row {
  std::string pattern, path;
  bool excluded;
};

TEST(Ignore, OnePattern) {
  const Row rows[] = {
      {"a", "a", true},
      {"a", "a/b/c", true},
      {"a", "b/a", false},
      {"a", "ab", false},
      {"/a", "a", true},
      {"./a/", "a/x", true},
      {"a//b", "a/b", true},
      {"a/../b", "b", true},
      {"../a", "a", true},
      {"*", "a", true},
      {"*", "a/b", true},
      {"*.md", "README.md", true},
      {"*.md", "doc/README.md", false},
      {"*/*.md", "doc/README.md", true},
      {"*/*.md", "README.md", false},
      {"**/*.md", "README.md", true},
      {"**/*.md", "a/b/README.md", true},
      {"**", "a", true},
      {"a/**", "a", false},
      {"a/**", "a/b", true},
      {"a/**", "a/b/c", true},
      {"a/**/c", "a/c", true},
      {"a/**/c", "a/x/y/c", true},
      {"a/**/c", "a/x/y/d", false},
      {"**/a/**", "x/a/b", true},
      {"**/a/**", "x/a", false},
      {"**/node_modules", "web/node_modules/x/y.js", true},
      {"a?c", "abc", true},
      {"a?c", "a/c", false},
      {"a[b-d]e", "ace", true},
      {"a[b-d]e", "aee", false},
      {"a[^b]e", "axe", true},
      {"a[^b]e", "abe", false},
      {"a[]x]e", "a]e", true},
      {"a\\*", "a*", true},
      {"a\\*", "ab", false},
      {"a*b*c", "aXbYbZc", true},
      {"a*b*c", "aXbYbZ", false},
      {"*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
      {".git", ".github/x", false},
      {"", "a", false},
      {"# a", "# a", false},
      {"  a  ", "a", true},
  };
  for (const Row& row : rows) {
    const auto patterns = IgnorePatterns::parse(row.pattern);
    ASSERT_TRUE(patterns) << row.pattern;
    EXPECT_EQ(patterns->excludes(row.path), row.excluded) << row.pattern << " on " << row.path;
  }
}

TEST(Ignore, TheLastMatchWins) {
  const auto patterns = IgnorePatterns::parse("*\r\n!src\r\nsrc/gen\n!src/gen/keep.txt\n! doc/*.md\n");
  ASSERT_TRUE(patterns);
  EXPECT_TRUE(patterns->excludes("Makefile"));
  EXPECT_FALSE(patterns->excludes("src"));
  EXPECT_FALSE(patterns->excludes("src/a.cc"));
  EXPECT_TRUE(patterns->excludes("src/gen/a.cc"));
  EXPECT_FALSE(patterns->excludes("src/gen/keep.txt"));
  EXPECT_FALSE(patterns->excludes("doc/a.md"));
  EXPECT_TRUE(patterns->excludes("doc/a.txt"));
}

TEST(Ignore, EntersExcludedFoldersOnlyWhereSomethingMayReturn) {
  const auto patterns = IgnorePatterns::parse("*\n!src/**/keep\n!doc/a/b.md\n!x*/y\n");
  ASSERT_TRUE(patterns);
  EXPECT_TRUE(patterns->may_return_below("src"));
  EXPECT_TRUE(patterns->may_return_below("src/a/b/c"));
  EXPECT_TRUE(patterns->may_return_below("doc"));
  EXPECT_TRUE(patterns->may_return_below("doc/a"));
  EXPECT_FALSE(patterns->may_return_below("doc/b"));
  EXPECT_FALSE(patterns->may_return_below("node_modules"));
  EXPECT_TRUE(patterns->may_return_below("xa"));
  EXPECT_FALSE(patterns->may_return_below("xa/y"));
  EXPECT_FALSE(IgnorePatterns::parse("node_modules")->may_return_below("node_modules"));
}

TEST(Ignore, ABrokenPatternNamesItsLine) {
  EXPECT_EQ(IgnorePatterns::parse("a\n[b\n").error().message, ".dockerignore:2: malformed pattern \"[b\"");
  EXPECT_EQ(IgnorePatterns::parse("a\\").error().code, Code::invalid);
  EXPECT_EQ(IgnorePatterns::parse("!").error().message, ".dockerignore:1: \"!\" without a pattern");
}

TEST(Ignore, ByteOrderMarkIsNoPattern) {
  EXPECT_TRUE(IgnorePatterns::parse("\xEF\xBB\xBF"
                                    "a")
                  ->excludes("a"));
}

}  // namespace
}  // namespace berth::engine
