#include "cli/arguments.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace berth::cli {
namespace {

Result<Options> parse(std::string_view line) {
  Texts words;
  for (const auto word : split(line, ' '))
    if (!word.empty()) words.emplace_back(word);
  return parse_arguments(words, {"serve"});
}
Options good(std::string_view line) {
  auto parsed = parse(line);
  EXPECT_TRUE(parsed) << line << ": " << (parsed ? "" : parsed.error().text());
  return parsed ? *parsed : Options{};
}
std::string bad(std::string_view line) {
  auto parsed = parse(line);
  EXPECT_FALSE(parsed) << line;
  return parsed ? "" : parsed.error().message;
}

TEST(Arguments, GlobalFlagsBeforeAndAfterTheVerb) {
  const auto o = good("-f a.yaml --file=b.yaml up -d -p shop --profile x web db");
  EXPECT_EQ(o.verb, "up");
  EXPECT_EQ(o.global.files, (Texts{"a.yaml", "b.yaml"}));
  EXPECT_EQ(o.global.project_name, "shop");
  EXPECT_EQ(o.global.profiles, (Texts{"x"}));
  EXPECT_TRUE(o.up.detach);
  EXPECT_EQ(o.arguments, (Texts{"web", "db"}));
}

TEST(Arguments, ComposeIsASynonymOfTheTop) {
  const auto o = good("-H unix:///x.sock compose -f a.yaml ps -aq");
  EXPECT_EQ(o.verb, "ps");
  EXPECT_EQ(o.global.host, "unix:///x.sock");
  EXPECT_EQ(o.global.files, (Texts{"a.yaml"}));
  EXPECT_TRUE(o.ps.all);
  EXPECT_TRUE(o.ps.quiet);
}

TEST(Arguments, AVerbsOwnShortNameWins) {
  const auto o = good("-f a.yaml logs -f -n 5 web --file b.yaml");
  EXPECT_TRUE(o.logs.follow);
  EXPECT_EQ(o.logs.tail, "5");
  EXPECT_EQ(o.global.files, (Texts{"a.yaml", "b.yaml"}));
  EXPECT_EQ(o.arguments, (Texts{"web"}));
}

TEST(Arguments, ExecKeepsTheCommandAsItIs) {
  const auto o = good("exec -T -e A=1 -e B=2 web sh -c -d --bogus -- x");
  EXPECT_TRUE(o.exec.no_tty);
  EXPECT_FALSE(o.exec.detach);
  EXPECT_EQ(o.exec.environment, (Texts{"A=1", "B=2"}));
  EXPECT_EQ(o.arguments, (Texts{"web", "sh", "-c", "-d", "--bogus", "--", "x"}));
}

TEST(Arguments, RunTakesTheServiceAlone) {
  const auto o = good("run --rm --entrypoint sh web");
  EXPECT_TRUE(o.run.remove);
  EXPECT_EQ(o.run.entrypoint, "sh");
  EXPECT_EQ(o.arguments, (Texts{"web"}));
}

TEST(Arguments, ValuesInEveryForm) {
  EXPECT_EQ(good("stop -t 5").life.timeout, 5);
  EXPECT_EQ(good("stop -t5").life.timeout, 5);
  EXPECT_EQ(good("stop -t=5").life.timeout, 5);
  EXPECT_EQ(good("stop --timeout=5 web").life.timeout, 5);
  EXPECT_EQ(good("stop -t -1").life.timeout, -1);
  EXPECT_TRUE(good("up --detach=true").up.detach);
  EXPECT_FALSE(good("up -d --detach=false").up.detach);
  EXPECT_EQ(good("up --scale web=3 --scale db=1").up.scale, (Texts{"web=3", "db=1"}));
}

TEST(Arguments, SwitchesTakeAValueAfterASign) {
  EXPECT_FALSE(good("exec -i=false web sh").exec.interactive);
  EXPECT_FALSE(good("run -it=false web sh").run.tty);
  EXPECT_TRUE(good("ps -aq=true").ps.quiet);
  EXPECT_EQ(bad("ps -q=x"), "invalid argument \"x\" for --quiet: not true or false");
}

TEST(Arguments, AnEmptyValueIsAValue) {
  const auto o = good("run --entrypoint= web ls");
  EXPECT_EQ(o.run.entrypoint, "");
  EXPECT_EQ(o.arguments, (Texts{"web", "ls"}));
  EXPECT_EQ(good("ps --format=").ps.format, "");
}

TEST(Arguments, DockersOwnFlagsStandBeforeThePlugin) {
  const auto o = good("--config /x -D -l debug --tlsverify --context c compose -f a.yaml ps");
  EXPECT_EQ(o.global.docker_config, "/x");
  EXPECT_EQ(o.global.context, "c");
  EXPECT_EQ(o.verb, "ps");
  EXPECT_EQ(bad("ps -D"), "unknown flag -D of berth ps");
}

TEST(Arguments, ASingleDashIsAWord) {
  EXPECT_EQ(good("cp - web:/tmp").arguments, (Texts{"-", "web:/tmp"}));
}

TEST(Arguments, DashesEndTheFlags) {
  const auto o = good("ps -- -odd");
  EXPECT_EQ(o.arguments, (Texts{"-odd"}));
}

TEST(Arguments, HelpIsAFlagAndAVerb) {
  EXPECT_TRUE(good("--help").global.help);
  EXPECT_TRUE(good("exec --help").global.help);
  const auto o = good("help up");
  EXPECT_TRUE(o.global.help);
  EXPECT_EQ(o.verb, "up");
  EXPECT_EQ(good("").verb, "");
}

TEST(Arguments, WrongOnesSayWhatWasMeant) {
  EXPECT_EQ(bad("upp"), "unknown command \"upp\" (did you mean \"up\"?)");
  EXPECT_EQ(bad("srve"), "unknown command \"srve\" (did you mean \"serve\"?)");
  EXPECT_EQ(bad("up --forc-recreate"), "unknown flag --forc-recreate of berth up (did you mean \"--force-recreate\"?)");
  EXPECT_EQ(bad("--fil x up"), "unknown flag --fil (did you mean \"--file\"?)");
  EXPECT_EQ(bad("up -Z"), "unknown flag -Z of berth up");
  EXPECT_EQ(bad("exec --zzzzzzzzz web sh"), "unknown flag --zzzzzzzzz of berth exec");
  EXPECT_EQ(bad("stop -t soon"), "invalid argument \"soon\" for --timeout: not a whole number");
  EXPECT_EQ(bad("up --detach=perhaps"), "invalid argument \"perhaps\" for --detach: not true or false");
  EXPECT_EQ(bad("port web"), "berth port needs more arguments");
  EXPECT_EQ(bad("exec"), "berth exec needs an argument");
  EXPECT_EQ(bad("config --format xml"), "--format xml: it is one of yaml, json (did you mean \"yaml\"?)");
  EXPECT_EQ(bad("ps --status runing"),
            "--status runing: it is one of paused, restarting, removing, running, dead, created, exited (did you mean "
            "\"running\"?)");
  EXPECT_EQ(bad("version now"), "berth version takes no arguments");
  EXPECT_EQ(bad("up --scale"), "flag needs an argument: --scale");
}

}  // namespace
}  // namespace berth::cli
