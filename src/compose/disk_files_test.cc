#include "compose/disk_files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace berth::compose {
namespace {

TEST(DiskFiles, ReadsFilesAndTellsFoldersApart) {
  const std::string folder = std::filesystem::path(::testing::TempDir()) / "berth-disk-files";
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/compose.yaml") << "services: {a: {image: a}}\n";
  std::ofstream(folder + "/link-target") << "x";
  std::filesystem::remove(folder + "/link");
  std::filesystem::create_symlink("link-target", folder + "/link");
  const Files files = disk_files();
  EXPECT_EQ(*files.read(folder + "/compose.yaml"), "services: {a: {image: a}}\n");
  EXPECT_EQ(files.kind(folder), Files::Kind::folder);
  EXPECT_EQ(files.kind(folder + "/compose.yaml"), Files::Kind::file);
  EXPECT_EQ(files.kind(folder + "/none"), Files::Kind::absent);
  EXPECT_EQ(std::filesystem::path(files.real(folder + "/link")).filename(), "link-target");
  EXPECT_EQ(files.real(folder + "/none"), folder + "/none");
  EXPECT_EQ(files.read(folder + "/none").error().code, Code::not_found);
  EXPECT_EQ(files.read(folder).error().code, Code::invalid);
  LoadOptions options;
  options.working_dir = folder;
  const auto project = load(options, files);
  ASSERT_TRUE(project) << project.error().text();
  EXPECT_EQ(project->name, "berth-disk-files");
  std::filesystem::remove_all(folder);
}

TEST(DiskFiles, AFileThatNeverEndsIsRefused) {
  const auto text = disk_files().read("/dev/zero");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, Code::invalid);
}

}  // namespace
}  // namespace berth::compose
