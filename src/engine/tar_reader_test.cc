#include "engine/tar_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include "engine/tar.h"

namespace berth::engine {
namespace {

struct Read {
  TarFound found{};
  std::string content{};
};

/// What the reader makes of `text` that comes in pieces of `size` bytes.
Result<std::vector<Read>> read_in_pieces(std::string_view text, std::size_t size) {
  std::vector<Read> out;
  TarReader reader;
  while (true) {
    std::string_view piece = text.substr(0, size);
    if (piece.empty()) return fail(Code::unavailable, "cut off");
    text.remove_prefix(piece.size());
    TarReader::Step step{};
    while ((step = TRY(reader.next(piece))) != TarReader::Step::more) {
      if (step == TarReader::Step::end) return out;
      if (step == TarReader::Step::entry) out.push_back({.found = reader.entry()});
      if (step == TarReader::Step::content) out.back().content += reader.content();
    }
  }
}

using Format = int (*)(archive*);

struct Written {
  const char* path;
  unsigned type = AE_IFREG;
  std::string content{};
  const char* link = nullptr;
};

std::string archive_of(Format format, const std::vector<Written>& entries) {
  std::string out;
  archive* writer = archive_write_new();
  format(writer);
  archive_write_set_bytes_per_block(writer, 0);
  archive_write_open(
      writer, &out, nullptr,
      [](archive*, void* to, const void* bytes, std::size_t size) -> la_ssize_t {
        static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), size);
        return static_cast<la_ssize_t>(size);
      },
      nullptr);
  for (const Written& each : entries) {
    archive_entry* item = archive_entry_new();
    archive_entry_set_pathname(item, each.path);
    archive_entry_set_filetype(item, each.type);
    archive_entry_set_perm(item, 04751);
    archive_entry_set_mtime(item, 1'700'000'000, 0);
    if (each.link && each.type == AE_IFLNK) archive_entry_set_symlink(item, each.link);
    if (each.link && each.type == AE_IFREG) archive_entry_set_hardlink(item, each.link);
    archive_entry_set_size(item, static_cast<la_int64_t>(each.content.size()));
    archive_write_header(writer, item);
    if (!each.content.empty()) archive_write_data(writer, each.content.data(), each.content.size());
    archive_entry_free(item);
  }
  archive_write_close(writer);
  archive_write_free(writer);
  return out;
}

TEST(TarReader, ReadsWhatLibarchiveWritesInEachForm) {
  const std::string deep = "data/" + std::string(120, 'd') + "/" + std::string(90, 'f');
  const std::string target(140, 't');
  const std::vector<Written> entries{{"data/", AE_IFDIR},
                                     {deep.c_str(), AE_IFREG, std::string(70'000, 'x')},
                                     {"data/empty", AE_IFREG},
                                     {"data/link", AE_IFLNK, "", target.c_str()},
                                     {"data/hard", AE_IFREG, "", "data/empty"},
                                     {"data/pipe", AE_IFIFO},
                                     {"data/last", AE_IFREG, "end"}};
  for (const Format format :
       {archive_write_set_format_pax, archive_write_set_format_pax_restricted, archive_write_set_format_gnutar}) {
    const std::string text = archive_of(format, entries);
    for (const std::size_t size : {1uz, 511uz, 512uz, 100'000uz}) {
      const auto read = read_in_pieces(text, size);
      ASSERT_TRUE(read) << read.error().message;
      ASSERT_EQ(read->size(), entries.size());
      EXPECT_EQ((*read)[0].found.kind, TarFound::Kind::folder);
      EXPECT_EQ((*read)[1].found.path, deep);
      EXPECT_EQ((*read)[1].content, entries[1].content);
      EXPECT_EQ((*read)[1].found.mode, 04751u);
      EXPECT_EQ((*read)[1].found.mtime, 1'700'000'000);
      EXPECT_EQ((*read)[3].found.kind, TarFound::Kind::symlink);
      EXPECT_EQ((*read)[3].found.link, target);
      EXPECT_EQ((*read)[4].found.kind, TarFound::Kind::hardlink);
      EXPECT_EQ((*read)[4].found.link, "data/empty");
      EXPECT_EQ((*read)[5].found.kind, TarFound::Kind::other);
      EXPECT_EQ((*read)[6].content, "end");
    }
  }
}

TEST(TarReader, KeepsHostileNamesAsTheyAre) {
  std::string text;
  const std::string names[] = {"../../etc/passwd", "/etc/shadow", "a\nb", "\xff\xfe", "\x1b[31mred", "<script>"};
  for (const std::string& name : names) append_tar_file(text, {.path = name}, "1");
  append_tar_end(text);
  const auto read = read_in_pieces(text, 4096);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), std::size(names));
  for (std::size_t i = 0; i < read->size(); ++i) EXPECT_EQ((*read)[i].found.path, names[i]);
}

TEST(TarReader, SaysThatAnArchiveIsDamagedOrCutOff) {
  std::string text;
  append_tar_file(text, {.path = "one"}, "content");
  append_tar_end(text);
  EXPECT_EQ(read_in_pieces(text.substr(0, 700), 64).error().code, Code::unavailable);
  std::string damaged = text;
  damaged[3] = '!';
  EXPECT_EQ(read_in_pieces(damaged, 64).error().code, Code::invalid);
  EXPECT_EQ(read_in_pieces(std::string(512, 'x'), 64).error().code, Code::invalid);
  std::string huge;
  append_tar_file(huge, {.path = std::string(70'000, 'n')}, "");
  append_tar_end(huge);
  EXPECT_EQ(read_in_pieces(huge, 4096).error().code, Code::invalid);
}

}  // namespace
}  // namespace berth::engine
