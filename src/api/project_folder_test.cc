#include "api/project_folder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace berth::api {
namespace {

namespace fs = std::filesystem;

struct ProjectFoldersTest : ::testing::Test {
  void SetUp() override {
    root = fs::path(::testing::TempDir()) / ("berth-folders-" + std::to_string(::getpid()));
    fs::remove_all(root);
  }
  void TearDown() override { fs::remove_all(root); }

  ProjectFolders open() { return *ProjectFolders::open(root); }
  template <class T>
  Code code_of(const Result<T>& result) {
    EXPECT_FALSE(result);
    return result ? Code::internal : result.error().code;
  }

  fs::path root;
  const FileTexts shop{{"compose.yaml", "services: {}\n"}, {"html/index.html", "<p>\r\n"}};
};

TEST_F(ProjectFoldersTest, KeepsProjectsByteForByte) {
  const auto folders = open();
  ASSERT_TRUE(folders.create("shop", shop));
  EXPECT_EQ(*folders.names(), std::vector<std::string>{"shop"});
  EXPECT_EQ(*folders.read("shop", "html/index.html"), "<p>\r\n");
  EXPECT_EQ(*folders.texts("shop"), shop);
  const auto files = folders.files("shop");
  ASSERT_EQ(files->size(), 2u);
  EXPECT_EQ(files->front().etag, etag_of("services: {}\n"));
  EXPECT_EQ(code_of(folders.create("shop", shop)), Code::conflict);
  ASSERT_TRUE(folders.remove("shop"));
  EXPECT_FALSE(folders.has("shop"));
  EXPECT_EQ(code_of(folders.remove("shop")), Code::not_found);
}

TEST_F(ProjectFoldersTest, AnEditThatLostTheRaceIsRefused) {
  const auto folders = open();
  ASSERT_TRUE(folders.create("shop", shop));
  const auto before = etag_of("services: {}\n");
  const auto after = folders.write("shop", "compose.yaml", "services: {web: {image: a}}\n", before);
  ASSERT_TRUE(after);
  EXPECT_EQ(code_of(folders.write("shop", "compose.yaml", "mine\n", before)), Code::moved);
  EXPECT_EQ(code_of(folders.write("shop", "compose.yaml", "mine\n", "")), Code::moved) << "it exists";
  EXPECT_EQ(code_of(folders.write("shop", "gone", "mine\n", before)), Code::moved);
  EXPECT_EQ(*folders.read("shop", "compose.yaml"), "services: {web: {image: a}}\n");
  EXPECT_TRUE(folders.write("shop", "compose.yaml", "services: {}\n", *after));
  EXPECT_TRUE(folders.write("shop", ".env", "A=1\n", ""));
  EXPECT_EQ(fs::status(root / "shop/.env").permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(ProjectFoldersTest, TheLastComposeFileStays) {
  const auto folders = open();
  ASSERT_TRUE(folders.create("shop", shop));
  EXPECT_EQ(code_of(folders.remove_file("shop", "compose.yaml", "*")), Code::conflict);
  EXPECT_EQ(code_of(folders.remove_file("shop", "html/index.html", "stale")), Code::moved);
  EXPECT_TRUE(folders.remove_file("shop", "html/index.html", etag_of("<p>\r\n")));
  EXPECT_EQ(code_of(folders.remove_file("shop", "html/index.html", "*")), Code::not_found);
}

TEST_F(ProjectFoldersTest, NamesPathsAndSizesAreChecked) {
  const auto folders = open();
  for (const char* name : {"", "Shop", "a b", "../x", "-x", ".x", "a/b", "a@b"}) {
    EXPECT_EQ(code_of(folders.create(name, shop)), Code::invalid) << name;
    EXPECT_EQ(code_of(folders.files(name)), Code::invalid) << name;
  }
  EXPECT_EQ(code_of(folders.create(std::string(64, 'a'), shop)), Code::invalid);
  ASSERT_TRUE(folders.create("shop", shop));
  for (const char* path : {"", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".", "a\nb", "a\\b", ".berth-x",
                           "1/2/3/4/5/6/7/8/9", ".git/config"})
    EXPECT_EQ(code_of(folders.write("shop", path, "x", "*")), Code::invalid) << path;
  EXPECT_EQ(code_of(folders.write("shop", "big", std::string(kMostFileBytes + 1, 'x'), "*")), Code::invalid);
  EXPECT_EQ(code_of(folders.create("blog", {{"readme", "x"}})), Code::invalid) << "no Compose file";
  FileTexts many = shop;
  for (std::size_t i = 0; i <= kMostProjectFiles; ++i) many["f" + std::to_string(i)] = "x";
  EXPECT_EQ(code_of(folders.create("many", many)), Code::invalid);
  for (int i = 0; i < 7; ++i)
    ASSERT_TRUE(folders.write("shop", "big" + std::to_string(i), std::string(kMostFileBytes, 'x'), "*"));
  EXPECT_EQ(code_of(folders.write("shop", "big7", std::string(kMostFileBytes, 'x'), "*")), Code::invalid);
  EXPECT_EQ(*folders.names(), std::vector<std::string>{"shop"}) << "what was refused left nothing";
}

TEST_F(ProjectFoldersTest, WhatAKilledProcessLeftIsRemovedAtTheStart) {
  ASSERT_TRUE(open().create("shop", shop));
  fs::create_directories(root / ".berth-new-1/html");
  fs::create_directories(root / ".berth-gone-2");
  std::ofstream(root / "shop/.berth-9-1") << "half";
  fs::create_directories(root / "shop@0123");  // the project's generations
  const auto folders = open();
  EXPECT_EQ(*folders.texts("shop"), shop);
  EXPECT_FALSE(fs::exists(root / ".berth-new-1"));
  EXPECT_FALSE(fs::exists(root / ".berth-gone-2"));
  EXPECT_FALSE(fs::exists(root / "shop/.berth-9-1"));
  EXPECT_TRUE(fs::exists(root / "shop@0123"));
}

TEST_F(ProjectFoldersTest, AnAdoptedProjectStaysWhereItIs) {
  const auto home = root / "elsewhere@x";
  fs::create_directories(home);
  std::ofstream(home / "shop.yaml") << "services: {}\n";
  std::ofstream(home / "id_rsa") << "not the project's";
  ASSERT_TRUE(open().adopt("shop", {.folder = home, .compose = {"shop.yaml"}, .files = {"shop.yaml"}}));
  const auto folders = open();  // as after a restart
  EXPECT_EQ(*folders.names(), std::vector<std::string>{"shop"});
  EXPECT_EQ(folders.path_of("shop"), home);
  EXPECT_EQ(folders.texts("shop")->size(), 1u);
  EXPECT_EQ(code_of(folders.read("shop", "id_rsa")), Code::not_found);
  EXPECT_EQ(code_of(folders.write("shop", "id_rsa", "mine", "*")), Code::denied);
  EXPECT_EQ(code_of(folders.remove_file("shop", "id_rsa", "*")), Code::not_found);
  EXPECT_EQ(code_of(folders.remove_file("shop", "shop.yaml", "*")), Code::conflict);
  ASSERT_TRUE(folders.write("shop", "shop.yaml", "services: {a: {image: b}}\n", etag_of("services: {}\n")));
  ASSERT_TRUE(folders.write("shop", ".env", "A=1\n", ""));
  EXPECT_EQ(open().texts("shop")->size(), 2u);
  EXPECT_EQ(code_of(folders.create("shop", shop)), Code::conflict);
  EXPECT_EQ(code_of(folders.adopt("shop", {.folder = home})), Code::conflict);
  ASSERT_TRUE(folders.remove("shop"));
  EXPECT_FALSE(folders.has("shop"));
  EXPECT_TRUE(fs::exists(home / "shop.yaml")) << "its files are not ours to remove";
  EXPECT_TRUE(open().names()->empty());
}

TEST_F(ProjectFoldersTest, AFolderThatIsALinkIsNoProject) {
  const auto folders = open();
  fs::create_directories(root / "elsewhere@x");
  fs::create_directory_symlink("/etc", root / "shop");
  EXPECT_FALSE(folders.files("shop"));
  EXPECT_FALSE(folders.read("shop", "passwd"));
}

}  // namespace
}  // namespace berth::api
