#include "cli/help.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "cli/arguments.h"
#include "cli/flags.h"
#include "testing/golden.h"

namespace berth::cli {
namespace {

class Help : public ::testing::TestWithParam<testing::GoldenCase> {};

TEST_P(Help, IsAsWritten) {
  const auto verb = std::string(trim(GetParam().input));
  const OtherVerb others[] = {{"serve", "Run the platform"}};
  testing::expect_golden(GetParam(), verb.empty() ? help_text(others) : help_text_of(verb));
}
INSTANTIATE_TEST_SUITE_P(Golden, Help, ::testing::ValuesIn(testing::golden_cases(TESTDATA "/help")),
                         testing::golden_name);

TEST(HelpTable, EveryShownFlagIsOneClearLine) {
  Options options;
  for (const auto& grammar : grammars()) {
    auto flags = verb_flags(grammar.name, options);
    for (const auto& flag : flags) {
      if (flag.help.empty()) continue;
      EXPECT_LE(flag.help.size(), 90u) << grammar.name << " " << flag.names;
      EXPECT_FALSE(flag.help.ends_with('.')) << grammar.name << " " << flag.names;
    }
  }
}

TEST(HelpTable, EveryVerbHasASummaryAndAnExampleThatParses) {
  for (const auto& grammar : grammars()) {
    if (grammar.group.empty()) continue;
    EXPECT_FALSE(grammar.summary.empty() || grammar.summary.ends_with('.')) << grammar.name;
    ASSERT_TRUE(grammar.example.starts_with("berth ")) << grammar.name;
    const auto parsed = parse_arguments(split_words(grammar.example.substr(6)).value_or(Texts{}));
    ASSERT_TRUE(parsed) << grammar.example << ": " << parsed.error().message;
    EXPECT_EQ(parsed->verb, grammar.name);
  }
}

TEST(HelpTable, ChoicesAreNamedInTheHelp) {
  Options options;
  for (const auto& grammar : grammars())
    for (const auto& flag : verb_flags(grammar.name, options))
      for (const auto choice : split(flag.choices.starts_with("always|") ? "" : flag.choices, '|'))
        EXPECT_TRUE(choice == "..." || flag.help.contains(choice)) << grammar.name << " " << flag.names << choice;
}

TEST(HelpTable, NoVerbNamesAFlagTwice) {
  Options options;
  for (const auto& grammar : grammars()) {
    std::vector<std::string_view> seen;
    for (const auto& flag : verb_flags(grammar.name, options))
      for (const auto name : split(flag.names, ',')) {
        EXPECT_EQ(std::ranges::count(seen, name), 0) << grammar.name << " " << name;
        seen.push_back(name);
      }
  }
}

}  // namespace
}  // namespace berth::cli
