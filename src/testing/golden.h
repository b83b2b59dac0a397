// Golden tests: a case is one file with its input, a line of ten dashes, and what is expected.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace berth::testing {

struct GoldenCase {
  std::string path;
  std::string name;        ///< the file's name without ".case", letters and digits only: a gtest parameter name
  std::string input{};     ///< the lines above the separator
  std::string expected{};  ///< the lines below it
};

/// Every `folder`/*.case by name; none is a failure of the test that uses them, so an empty folder cannot pass.
std::vector<GoldenCase> golden_cases(const std::string& folder);

/// Fails the test when `actual` is not what the case expects (a missing newline at the end does not matter). With
/// BERTH_ACCEPT=1 in the environment it rewrites the file instead and reports the test as skipped.
void expect_golden(const GoldenCase& golden, std::string_view actual);

/// An input of several files: each begins with a line "=== NAME". What stands above the first is under "".
std::map<std::string, std::string> golden_files(std::string_view input);

/// For INSTANTIATE_TEST_SUITE_P.
std::string golden_name(const ::testing::TestParamInfo<GoldenCase>& info);
void PrintTo(const GoldenCase& golden, std::ostream* out);

}  // namespace berth::testing
