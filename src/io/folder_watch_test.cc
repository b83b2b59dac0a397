#include "io/folder_watch.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "io/scope.h"

namespace berth::io {
namespace {

namespace fs = std::filesystem;

struct FolderWatchTest : ::testing::Test {
  void SetUp() override {
    root = fs::path(::testing::TempDir()) / ("berth-watch-" + std::to_string(::getpid()));
    fs::create_directories(root / "a/b");
    fs::create_directories(root / "skipped");
    write("a/old", "1");
    watch = std::move(*FolderWatch::open(loop, [](const std::string& path) { return path.ends_with("/skipped"); }));
    ASSERT_TRUE(watch->add(root.string()));
  }
  void TearDown() override { fs::remove_all(root); }

  void write(const std::string& path, const std::string& text) { std::ofstream(root / path) << text; }

  // The paths below the root that changed, until nothing has for a while.
  std::vector<std::string> changes() {
    const auto found = loop.run(within(std::chrono::seconds(5), watch->next()));
    std::vector<std::string> out;
    if (!found) return out;
    for (const auto& path : found->paths) out.push_back(fs::relative(path, root).string());
    return out;
  }
  bool quiet() {
    const auto found = loop.run(within(std::chrono::milliseconds(20), watch->next()));
    return !found && found.error().code == Code::timeout;
  }

  Loop loop;
  fs::path root;
  std::unique_ptr<FolderWatch> watch;
};

using Paths = std::vector<std::string>;

TEST_F(FolderWatchTest, TellsOfWritesRemovalsAndNewFolders) {
  write("a/b/x", "1");
  EXPECT_EQ(changes(), Paths{"a/b/x"});
  fs::remove(root / "a/old");
  EXPECT_EQ(changes(), Paths{"a/old"});
  fs::create_directories(root / "new/deep");
  write("new/deep/file", "1");
  EXPECT_EQ(changes(), (Paths{"new", "new/deep", "new/deep/file"}));
  write("new/deep/file", "2");
  EXPECT_EQ(changes(), Paths{"new/deep/file"});
  fs::rename(root / "a/b/x", root / "a/y");
  EXPECT_EQ(changes(), (Paths{"a/b/x", "a/y"}));
}

TEST_F(FolderWatchTest, ReadingTellsNothing) {
  std::string text;
  std::ifstream(root / "a/old") >> text;
  EXPECT_TRUE(quiet());
}

TEST_F(FolderWatchTest, SkippedFoldersAreNotWatched) {
  write("skipped/x", "1");
  EXPECT_TRUE(quiet());
}

TEST_F(FolderWatchTest, ASingleFileIsWatchedByItsFolder) {
  auto own = std::move(*FolderWatch::open(loop));
  ASSERT_TRUE(own->add((root / "a/old").string()));
  write("a/old", "2");
  const auto found = loop.run(within(std::chrono::seconds(5), own->next()));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->paths, Paths{(root / "a/old").string()});
}

TEST_F(FolderWatchTest, AFileOfTheWorkingFolderNeedsNoFolderInItsName) {
  const auto before = fs::current_path();
  fs::current_path(root / "a");
  auto own = std::move(*FolderWatch::open(loop));
  ASSERT_TRUE(own->add("old"));
  write("a/old", "2");
  const auto found = loop.run(within(std::chrono::seconds(5), own->next()));
  fs::current_path(before);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->paths, Paths{"old"});
}

TEST_F(FolderWatchTest, WhatDoesNotExistIsAnError) {
  const auto added = watch->add((root / "nope").string());
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, Code::not_found);
}

}  // namespace
}  // namespace berth::io
