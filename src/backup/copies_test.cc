#include "backup/copies.h"

#include <gtest/gtest.h>

#include "io/file.h"
#include "io/temporary.h"

namespace berth::backup {
namespace {

TEST(Copies, TheNameOfACopyIsAVolumeAndATime) {
  const auto name = parse_copy("shop_data-20261122T220100Z");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->volume, "shop_data");
  EXPECT_EQ(time_text(name->time), "20261122T220100Z");
  EXPECT_EQ(parse_copy("a-b.c-20261122T220100Z")->volume, "a-b.c");
  for (const char* wrong : {"", "-20261122T220100Z", "a-20261122T220100", "a-20261322T220100Z", "a-20261131T220100Z",
                            "../a-20261122T220100Z", "a/b-20261122T220100Z", ".a-20261122T220100Z",
                            "a\nb-20261122T220100Z", "a-20261122T220100Zx", "a-20261122T220100Z "})
    EXPECT_FALSE(parse_copy(wrong)) << wrong;
}

struct CopiesTest : testing::Test {
  void put(const std::string& name, std::string_view text) {
    ASSERT_TRUE(io::write_file(folder.path() + "/" + name, text, 0600));
  }
  void copy(const std::string& name, const std::string& volume) {
    auto writer = ArchiveWriter::create(folder.path() + "/" + name + ".tar.zst").value();
    ASSERT_TRUE(writer->write("content"));
    const Stream stream = writer->finish().value();
    put(name + ".json", Json::object({{"version", 1},
                                      {"volume", volume},
                                      {"time", name.substr(name.rfind('-') + 1)},
                                      {"bytes", stream.bytes},
                                      {"sha256", stream.sha256}})
                            .dump());
  }
  io::TemporaryFolder folder = io::TemporaryFolder::make(testing::TempDir(), "berth-copies-").value();
};

TEST_F(CopiesTest, OnlyThoseWithADescriptionAreListed) {
  copy("a-20261122T220100Z", "a");
  copy("a-20261123T220100Z", "a");
  copy("a-b-20261122T220100Z", "a-b");
  put("a-20261124T220100Z.tar.zst", "no description: core was killed here");
  put("a-20261125T220100Z.tar.zst.part", "half");
  put("a-20261126T220100Z.json", "{}");
  const auto all = list_copies(folder.path());
  ASSERT_TRUE(all);
  EXPECT_EQ(all->whole.size(), 3u);
  EXPECT_EQ(all->broken.size(), 1u);
  const auto one = list_copies(folder.path(), "a");
  ASSERT_EQ(one->whole.size(), 2u);
  EXPECT_EQ(one->whole[0]["name"].text(), "a-20261123T220100Z");
  EXPECT_EQ(time_text(newest_copy(folder.path(), "a")), "20261123T220100Z");
  EXPECT_EQ(newest_copy(folder.path(), "none"), 0);
  EXPECT_EQ(list_copies(folder.path() + "/none").error().code, Code::not_found);
}

TEST_F(CopiesTest, AWholeCopyIsRemovedAndNothingElse) {
  copy("a-20261122T220100Z", "a");
  copy("a-20261123T220100Z", "b");  // the description is of another one
  put("a-20261124T220100Z.tar.zst", "no description");
  put("a-20261125T220100Z.tar.zst.part", "half");
  put("notes.tar.zst", "not ours");
  const auto before = io::list_folder(folder.path()).value().size();
  const auto refused = [&](const std::string& name) { return remove_copy(folder.path() + "/" + name).error().code; };
  EXPECT_EQ(refused("a-20261123T220100Z.tar.zst"), Code::conflict);
  EXPECT_EQ(refused("a-20261124T220100Z.tar.zst"), Code::not_found);
  EXPECT_EQ(refused("a-20261125T220100Z.tar.zst.part"), Code::invalid);
  EXPECT_EQ(refused("a-20261122T220100Z.json"), Code::invalid);
  EXPECT_EQ(refused("notes.tar.zst"), Code::invalid);
  EXPECT_EQ(refused("a-20261126T220100Z.tar.zst"), Code::not_found);
  EXPECT_EQ(io::list_folder(folder.path()).value().size(), before);
  EXPECT_TRUE(remove_copy(folder.path() + "/a-20261122T220100Z.tar.zst"));
  EXPECT_EQ(io::list_folder(folder.path()).value().size(), before - 2);
}

TEST_F(CopiesTest, OlderWholeCopiesOfTheSameVolumeGo) {
  for (const char* day : {"20", "21", "22", "23", "24"}) copy(std::string("a-202611") + day + "T220100Z", "a");
  copy("a-b-20261101T220100Z", "a-b");
  copy("b-20261101T220100Z", "b");
  put("a-20261102T220100Z.tar.zst", "no description");
  put("a-20261103T220100Z.tar.zst.part", "half");
  copy("a-20261104T220100Z", "b");
  const std::string made = folder.path() + "/a-20261123T220100Z.tar.zst";
  EXPECT_EQ(thin_out(made, 0).error().code, Code::invalid);
  EXPECT_EQ(thin_out(made, 9).value(), std::vector<std::string>());
  EXPECT_EQ(thin_out(made, 2).value(),
            (std::vector<std::string>{"a-20261121T220100Z.tar.zst", "a-20261120T220100Z.tar.zst"}));
  std::string left;
  for (const Json& each : list_copies(folder.path(), "a").value().whole) left += std::string(each["time"].text()) + " ";
  EXPECT_EQ(left, "20261124T220100Z 20261123T220100Z 20261122T220100Z 20261104T220100Z ") << "newer ones stay too";
  EXPECT_EQ(thin_out(made, 1).value(), (std::vector<std::string>{"a-20261122T220100Z.tar.zst"})) << "never itself";
  EXPECT_EQ(list_copies(folder.path(), "a-b").value().whole.size(), 1u);
  EXPECT_EQ(list_copies(folder.path(), "b").value().whole.size(), 1u);
  EXPECT_TRUE(io::exists(folder.path() + "/a-20261102T220100Z.tar.zst"));
  EXPECT_TRUE(io::exists(folder.path() + "/a-20261103T220100Z.tar.zst.part"));
}

TEST_F(CopiesTest, OnlyHalvesOfThatVolumeAreDropped) {
  put("a-20261125T220100Z.tar.zst.part", "half");
  put("a-b-20261125T220100Z.tar.zst.part", "of another");
  put("notes.part", "somebody's");
  copy("a-20261122T220100Z", "a");
  ASSERT_TRUE(drop_parts(folder.path(), "a"));
  EXPECT_FALSE(io::exists(folder.path() + "/a-20261125T220100Z.tar.zst.part"));
  EXPECT_TRUE(io::exists(folder.path() + "/a-b-20261125T220100Z.tar.zst.part"));
  EXPECT_TRUE(io::exists(folder.path() + "/notes.part"));
  EXPECT_EQ(list_copies(folder.path())->whole.size(), 1u);
}

TEST_F(CopiesTest, ADamagedOneIsTold) {
  copy("a-20261122T220100Z", "a");
  const std::string file = folder.path() + "/a-20261122T220100Z.tar.zst";
  EXPECT_EQ(verify(file)->bytes, 7u);
  auto text = io::read_file(file).value();
  ASSERT_TRUE(io::write_file(file, text.substr(0, text.size() - 3), 0600));
  EXPECT_EQ(verify(file).error().code, Code::invalid);
}

}  // namespace
}  // namespace berth::backup
