#include "cli/complete.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "cli/flags.h"
#include "cli/man.h"

namespace berth::cli {
namespace {

// The words offered for a line; its last word, after the last space, is the one that is typed.
Texts offered(std::string_view line) {
  Texts words;
  for (const auto word : split(line, ' ')) words.emplace_back(word);
  const CompletionFacts facts{.others = {{"serve", "Run the platform"}},
                              .services =
                                  [](const Options& so_far) {
                                    const bool other = so_far.global.files == Texts{"other.yaml"};
                                    return other ? Texts{"else"} : Texts{"db", "web", "worker"};
                                  },
                              .profiles = [](const Options&) { return Texts{"debug"}; }};
  Texts out;
  const auto found = complete(words, facts);
  for (const auto& [word, about] : found.words) out.push_back(word);
  if (found.files == Candidates::Files::any) out.emplace_back("<files>");
  if (found.files == Candidates::Files::folders) out.emplace_back("<folders>");
  return out;
}

TEST(Complete, VerbsFirst) {
  EXPECT_EQ(offered("ev"), Texts{"events"});
  EXPECT_EQ(offered("compose ev"), Texts{"events"});
  EXPECT_EQ(offered("-f x.yaml ev"), Texts{"events"});
  EXPECT_EQ(offered("help ev"), Texts{"events"});
  EXPECT_EQ(offered("ser"), Texts{"serve"});
  EXPECT_EQ(offered("__com"), Texts{});
  EXPECT_GT(offered("").size(), 35u);
}

TEST(Complete, ServicesOfTheProjectThatIsMeant) {
  EXPECT_EQ(offered("up "), (Texts{"db", "web", "worker"}));
  EXPECT_EQ(offered("up -d w"), (Texts{"web", "worker"}));
  EXPECT_EQ(offered("up web w"), Texts{"worker"});
  EXPECT_EQ(offered("-f other.yaml logs "), Texts{"else"});
  EXPECT_EQ(offered("logs --file=other.yaml "), Texts{"else"});
  EXPECT_EQ(offered("port "), (Texts{"db", "web", "worker"}));
  EXPECT_EQ(offered("port web "), Texts{});
  EXPECT_EQ(offered("scale d"), Texts{"db="});
  EXPECT_EQ(offered("cp w"), (Texts{"web:", "worker:", "<files>"}));
  EXPECT_EQ(offered("cp web:"), Texts{"web:"});
  EXPECT_EQ(offered("ls "), Texts{});
}

TEST(Complete, ACommandInsideTakesNoFlagsOfOurs) {
  EXPECT_EQ(offered("exec -T d"), Texts{"db"});
  EXPECT_EQ(offered("exec -T db "), Texts{"<files>"});
  EXPECT_EQ(offered("exec db --"), Texts{"<files>"});
}

TEST(Complete, FlagsAndTheirValues) {
  EXPECT_EQ(offered("up --wait"), (Texts{"--wait", "--wait-timeout"}));
  EXPECT_EQ(offered("config --format "), (Texts{"yaml", "json"}));
  EXPECT_EQ(offered("config --format=j"), Texts{"--format=json"});
  EXPECT_EQ(offered("up --scale w"), (Texts{"web=", "worker="}));
  EXPECT_EQ(offered("--profile "), Texts{"debug"});
  EXPECT_EQ(offered("up --attach d"), Texts{"db"});
  EXPECT_EQ(offered("-f "), Texts{"<files>"});
  EXPECT_EQ(offered("--project-directory "), Texts{"<folders>"});
  EXPECT_EQ(offered("up -t "), Texts{});
  EXPECT_EQ(offered("ps --status p"), Texts{"paused"});
  EXPECT_EQ(offered("--no-ans"), Texts{});
}

TEST(Complete, TheAnswerSaysWhatElseHolds) {
  EXPECT_EQ(completion_text({.words = {{"web", ""}, {"up", "Start"}}}), "web\nup\tStart\n:4\n");
  EXPECT_EQ(completion_text({.words = {{"web=", ""}}, .open = true}), "web=\n:6\n");
  EXPECT_EQ(completion_text({.files = Candidates::Files::any}), ":0\n");
  EXPECT_EQ(completion_text({.files = Candidates::Files::folders}), ":16\n");
}

TEST(Complete, EveryShellHasAScript) {
  for (const char* shell : {"bash", "zsh", "fish"})
    EXPECT_TRUE(completion_script(shell).contains("__complete")) << shell;
  EXPECT_EQ(completion_script("tcsh"), "");
}

TEST(Man, NamesEveryShownFlag) {
  Options options;
  for (const auto& grammar : grammars()) {
    if (grammar.group.empty()) continue;
    const auto page = man_page_of(grammar.name);
    for (const auto& flag : verb_flags(grammar.name, options)) {
      const auto name = "\\fB" + replace_all(split(flag.names, ',').back(), "-", "\\-") + "\\fR";
      EXPECT_EQ(page.contains(name), !flag.help.empty()) << grammar.name << name;
    }
    EXPECT_TRUE(man_page().contains("\\fBberth\\-" + std::string(grammar.name) + "\\fR(1)")) << grammar.name;
  }
}

}  // namespace
}  // namespace berth::cli
