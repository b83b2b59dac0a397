#include "io/beneath.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "io/file.h"

namespace berth::io {
namespace {

namespace fs = std::filesystem;

struct BeneathTest : ::testing::Test {
  void SetUp() override {
    root = fs::path(::testing::TempDir()) / ("berth-beneath-" + std::to_string(::getpid()));
    fs::create_directories(root / "shop/html");
    std::ofstream(root / "secret") << "not yours";
    std::ofstream(root / "shop/compose.yaml") << "services: {}\n";
  }
  void TearDown() override { fs::remove_all(root); }

  Code code_of(const Result<void>& result) const { return result ? Code::internal : result.error().code; }
  Code reading(const std::string& path) {
    const auto text = folder().read(path, 100);
    EXPECT_FALSE(text) << path;
    return text ? Code::internal : text.error().code;
  }
  Beneath folder() { return *Beneath::open(root / "shop"); }

  fs::path root;
};

TEST_F(BeneathTest, ReadsListsWritesAndRemoves) {
  EXPECT_EQ(*folder().read("compose.yaml", 100), "services: {}\n");
  ASSERT_TRUE(folder().write("a/b/motd", std::string("one\0two\r\n", 9), 0644));
  EXPECT_EQ(folder().read("a/b/motd", 100)->size(), 9u);
  const auto listed = folder().list(10);
  ASSERT_EQ(listed->size(), 2u);
  EXPECT_EQ(listed->front().path, "a/b/motd");
  EXPECT_EQ(listed->front().size, 9u);
  ASSERT_TRUE(folder().remove("a/b/motd"));
  EXPECT_FALSE(fs::exists(root / "shop/a")) << "empty parents go too";
  EXPECT_EQ(reading("a/b/motd"), Code::not_found);
}

TEST_F(BeneathTest, NothingLeadsOut) {
  fs::create_symlink(root / "secret", root / "shop/link");
  fs::create_directory_symlink(root, root / "shop/up");
  for (const char* path : {"../secret", "/etc/passwd", "link", "up/secret", "html/../../secret", "/proc/self/fd/0"}) {
    EXPECT_EQ(reading(path), Code::denied) << path;
    EXPECT_EQ(code_of(folder().write(path, "mine", 0644)), Code::denied) << path;
  }
  EXPECT_EQ(*read_file(root / "secret"), "not yours");
  EXPECT_EQ(folder().list(10)->size(), 1u) << "links are not listed";
}

TEST_F(BeneathTest, IsBounded) {
  ASSERT_TRUE(folder().write("big", std::string(101, 'x'), 0644));
  EXPECT_EQ(reading("big"), Code::invalid);
  EXPECT_EQ(folder().list(1).error().code, Code::invalid);
  EXPECT_EQ(reading("html"), Code::invalid) << "a folder is no file";
}

TEST_F(BeneathTest, LeftoversAreUnseenAndCleaned) {
  std::ofstream(root / "shop/html/.berth-1-0") << "half";
  EXPECT_EQ(folder().list(10)->size(), 1u);
  ASSERT_TRUE(folder().clean());
  EXPECT_FALSE(fs::exists(root / "shop/html/.berth-1-0"));
  EXPECT_TRUE(fs::exists(root / "shop/compose.yaml"));
}

TEST_F(BeneathTest, ATakenNameIsAConflict) {
  fs::create_directory(root / "new");
  EXPECT_EQ(code_of(rename_to_free(root / "new", root / "shop")), Code::conflict);
  EXPECT_TRUE(rename_to_free(root / "new", root / "blog"));
  EXPECT_TRUE(fs::exists(root / "blog"));
}

}  // namespace
}  // namespace berth::io
