// The verbs in a world of their own: files in memory, a fake engine, virtual time.
#include <gtest/gtest.h>

#include "cli/cli_world_test.h"

namespace berth::cli {
namespace {

using ::testing::Test;

struct Changes : Test, CliWorld {};

TEST_F(Changes, UpStartsAndASecondUpDoesNothing) {
  ASSERT_EQ(run("up -d"), 0) << err;
  EXPECT_TRUE(err.contains("container shop-web-1  started")) << err;
  EXPECT_TRUE(err.contains("network shop_default  created")) << err;
  engine.forget_calls();
  ASSERT_EQ(run("up -d"), 0) << err;
  EXPECT_EQ(engine.changes(), std::vector<std::string>{});
  EXPECT_EQ(err, "nothing to do: shop is as its files say\n");
  EXPECT_EQ(out, "");
}

TEST_F(Changes, AChangedVariableRecreatesThatServiceOnly) {
  ASSERT_EQ(run("up -d"), 0) << err;
  world.environment["MODE"] = "fast";
  EXPECT_EQ(run("plan --detailed-exitcode"), 2) << err;
  EXPECT_TRUE(out.contains("Env.MODE: \"slow\" -> \"fast\"")) << out;
  EXPECT_TRUE(out.contains("container shop-db-1  keep")) << out;
  engine.forget_calls();
  ASSERT_EQ(run("up -d"), 0) << err;
  EXPECT_EQ(engine.count("POST", "/containers/create"), 1u);
  EXPECT_EQ(run("plan --detailed-exitcode"), 0) << out;
}

TEST_F(Changes, PlanAsJsonChangesNothing) {
  EXPECT_EQ(run("plan --format json"), 0) << err;
  const auto plan = parse_json(out);
  ASSERT_TRUE(plan) << out;
  EXPECT_TRUE((*plan)["changes"].boolean());
  EXPECT_EQ(engine.changes(), std::vector<std::string>{});
  EXPECT_EQ(run("up -d --dry-run"), 0) << err;
  EXPECT_TRUE(out.contains("shop-web-1")) << out;
  EXPECT_EQ(engine.changes(), std::vector<std::string>{});
}

TEST_F(Changes, ForceRecreateReplacesEverything) {
  ASSERT_EQ(run("up -d"), 0) << err;
  engine.forget_calls();
  ASSERT_EQ(run("up -d --force-recreate"), 0) << err;
  EXPECT_EQ(engine.count("POST", "/containers/create"), 2u);
}

TEST_F(Changes, ScaleAndOrphans) {
  ASSERT_EQ(run("up -d --scale web=3"), 0) << err;
  ASSERT_EQ(run("ps -q"), 0);
  EXPECT_EQ(std::ranges::count(out, '\n'), 4);
  files["/shop/compose.yaml"] = "services:\n  db:\n    image: db:1\n";
  ASSERT_EQ(run("up -d"), 0) << err;
  EXPECT_TRUE(err.contains("warning:") && err.contains("web")) << err;
  ASSERT_EQ(run("up -d --remove-orphans"), 0) << err;
  ASSERT_EQ(run("ps --services"), 0);
  EXPECT_EQ(out, "db\n");
}

TEST_F(Changes, UpHealsAKilledContainer) {
  ASSERT_EQ(run("up -d"), 0) << err;
  engine.exit("shop-web-1", 137);
  ASSERT_EQ(run("up -d"), 0) << err;
  ASSERT_EQ(run("ps --services"), 0);
  EXPECT_EQ(out, "db\nweb\n");
}

TEST_F(Changes, DownRemovesWhatUpMade) {
  ASSERT_EQ(run("up -d"), 0) << err;
  ASSERT_EQ(run("down"), 0) << err;
  EXPECT_TRUE(err.contains("network shop_default  removed")) << err;
  ASSERT_EQ(run("ps -aq"), 0);
  EXPECT_EQ(out, "");
  ASSERT_EQ(run("down"), 0);
  EXPECT_EQ(err, "nothing to do: there is nothing of shop\n");
}

TEST_F(Changes, DownByNameNeedsNoFile) {
  ASSERT_EQ(run("up -d"), 0) << err;
  files.clear();
  ASSERT_EQ(run("-p shop down"), 0) << err;
  ASSERT_EQ(run("-p shop ps -aq"), 0) << err;
  EXPECT_EQ(out, "");
}

TEST_F(Changes, StopStartRestartKillRm) {
  ASSERT_EQ(run("up -d"), 0) << err;
  ASSERT_EQ(run("stop -t 1 web"), 0) << err;
  ASSERT_EQ(run("ps --services"), 0);
  EXPECT_EQ(out, "db\n");
  ASSERT_EQ(run("start web"), 0) << err;
  ASSERT_EQ(run("restart db"), 0) << err;
  EXPECT_GE(engine.count("POST", "/containers/*/restart"), 1u);
  ASSERT_EQ(run("kill -s INT web"), 0) << err;
  ASSERT_EQ(run("stop"), 0) << err;
  ASSERT_EQ(run("rm -f"), 0) << err;
  ASSERT_EQ(run("ps -aq"), 0);
  EXPECT_EQ(out, "");
}

TEST_F(Changes, PauseAndUnpause) {
  ASSERT_EQ(run("up -d"), 0) << err;
  ASSERT_EQ(run("pause web"), 0) << err;
  ASSERT_EQ(run("ps --status paused -q"), 0) << err;
  EXPECT_EQ(std::ranges::count(out, '\n'), 1);
  ASSERT_EQ(run("unpause"), 0) << err;
  ASSERT_EQ(run("ps --status paused -q"), 0);
  EXPECT_EQ(out, "");
}

TEST_F(Changes, AnotherWriterIsNamed) {
  ASSERT_EQ(run("create"), 0) << err;
  engine.handle(
      {.method = "POST",
       .target = "/volumes/create",
       .body = R"({"Name":"berth-lock_shop","Labels":{"berth.lock.owner":"deploy","berth.lock.host":"elsewhere",
                             "berth.lock.pid":"77","berth.lock.time":"1767225600","berth.lock.token":"x"}})"});
  EXPECT_EQ(run("up -d"), 75) << err;
  EXPECT_TRUE(err.contains("elsewhere")) << err;
}

TEST_F(Changes, AnImageThatCannotBePulledLeavesTheRest) {
  ASSERT_EQ(run("up -d"), 0) << err;
  files["/shop/compose.yaml"] = replace_all(kShop, "web:1", "web:2");
  EXPECT_EQ(run("up -d"), 18);
  EXPECT_TRUE(err.contains("web:2")) << err;
  ASSERT_EQ(run("ps --services"), 0);
  EXPECT_EQ(out, "db\nweb\n");
}

TEST(TakenPort, IsNamedWithItsPlace) {
  CliWorld cli({.taken_ports = {8080}});
  cli.files["/shop/compose.yaml"] = "services:\n  web:\n    image: web:1\n    ports:\n      - \"8080:80\"\n";
  EXPECT_EQ(cli.run("up -d"), 1);
  EXPECT_TRUE(cli.err.contains("compose.yaml:5:9: service \"web\": port 8080 is taken by another process")) << cli.err;
}

TEST_F(Changes, AttachedUpFollowsAndReturnsTheStatus) {
  engine.add_image("job:1", {.config = kCommand,
                             .process = {.exits_after = std::chrono::seconds(2),
                                         .exit_code = 3,
                                         .output = {{"working\n", false, std::chrono::seconds(1)}}}});
  files["/shop/compose.yaml"] = "services:\n  job:\n    image: job:1\n  db:\n    image: db:1\n";
  EXPECT_EQ(run("up --exit-code-from job"), 3) << err;
  EXPECT_TRUE(out.contains("job-1  | working\n")) << out;
  EXPECT_TRUE(err.contains("shop-job-1 exited with status 3")) << err;
  ASSERT_EQ(run("ps -q"), 0);
  EXPECT_EQ(out, "");
}

TEST_F(Changes, RunStartsWhatItNeedsAndLeavesNothing) {
  engine.behave("shop-web-run-*", {.exits_after = std::chrono::seconds(1),
                                   .exit_code = 4,
                                   .output = {{"one-off\n", false, std::chrono::milliseconds(500)}}});
  EXPECT_EQ(run("run --rm -T --interactive=false web ./job --now"), 4) << err;
  EXPECT_TRUE(out.contains("one-off\n")) << out << err;
  ASSERT_EQ(run("ps -a --services"), 0);
  EXPECT_EQ(out, "db\n");
}

TEST_F(Changes, ScaleMustBeANumber) {
  EXPECT_EQ(run("up -d --scale web=many"), 16);
  EXPECT_EQ(run("up --build --no-build"), 16);
  EXPECT_TRUE(err.contains("--build and --no-build exclude each other")) << err;
}

struct Shows : ::testing::Test, CliWorld {
  void SetUp() override { ASSERT_EQ(run("up -d"), 0) << err; }
};
struct Errors : ::testing::Test, CliWorld {};

TEST_F(Shows, PsAsTableAndJsonLines) {
  ASSERT_EQ(run("ps"), 0) << err;
  EXPECT_TRUE(out.starts_with("NAME")) << out;
  EXPECT_TRUE(out.contains("shop-web-1")) << out;
  ASSERT_EQ(run("ps --format json db"), 0) << err;
  const auto one = parse_json(out);
  ASSERT_TRUE(one) << out;
  EXPECT_EQ((*one)["Service"].text(), "db");
  EXPECT_EQ((*one)["State"].text(), "running");
  EXPECT_EQ((*one)["Project"].text(), "shop");
  EXPECT_EQ(run("ps --status runing"), 16);
  EXPECT_TRUE(err.contains("did you mean \"running\"?")) << err;
}

TEST_F(Shows, PsLeavesStoppedOnesOut) {
  engine.exit("shop-web-1", 2);
  ASSERT_EQ(run("ps --services"), 0);
  EXPECT_EQ(out, "db\n");
  ASSERT_EQ(run("ps -a --format json web"), 0);
  EXPECT_EQ((*parse_json(out))["ExitCode"].integer(), 2);
}

TEST_F(Shows, LogsAreMergedByTime) {
  engine.advance(std::chrono::seconds(10));
  ASSERT_EQ(run("logs"), 0) << err;
  EXPECT_EQ(out, "web-1  | hello from web\ndb-1   | hello from db\nweb-1  | late\n");
  ASSERT_EQ(run("logs --no-log-prefix --tail 1 web"), 0) << err;
  EXPECT_EQ(out, "late\n");
  EXPECT_EQ(run("logs --tail x"), 16);
}

TEST_F(Shows, LogsColourServicesOnATerminal) {
  engine.advance(std::chrono::seconds(10));
  world.console.out.color = true;
  ASSERT_EQ(run("logs --tail 1 db"), 0) << err;
  EXPECT_EQ(out, "\x1b[36mdb-1  | \x1b[0mhello from db\n");
  ASSERT_EQ(run("logs --tail 1 --no-color db"), 0) << err;
  EXPECT_EQ(out, "db-1  | hello from db\n");
}

io::Task<void> recreate(testing::FakeEngine& engine) {
  (void)co_await io::sleep_for(std::chrono::seconds(20));
  engine.exit("shop-web-1", 0);
  (void)co_await io::sleep_for(std::chrono::seconds(1));
  engine.handle({.method = "POST", .target = "/containers/shop-web-1/start"});
  (void)co_await io::sleep_for(std::chrono::seconds(20));
  engine.exit("shop-web-1", 0);
}

TEST_F(Shows, FollowedLogsSurviveARestart) {
  io::Scope scope(io::Context{loop.get(), &loop->cancel()});
  scope.spawn(recreate(engine));
  ASSERT_EQ(run("logs -f web"), 0) << err;
  EXPECT_EQ(out, "web-1  | hello from web\nweb-1  | late\nweb-1  | hello from web\nweb-1  | late\n");
  loop->run([](io::Scope& all) -> io::Task<void> { co_await all.join(); }(scope));
}

TEST_F(Shows, ExecReturnsTheStatus) {
  engine.on_exec({.container = "shop-web-1", .command = "ls /nope", .err = "no such file\n", .exit_code = 2});
  EXPECT_EQ(run("exec -T --interactive=false web ls /nope"), 2);
  EXPECT_EQ(err, "no such file\n");
  EXPECT_EQ(run("exec -T --interactive=false --index 5 web ls"), 1);
  EXPECT_TRUE(err.contains("has no container number 5")) << err;
  EXPECT_EQ(run("exec -T nosuch ls"), 1);
  EXPECT_TRUE(err.contains("no such service: nosuch")) << err;
}

TEST_F(Shows, ExecWithoutACommandOpensAShell) {
  engine.on_exec({.container = "shop-web-1", .command = "/bin/sh", .out = "in sh\n"});
  engine.on_exec({.container = "shop-tool-1", .command = "/bin/bash", .out = "in bash\n"});
  engine.add_image("web:1", {.config = kCommand, .files = {{"/bin/sh", "x"}}});
  engine.add_image("tool:1", {.config = kCommand, .files = {{"/bin/sh", "x"}, {"/bin/bash", "x"}}});
  files["/shop/compose.yaml"] = replace_all(kShop, "db:\n    image: db:1", "tool:\n    image: tool:1");
  files["/shop/compose.yaml"] = replace_all(files["/shop/compose.yaml"], "[db]", "[tool]");
  ASSERT_EQ(run("up -d --force-recreate"), 0) << err;
  ASSERT_EQ(run("exec -T -i=false web"), 0) << err;
  EXPECT_EQ(out, "in sh\n");
  ASSERT_EQ(run("exec -T -i=false tool"), 0) << err;
  EXPECT_EQ(out, "in bash\n");
}

TEST_F(Shows, ExecNeedsACommandWhereThereIsNoShell) {
  EXPECT_EQ(run("exec -T -i=false db"), 1);
  EXPECT_TRUE(err.contains("neither bash nor sh")) << err;
}

TEST_F(Shows, ExplainSaysWhy) {
  ASSERT_EQ(run("explain web"), 0) << err;
  EXPECT_TRUE(out.contains("service:web:1")) << out;
  EXPECT_TRUE(out.contains("written at compose.yaml:2:3")) << out;
  EXPECT_EQ(run("explain nothing"), 1);
}

TEST_F(Shows, LsImagesTopPortWait) {
  ASSERT_EQ(run("ls"), 0) << err;
  EXPECT_TRUE(out.contains("running(2)")) << out;
  ASSERT_EQ(run("images"), 0) << err;
  EXPECT_TRUE(out.contains("shop-db-1")) << out;
  ASSERT_EQ(run("top web"), 0) << err;
  EXPECT_TRUE(out.starts_with("shop-web-1\n")) << out;
  EXPECT_EQ(run("port web 80"), 1);
  EXPECT_TRUE(err.contains("not published")) << err;
  engine.behave("shop-db-1", {});
  io::Scope scope(io::Context{loop.get(), &loop->cancel()});
  scope.spawn([](testing::FakeEngine& fake) -> io::Task<void> {
    (void)co_await io::sleep_for(std::chrono::seconds(5));
    fake.exit("shop-db-1", 9);
  }(engine));
  EXPECT_EQ(run("wait db"), 9) << err;
  EXPECT_EQ(out, "9\n");
  loop->run([](io::Scope& all) -> io::Task<void> { co_await all.join(); }(scope));
}

TEST_F(Errors, HaveDockerComposesStatus) {
  EXPECT_EQ(run("up --bogus"), 16);
  EXPECT_EQ(run("upp"), 16);
  EXPECT_EQ(run("-f nope.yaml ps"), 14) << err;
  EXPECT_TRUE(err.starts_with("berth: ")) << err;
  files["/shop/compose.yaml"] = "services:\n  web:\n    image: ${IMAGE:?say which}\n";
  EXPECT_EQ(run("up -d"), 15);
  EXPECT_TRUE(err.contains("compose.yaml:3:")) << err;
  files["/shop/compose.yaml"] = "services:\n  web:\n    imag: x\n";
  EXPECT_EQ(run("config"), 15);
  EXPECT_TRUE(err.contains("compose.yaml:3:5")) << err;
  EXPECT_TRUE(err.contains("^")) << err;
  files["/shop/compose.yaml"] = "services: [\n";
  EXPECT_EQ(run("config -q"), 15);
  files.clear();
  EXPECT_EQ(run("up"), 14) << err;
}

TEST_F(Errors, UnknownServiceAndNetwork) {
  EXPECT_EQ(run("up -d wbe"), 1);
  EXPECT_TRUE(err.contains("no such service: wbe")) << err;
  files["/shop/compose.yaml"] =
      "services:\n  web:\n    image: web:1\n    networks: [front]\nnetworks:\n  front:\n    external: true\n";
  EXPECT_EQ(run("up -d"), 1);
  EXPECT_TRUE(err.contains("front")) << err;
  EXPECT_EQ(engine.changes(), std::vector<std::string>{});
}

TEST_F(Errors, NoEngine) {
  engine.refuse_connections(true);
  EXPECT_EQ(run("ps"), 1);
  EXPECT_EQ(std::ranges::count(err, '\n'), 1) << err;
}

TEST_F(Errors, AnInterruptedProjectIsFinishedByTheNextUp) {
  engine.inject({.method = "POST", .path = "/containers/*/start", .status = 500, .message = "boom"});
  EXPECT_EQ(run("up -d"), 1);
  EXPECT_TRUE(err.contains("boom")) << err;
  ASSERT_EQ(run("up -d"), 0) << err;
  ASSERT_EQ(run("ps --services"), 0);
  EXPECT_EQ(out, "db\nweb\n");
}

TEST_F(Errors, ConfigLists) {
  ASSERT_EQ(run("config --services"), 0) << err;
  EXPECT_EQ(out, "db\nweb\n");
  ASSERT_EQ(run("config --images"), 0) << err;
  EXPECT_EQ(out, "db:1\nweb:1\n");
  ASSERT_EQ(run("config --variables"), 0) << err;
  EXPECT_TRUE(out.contains("MODE") && out.contains("slow")) << out;
  ASSERT_EQ(run("config --format json"), 0) << err;
  EXPECT_EQ((*parse_json(out))["name"].text(), "shop");
  ASSERT_EQ(run("config --hash web"), 0) << err;
  EXPECT_TRUE(out.starts_with("web ")) << out;
  ASSERT_EQ(run("version --short"), 0);
  ASSERT_EQ(run("--help"), 0);
  EXPECT_TRUE(out.contains("Usage: berth")) << out;
}

}  // namespace
}  // namespace berth::cli
