#include "engine/context.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>

#include "io/file.h"

namespace berth::engine {
namespace {

class ContextFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "contextXXXXXX";
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string at(const std::string& name) const { return folder_ + "/" + name; }
  void write(const std::string& name, std::string_view text) {
    std::filesystem::create_directories(std::filesystem::path(at(name)).parent_path());
    ASSERT_TRUE(io::write_file(at(name), text));
  }
  Result<BuildContext> scan(const std::string& patterns = {}, std::vector<std::string> always = {}) {
    return BuildContext::scan(
        {.folder = folder_, .ignored = *IgnorePatterns::parse(patterns), .always = std::move(always)});
  }
  // "name name ...": what the tar holds, folders with a '/'; "!" and the message when reading fails.
  std::string sent(Result<BuildContext> context) {
    if (!context) return "!" + context.error().message;
    std::string tar;
    for (std::size_t before = 1; before != tar.size();) {
      before = tar.size();
      if (const auto read = context->read(tar); !read) return "!" + read.error().message;
    }
    std::string names;
    for (std::size_t block = 0; block + 512 <= tar.size() && tar[block] != '\0';) {
      names += (names.empty() ? "" : " ") + std::string(tar.c_str() + block);
      const auto size = std::strtoull(tar.substr(block + 124, 11).c_str(), nullptr, 8);
      block += 512 + (size + 511) / 512 * 512;
    }
    return names;
  }
  std::string folder_;
};

TEST_F(ContextFiles, SendsFoldersBeforeTheirContentInOrder) {
  write("b.txt", "b");
  write("a/z", "z");
  write("a/y/x", "x");
  std::filesystem::create_directory(at("empty"));
  ASSERT_EQ(::symlink("b.txt", at("c").c_str()), 0);
  EXPECT_EQ(sent(scan()), "a/ a/y/ a/y/x a/z b.txt c empty/");
}

TEST_F(ContextFiles, LeavesOutWhatIsIgnored) {
  write(".git/HEAD", "x");
  write("node_modules/a/b", "x");
  write("src/a.o", "x");
  write("src/a.cc", "x");
  write("doc/keep/me", "x");
  write("doc/drop", "x");
  write("Dockerfile", "x");
  EXPECT_EQ(sent(scan(".git\nnode_modules\n**/*.o\ndoc\n!doc/keep\nDockerfile\n", {"Dockerfile"})),
            "Dockerfile doc/keep/ doc/keep/me src/ src/a.cc");
}

TEST_F(ContextFiles, LeavesOutSockets) {
  write("a", "x");
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(at("s").size(), sizeof address.sun_path);
  at("s").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(sent(scan()), "a");
  ::close(fd);
}

TEST_F(ContextFiles, EqualFoldersGiveEqualBytes) {
  write("a", "text");
  write("b/c", "text");
  std::string first, second;
  ASSERT_TRUE(scan()->read(first));
  ASSERT_TRUE(scan()->read(second));
  EXPECT_EQ(first, second);
  EXPECT_EQ(first.size() % 512, 0u);
}

TEST_F(ContextFiles, ALargeFileIsSentInPieces) {
  write("big", "");
  constexpr std::uint64_t kSize = 64u << 20;
  ASSERT_EQ(::truncate(at("big").c_str(), kSize), 0);
  auto context = scan();
  ASSERT_TRUE(context);
  std::uint64_t total = 0;
  while (true) {
    std::string piece;
    ASSERT_TRUE(context->read(piece));
    if (piece.empty()) break;
    ASSERT_LE(piece.size(), 600u << 10);
    total += piece.size();
  }
  EXPECT_EQ(total, 512 + kSize + 1024);
}

TEST_F(ContextFiles, AFileThatShrinksIsAnError) {
  write("big", "");
  ASSERT_EQ(::truncate(at("big").c_str(), 4 << 20), 0);
  auto context = scan();
  std::string piece;
  ASSERT_TRUE(context->read(piece));
  ASSERT_EQ(::truncate(at("big").c_str(), 10), 0);
  Result<void> outcome;
  for (int i = 0; i < 40 && outcome; ++i) outcome = context->read(piece);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().message, "build context: " + at("big") + ": became smaller while it was sent");
}

TEST_F(ContextFiles, AMissingFolderIsNotFound) {
  const auto none = BuildContext::scan({.folder = at("none")});
  EXPECT_EQ(none.error().code, Code::not_found);
  write("file", "x");
  EXPECT_EQ(BuildContext::scan({.folder = at("file")}).error().code, Code::invalid);
}

TEST_F(ContextFiles, TheDockerfilesOwnIgnoreFileComesFirst) {
  write(".dockerignore", "a");
  EXPECT_TRUE(read_ignore_file(folder_, at("Dockerfile"))->excludes("a"));
  write("Dockerfile.dockerignore", "b");
  EXPECT_FALSE(read_ignore_file(folder_, at("Dockerfile"))->excludes("a"));
  EXPECT_TRUE(read_ignore_file(folder_, at("Dockerfile"))->excludes("b"));
  write(".dockerignore", "[");
  EXPECT_NE(read_ignore_file(folder_, at("Other")).error().message.find(at(".dockerignore")), std::string::npos);
}

}  // namespace
}  // namespace berth::engine
