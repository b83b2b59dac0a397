#include "testing/golden.h"

#include <gtest/gtest-spi.h>

#include <filesystem>
#include <fstream>

namespace berth::testing {
namespace {

TEST(Golden, FilesAreDividedByTheirHeaders) {
  const auto files = golden_files("-p x\n=== a.yaml\nk: v\n=== sub/b.yaml\n\nend");
  EXPECT_EQ(files.at(""), "-p x\n");
  EXPECT_EQ(files.at("a.yaml"), "k: v\n");
  EXPECT_EQ(files.at("sub/b.yaml"), "\nend");
}

TEST(Golden, CasesAreReadInOrderAndCompared) {
  const auto folder = std::filesystem::path(::testing::TempDir()) / "golden-cases";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "b-2.case") << "in\n----------\nout\n";
  std::ofstream(folder / "a.case") << "x\n";
  const auto cases = golden_cases(folder);
  ASSERT_EQ(cases.size(), 2u);
  EXPECT_EQ(cases[0].name, "a");
  EXPECT_EQ(cases[1].name, "b_2");
  EXPECT_EQ(cases[1].input, "in\n");
  expect_golden(cases[1], "out");
  std::filesystem::remove_all(folder);
}

TEST(Golden, AnEmptyFolderFails) {
  EXPECT_FATAL_FAILURE(expect_golden(golden_cases("/nowhere")[0], "text"), "no *.case file in /nowhere");
}

}  // namespace
}  // namespace berth::testing
