#include "io/spool.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "io/file.h"

namespace berth::io {
namespace {

struct SpoolTest : ::testing::Test {
  ~SpoolTest() override { std::filesystem::remove_all(folder); }
  std::string folder = [] {
    std::string path = "/tmp/berth-spool-XXXXXX";
    return std::string(::mkdtemp(path.data()));
  }();
};

TEST_F(SpoolTest, GivesBackWhatItWasGiven) {
  auto spool = Spool::open(folder + "/made");
  ASSERT_TRUE(spool) << spool.error().message;
  ASSERT_TRUE(spool->append("hello "));
  ASSERT_TRUE(spool->append("world"));
  EXPECT_EQ(spool->size(), 11u);
  EXPECT_EQ(spool->read(0, 64).value(), "hello world");
  EXPECT_EQ(spool->read(6, 3).value(), "wor");
  EXPECT_EQ(spool->read(11, 3).value(), "");
  ASSERT_TRUE(spool->append("!"));
  EXPECT_EQ(spool->read(10, 64).value(), "d!");
}

TEST_F(SpoolTest, HasNoName) {
  const auto spool = Spool::open(folder);
  ASSERT_TRUE(spool);
  EXPECT_TRUE(list_folder(folder).value().empty());
}

TEST_F(SpoolTest, NeedsAFolder) {
  ASSERT_TRUE(write_file(folder + "/file", ""));
  EXPECT_FALSE(Spool::open(folder + "/file"));
}

}  // namespace
}  // namespace berth::io
