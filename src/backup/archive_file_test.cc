#include "backup/archive_file.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "io/file.h"
#include "io/temporary.h"

namespace berth::backup {
namespace {

std::string noise(std::size_t size) {
  std::string out;
  std::uint32_t state = 7;
  while (out.size() < size) out += static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
  return out;
}

Result<Stream> write_all(const std::string& path, std::string_view text) {
  const auto writer = TRY(ArchiveWriter::create(path));
  for (; !text.empty(); text.remove_prefix(std::min<std::size_t>(text.size(), 100'000)))
    TRY(writer->write(text.substr(0, 100'000)));
  return writer->finish();
}

Result<std::string> read_all(const std::string& path) {
  const auto reader = TRY(ArchiveReader::open(path));
  std::string out;
  while (true) {
    const auto piece = TRY(reader->next());
    if (piece.empty()) return out;
    out += piece;
  }
}

class ArchiveFile : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(io::make_folder(path_)); }
  void TearDown() override {
    for (const auto& name : *io::list_folder(path_)) EXPECT_TRUE(io::remove_file(path_ + "/" + name));
    ::rmdir(path_.c_str());
  }
  std::string path_ = testing::TempDir() + "berth-archive-" + std::to_string(::getpid());
  std::string file_ = path_ + "/a.tar.zst";
};

TEST_F(ArchiveFile, ComesBackWithItsSum) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{3'000'001}}) {
    const std::string text = noise(size);
    const auto written = write_all(file_, text);
    ASSERT_TRUE(written) << written.error().message;
    EXPECT_EQ(written->bytes, size);
    EXPECT_EQ(written->sha256, sha256_hex(text));
    EXPECT_EQ(*read_all(file_), text);
    ASSERT_TRUE(io::remove_file(file_));
  }
}

TEST_F(ArchiveFile, EveryFlippedByteIsFound) {
  ASSERT_TRUE(write_all(file_, noise(5000)));
  const std::string whole = *io::read_file(file_);
  // The head's bits that mean nothing to the reader are caught by the sum of the whole in verify().
  for (std::size_t at = 12; at < whole.size(); at += 37) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    ASSERT_TRUE(io::write_file(file_, damaged));
    const auto read = read_all(file_);
    ASSERT_FALSE(read) << at;
    EXPECT_EQ(read.error().code, Code::invalid);
  }
}

TEST_F(ArchiveFile, EveryCutIsFound) {
  ASSERT_TRUE(write_all(file_, noise(5000)));
  const std::string whole = *io::read_file(file_);
  for (std::size_t size = 0; size < whole.size(); size += 101) {
    ASSERT_TRUE(io::write_file(file_, whole.substr(0, size)));
    const auto read = read_all(file_);
    ASSERT_FALSE(read) << size;
    EXPECT_EQ(read.error().code, Code::invalid);
  }
}

TEST_F(ArchiveFile, LeavesNothingWithoutAnEnd) {
  {
    const auto writer = ArchiveWriter::create(file_);
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->write("begun"));
  }
  EXPECT_TRUE(io::list_folder(path_)->empty());
}

TEST_F(ArchiveFile, NeverReplacesAnother) {
  ASSERT_TRUE(write_all(file_, "first"));
  const auto again = ArchiveWriter::create(file_);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::conflict);
  const auto nowhere = ArchiveWriter::create(path_ + "/none/a.tar.zst");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, Code::not_found);
}

}  // namespace
}  // namespace berth::backup
