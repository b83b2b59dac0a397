#include "engine/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

namespace berth::engine {
namespace {

struct Read {
  std::string path{}, link{}, content{};
  int type = 0;
  unsigned mode = 0;
  std::int64_t mtime = 0, size = 0;
};
// What another reader of tar makes of it.
std::vector<Read> read_all(const std::string& text) {
  std::vector<Read> result;
  archive* reader = archive_read_new();
  archive_read_support_format_tar(reader);
  EXPECT_EQ(archive_read_open_memory(reader, text.data(), text.size()), ARCHIVE_OK);
  archive_entry* entry = nullptr;
  int status = 0;
  while ((status = archive_read_next_header(reader, &entry)) == ARCHIVE_OK) {
    Read read{.path = archive_entry_pathname(entry)};
    if (const char* link = archive_entry_symlink(entry)) read.link = link;
    read.type = static_cast<int>(archive_entry_filetype(entry));
    read.mode = archive_entry_perm(entry);
    read.mtime = archive_entry_mtime(entry);
    read.size = archive_entry_size(entry);
    read.content.resize(static_cast<std::size_t>(std::min<std::int64_t>(read.size, 1 << 20)));
    if (read.size > 0 && read.size <= 1 << 20)
      EXPECT_EQ(archive_read_data(reader, read.content.data(), read.content.size()), read.size);
    result.push_back(std::move(read));
  }
  EXPECT_EQ(status, ARCHIVE_EOF);
  archive_read_free(reader);
  return result;
}

TEST(Tar, IsReadByLibarchive) {
  std::string text;
  append_tar_header(text, {.kind = TarEntry::Kind::folder, .path = "dir", .mode = 0755, .mtime = 12345});
  append_tar_file(text, {.path = "dir/file", .mode = 04711, .mtime = 1'700'000'000}, "content");
  append_tar_file(text, {.path = "empty"}, "");
  append_tar_header(text, {.kind = TarEntry::Kind::symlink, .path = "link", .link = "dir/file"});
  append_tar_header(text, {.kind = TarEntry::Kind::fifo, .path = "pipe"});
  append_tar_end(text);
  EXPECT_EQ(text.size() % 512, 0u);
  const auto entries = read_all(text);
  ASSERT_EQ(entries.size(), 5u);
  EXPECT_EQ(entries[0].path, "dir/");
  EXPECT_EQ(entries[0].type, static_cast<int>(AE_IFDIR));
  EXPECT_EQ(entries[0].mtime, 12345);
  EXPECT_EQ(entries[1].content, "content");
  EXPECT_EQ(entries[1].mode, 04711u);
  EXPECT_EQ(entries[1].mtime, 1'700'000'000);
  EXPECT_EQ(entries[2].size, 0);
  EXPECT_EQ(entries[3].link, "dir/file");
  EXPECT_EQ(entries[3].type, static_cast<int>(AE_IFLNK));
  EXPECT_EQ(entries[4].type, static_cast<int>(AE_IFIFO));
}

TEST(Tar, PathsOfEveryLength) {
  for (std::size_t size = 1; size < 400; ++size) {
    std::string path;
    while (path.size() < size) path += (path.size() % 30 == 29) ? '/' : 'a';
    if (path.ends_with('/')) path.back() = 'b';
    std::string text;
    append_tar_file(text, {.path = path}, "x");
    append_tar_header(text, {.kind = TarEntry::Kind::symlink, .path = "l", .link = path});
    append_tar_end(text);
    const auto entries = read_all(text);
    ASSERT_EQ(entries.size(), 2u) << size;
    ASSERT_EQ(entries[0].path, path);
    ASSERT_EQ(entries[1].link, path);
  }
}

TEST(Tar, ALongNameWithoutSlash) {
  std::string text;
  const std::string name(300, 'n');
  append_tar_file(text, {.path = name}, "x");
  append_tar_end(text);
  EXPECT_EQ(read_all(text).at(0).path, name);
}

TEST(Tar, ASizeBeyondOctal) {
  std::string text;
  append_tar_header(text, {.path = "big", .size = std::uint64_t{20} << 30});
  EXPECT_NE(text.find("size=21474836480\n"), std::string::npos);
  EXPECT_EQ(text.size(), 3u * 512);
}

TEST(Tar, EqualEntriesGiveEqualBytes) {
  std::string a, b;
  append_tar_file(a, {.path = "p", .mtime = 5}, "x");
  append_tar_file(b, {.path = "p", .mtime = 5}, "x");
  EXPECT_EQ(a, b);
}

}  // namespace
}  // namespace berth::engine
