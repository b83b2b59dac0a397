#include "io/ownership.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"
#include "io/temporary.h"

namespace berth::io {
namespace {

constexpr uid_t kOther = 12345;

struct OwnershipTest : ::testing::Test {
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
    folder = std::make_unique<TemporaryFolder>(*TemporaryFolder::make("/tmp", "berth-own"));
    top = folder->path() + "/top";
    outside = folder->path() + "/outside";
    for (const auto& path : {top + "/in/deep", top + "/kept", outside}) ASSERT_TRUE(make_folder(path));
    for (const auto& path : {top + "/in/deep/file", top + "/kept/file", outside + "/file"})
      ASSERT_TRUE(write_file(path, "x"));
    ASSERT_EQ(::symlink(outside.c_str(), (top + "/link").c_str()), 0);
    ASSERT_EQ(::symlink((outside + "/file").c_str(), (top + "/in/link").c_str()), 0);
    ASSERT_EQ(::link((outside + "/file").c_str(), (top + "/in/second-name").c_str()), 0);
  }
  static uid_t owner(const std::string& path) {
    struct stat status{};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
    return status.st_uid;
  }
  void give_top() { ASSERT_EQ(::chown(top.c_str(), kOther, kOther), 0); }

  std::unique_ptr<TemporaryFolder> folder;
  std::string top, outside;
};

TEST_F(OwnershipTest, WhatIsRootsBelowBecomesTheFoldersOwners) {
  ASSERT_TRUE(settle_folder(top)) << "root's own folder";
  EXPECT_EQ(owner(top + "/in"), 0u);
  give_top();
  ASSERT_EQ(::chown((top + "/in/deep").c_str(), 777, 777), 0);
  ASSERT_TRUE(settle_folder(top, {"kept"}));
  EXPECT_EQ(owner(top + "/in"), kOther);
  EXPECT_EQ(owner(top + "/in/deep"), 777u) << "another one's";
  EXPECT_EQ(owner(top + "/in/deep/file"), kOther);
  EXPECT_EQ(owner(top + "/kept"), 0u);
  EXPECT_EQ(owner(top + "/kept/file"), 0u);
}

TEST_F(OwnershipTest, NothingOutsideIsReached) {
  give_top();
  ASSERT_TRUE(settle_folder(top));
  EXPECT_EQ(owner(outside), 0u) << "through a link to a folder";
  EXPECT_EQ(owner(outside + "/file"), 0u) << "through a link, or a second name";
  ASSERT_TRUE(settle_file(top + "/in/link"));
  ASSERT_TRUE(settle_file(top + "/in/second-name"));
  EXPECT_EQ(owner(outside + "/file"), 0u);
}

TEST_F(OwnershipTest, AFileFollowsItsFolder) {
  give_top();
  ASSERT_TRUE(write_file(top + "/new", "x"));
  ASSERT_TRUE(settle_file(top + "/new"));
  EXPECT_EQ(owner(top + "/new"), kOther);
  ASSERT_TRUE(settle_file(outside + "/file"));
  EXPECT_EQ(owner(outside + "/file"), 0u);
  EXPECT_EQ(settle_file(outside + "/no/file").error().code, Code::denied);
}

TEST_F(OwnershipTest, AFolderBelowAClosedOneCannotBeOpened) {
  ASSERT_EQ(::chmod(folder->path().c_str(), 0711), 0);
  ASSERT_TRUE(*give_folder(top, "daemon"));
  EXPECT_TRUE(may_open_folder(top, "daemon"));
  ASSERT_EQ(::chmod(folder->path().c_str(), 0700), 0);
  const auto refused = may_open_folder(top, "daemon");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "cannot open the folder " + top + " as daemon: Permission denied");
  EXPECT_TRUE(exists(top)) << "root again";
}

TEST_F(OwnershipTest, AFolderIsGivenOnce) {
  EXPECT_EQ(give_folder(top, "no-such-account").error().code, Code::not_found);
  EXPECT_TRUE(has_account("daemon"));
  EXPECT_FALSE(has_account("no-such-account"));
  EXPECT_TRUE(*give_folder(top, "daemon"));
  EXPECT_NE(owner(top), 0u);
  EXPECT_FALSE(*give_folder(top, "daemon"));
}

// A link that another account could have put there, or could put elsewhere, leads nowhere.
TEST_F(OwnershipTest, LinksOfRootAloneAreFollowed) {
  ASSERT_TRUE(make_folder(outside + "/real/inner", 0755));
  const auto link = [&](const std::string& target, const std::string& name) {
    ASSERT_EQ(::symlink(target.c_str(), (top + "/" + name).c_str()), 0);
  };
  link(outside + "/real", "absolute");
  link("./absolute/../real/./inner", "relative");
  link("round", "round");
  EXPECT_EQ(settled_path(top + "/absolute/inner"), outside + "/real/inner");
  EXPECT_EQ(settled_path(top + "/relative"), outside + "/real/inner");
  EXPECT_EQ(settled_path(top + "/absolute/not/there"), outside + "/real/not/there");
  EXPECT_EQ(settled_path(top), top);
  EXPECT_EQ(settled_path("/"), "/");
  EXPECT_EQ(settled_path("/.."), "/");
  EXPECT_EQ(settled_path(top + "/round"), std::nullopt);
  ASSERT_EQ(::chmod(top.c_str(), 0777), 0);
  EXPECT_EQ(settled_path(top + "/absolute"), std::nullopt);
  EXPECT_EQ(settled_path(top + "/file"), top + "/file");
  ASSERT_EQ(::chmod(top.c_str(), 01777), 0);
  EXPECT_EQ(settled_path(top + "/absolute"), outside + "/real");
  ASSERT_EQ(::lchown((top + "/absolute").c_str(), kOther, kOther), 0);
  EXPECT_EQ(settled_path(top + "/absolute"), std::nullopt);
  ASSERT_EQ(::chmod(top.c_str(), 0755), 0);
  EXPECT_EQ(settled_path(top + "/absolute"), outside + "/real");
  ASSERT_EQ(::chown(top.c_str(), kOther, kOther), 0);
  EXPECT_EQ(settled_path(top + "/absolute"), std::nullopt);
}

TEST_F(OwnershipTest, OthersMayPassAndSeeNothing) {
  struct stat status{};
  ASSERT_EQ(::chmod(top.c_str(), 0700), 0);
  ASSERT_TRUE(let_pass(top));
  ASSERT_EQ(::stat(top.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0711u);
  EXPECT_FALSE(let_pass(top + "/no"));
}

}  // namespace
}  // namespace berth::io
