#include "api/folder_view.h"

#include <gtest/gtest.h>

namespace berth::api {
namespace {

using engine::TarFound;
using Kind = engine::TarFound::Kind;

TarFound found(std::string path, Kind kind = Kind::file, std::uint64_t size = 0, std::string link = {}) {
  return {.kind = kind, .path = std::move(path), .link = std::move(link), .size = size, .mode = 0640, .mtime = 60};
}

TEST(FolderView, PathsStayBelow) {
  EXPECT_EQ(path_text(*path_parts("")), "/");
  EXPECT_EQ(path_text(*path_parts("//a/./b/")), "/a/b");
  for (const char* path : {"..", "/a/../b", "a/.."}) EXPECT_FALSE(path_parts(path)) << path;
  EXPECT_FALSE(path_parts(std::string("a\0b", 3)));
  EXPECT_FALSE(path_parts(std::string(5000, 'a')));
  EXPECT_TRUE(path_parts("a/..b/...")) << "names that only look like it";
}

TEST(FolderView, OddNamesAreLookedForInTheFolderAbove) {
  EXPECT_EQ(archive_place({"a", "b"}).path, "/a/b");
  EXPECT_TRUE(archive_place({"a", "b"}).below.empty());
  const auto odd = archive_place({"a", "new\nline", "b"});
  EXPECT_EQ(odd.path, "/a");
  EXPECT_EQ(odd.below, (PathParts{"new\nline", "b"}));
  EXPECT_EQ(archive_place({"\xff"}).path, "/");
  EXPECT_EQ(archive_place({"ünïcode"}).path, "/ünïcode");
}

TEST(FolderView, ShowsWhatAFolderHoldsDirectly) {
  FolderView view({});
  EXPECT_TRUE(view.take(found("data/", Kind::folder)));
  EXPECT_FALSE(view.take(found("data/zfile", Kind::file, 7)));
  view.take(found("data/deep/", Kind::folder));
  view.take(found("data/deep/er/", Kind::folder));
  view.take(found("data/deep/er/file", Kind::file, 100));
  view.take(found("data/deep/hard", Kind::hardlink, 0, "data/deep/er/file"));
  view.take(found("data/link", Kind::symlink, 0, "/etc/shadow"));
  view.take(found("data/pipe", Kind::other));
  ASSERT_TRUE(view.self());
  EXPECT_EQ(view.items({"var", "data"}, true).dump(),
            R"([{"name":"deep","path":"/var/data/deep","type":"folder","size":100,"mode":"0640","modifiedAt":60000,)"
            R"("link":null},{"name":"link","path":"/var/data/link","type":"link","size":0,"mode":"0640",)"
            R"("modifiedAt":60000,"link":"/etc/shadow"},{"name":"pipe","path":"/var/data/pipe","type":"other",)"
            R"("size":0,"mode":"0640","modifiedAt":60000,"link":null},{"name":"zfile","path":"/var/data/zfile",)"
            R"("type":"file","size":7,"mode":"0640","modifiedAt":60000,"link":null}])");
  EXPECT_TRUE(view.items({}, false).items()[0]["size"].is_null()) << "a sum that is not whole is none";
}

TEST(FolderView, TheRootOfAContainerHasNoName) {
  for (const std::string root : {"/", "//", "./"}) {
    FolderView view({});
    EXPECT_TRUE(view.take(found(root, Kind::folder)));
    view.take(found(root + "etc/", Kind::folder));
    view.take(found(root + "etc/passwd", Kind::file, 3));
    const Json items = view.items({}, true);
    ASSERT_EQ(items.size(), 1u);
    EXPECT_EQ(items.items()[0]["path"].text(), "/etc");
  }
}

TEST(FolderView, HostileNamesAreNamesAndNothingElse) {
  FolderView view({});
  view.take(found("data/", Kind::folder));
  for (const char* name :
       {"data/<img src=x onerror=alert(1)>", "data/a\nb", "data/\xff\xfe", "data/%2e%2e", "data/a?b#c"})
    view.take(found(name));
  view.take(found("data/../../etc/passwd"));
  view.take(found("/etc/shadow"));
  view.take(found("database/other"));
  const Json items = view.items({"data"}, true);
  std::vector<std::string> paths;
  for (const Json& item : items.items()) paths.emplace_back(item["path"].text());
  EXPECT_EQ(paths, (std::vector<std::string>{"/data/%252e%252e", "/data/%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E",
                                             "/data/a%0Ab", "/data/a%3Fb%23c", "/data/%FF%FE"}));
}

TEST(FolderView, FindsWhatIsBelowTheArchivesRoot) {
  FolderView view({"new\nline"});
  EXPECT_FALSE(view.take(found("a/", Kind::folder)));
  EXPECT_FALSE(view.take(found("a/other", Kind::file, 1)));
  EXPECT_TRUE(view.take(found("a/new\nline/", Kind::folder)));
  EXPECT_FALSE(view.take(found("a/new\nline/in", Kind::file, 2)));
  const Json items = view.items({"a", "new\nline"}, true);
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items.items()[0]["path"].text(), "/a/new%0Aline/in");
}

TEST(FolderView, HoldsOnlySoMany) {
  FolderView view({});
  view.take(found("d/", Kind::folder));
  for (std::size_t i = 0; i < FolderView::kMostItems + 5; ++i) view.take(found("d/" + std::to_string(i)));
  EXPECT_TRUE(view.is_cut());
  EXPECT_EQ(view.items({}, true).size(), FolderView::kMostItems);
}

TEST(FolderView, AFileIsAlwaysSaved) {
  EXPECT_EQ(attachment("a.txt"), "attachment; filename=\"a.txt\"; filename*=UTF-8''a.txt");
  EXPECT_EQ(attachment("a\r\nb\"c"), "attachment; filename=\"a__b_c\"; filename*=UTF-8''a%0D%0Ab%22c");
  EXPECT_EQ(attachment("\xff"), "attachment; filename=\"_\"; filename*=UTF-8''_");
}

}  // namespace
}  // namespace berth::api
