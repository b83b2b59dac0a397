#include "io/seal.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "io/file.h"

namespace berth::io {
namespace {

struct Seal : ::testing::Test {
  std::string folder = ::testing::TempDir() + "berth-seal-" + std::to_string(::getpid());
  std::string path = folder + "/state/seal.key";
  ~Seal() override { std::filesystem::remove_all(folder); }
};

TEST_F(Seal, OpensWhatItSealedAndNothingElse) {
  const auto key = SealKey::load_or_make(path);
  ASSERT_TRUE(key) << key.error().text();
  const std::string sealed = key->seal("DB_PASSWORD=hunter2", "shop 1");
  EXPECT_EQ(sealed.find("hunter2"), std::string::npos);
  EXPECT_NE(sealed, key->seal("DB_PASSWORD=hunter2", "shop 1"));
  EXPECT_EQ(*key->open(sealed, "shop 1"), "DB_PASSWORD=hunter2");
  EXPECT_EQ(key->open(sealed, "shop 2").error().code, Code::invalid);
  for (std::size_t cut = 0; cut < sealed.size(); ++cut) EXPECT_FALSE(key->open(sealed.substr(0, cut), "shop 1"));
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    std::string changed = sealed;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(key->open(changed, "shop 1")) << at;
  }
  EXPECT_EQ(*key->open(key->seal("", ""), ""), "");
}

TEST_F(Seal, KeepsItsKeyToItself) {
  const auto key = SealKey::load_or_make(path);
  ASSERT_TRUE(key);
  struct stat state{};
  ASSERT_EQ(::stat(path.c_str(), &state), 0);
  EXPECT_EQ(state.st_mode & 0777, 0600u);
  EXPECT_EQ(list_folder(folder + "/state")->size(), 1u);
  const auto again = SealKey::load_or_make(path);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->derive("plan"), key->derive("plan"));
  EXPECT_NE(key->derive("plan"), key->derive("other"));
  EXPECT_TRUE(again->open(key->seal("x", "y"), "y"));
}

TEST_F(Seal, RefusesAKeyThatIsNone) {
  EXPECT_EQ(SealKey::load(path).error().code, Code::not_found);
  ASSERT_TRUE(make_folder(folder + "/state"));
  ASSERT_TRUE(write_file(path, "short"));
  EXPECT_EQ(SealKey::load_or_make(path).error().code, Code::invalid);
}

}  // namespace
}  // namespace berth::io
