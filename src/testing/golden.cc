#include "testing/golden.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace berth::testing {
namespace {

constexpr std::string_view kSeparator = "\n----------\n";

std::string read_all(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Without the newlines at the end, which editors add and remove.
std::string_view body(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

GoldenCase read_case(const std::filesystem::path& path) {
  GoldenCase golden{.path = path, .name = path.stem().string()};
  for (char& c : golden.name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  const std::string text = read_all(path);
  const std::size_t at = text.find(kSeparator);
  golden.input = text.substr(0, at == std::string::npos ? at : at + 1);
  if (at != std::string::npos) golden.expected = text.substr(at + kSeparator.size());
  return golden;
}

}  // namespace

std::vector<GoldenCase> golden_cases(const std::string& folder) {
  std::vector<GoldenCase> cases;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
    if (entry.path().extension() == ".case") cases.push_back(read_case(entry.path()));
  std::ranges::sort(cases, {}, &GoldenCase::path);
  if (cases.empty()) cases.push_back({.path = folder, .name = "no_case_found"});
  return cases;
}

void expect_golden(const GoldenCase& golden, std::string_view actual) {
  ASSERT_TRUE(golden.path.ends_with(".case")) << "no *.case file in " << golden.path;
  if (body(golden.expected) == body(actual) && !body(actual).empty()) return;
  const char* accept = std::getenv("BERTH_ACCEPT");
  if (accept == nullptr || std::string_view(accept) != "1") {
    EXPECT_EQ(body(golden.expected), body(actual)) << golden.path << ": BERTH_ACCEPT=1 takes the new text";
    EXPECT_FALSE(body(actual).empty()) << golden.path << ": nothing to compare";
    return;
  }
  std::ofstream file(golden.path, std::ios::binary | std::ios::trunc);
  file << body(golden.input) << kSeparator << body(actual) << '\n';
  ASSERT_TRUE(file.good()) << golden.path << " cannot be written";
  GTEST_SKIP() << golden.path << " was rewritten; read the difference before you commit it";
}

std::map<std::string, std::string> golden_files(std::string_view input) {
  std::map<std::string, std::string> files;
  std::string* open = &files[""];
  while (!input.empty()) {
    const std::size_t end = std::min(input.find('\n'), input.size() - 1) + 1;
    const std::string_view line = input.substr(0, end);
    input.remove_prefix(end);
    if (line.starts_with("=== "))
      open = &files[std::string(body(line.substr(4)))];
    else
      *open += line;
  }
  return files;
}

std::string golden_name(const ::testing::TestParamInfo<GoldenCase>& info) {
  return info.param.name;
}

void PrintTo(const GoldenCase& golden, std::ostream* out) {
  *out << golden.path;
}

}  // namespace berth::testing
