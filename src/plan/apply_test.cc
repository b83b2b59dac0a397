// The executor on an engine that lives in memory, in virtual time.
#include "plan/apply.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "engine/container.h"
#include "io/scope.h"
#include "plan/observe.h"
#include "testing/fake_engine.h"
#include "testing/simulation.h"

namespace berth::plan {
namespace {

using namespace std::chrono_literals;
using berth::testing::FakeFault;
using io::Task;

class ApplyTest : public ::testing::Test {
 protected:
  ApplyTest() {
    engine_.add_image("app:1", {.config = *parse_json(R"({"Cmd":["serve"]})")});
    auto client = loop_->run(engine::Client::connect(*engine::parse_address("unix:///fake"), engine_.dialer()));
    EXPECT_TRUE(client) << (client ? "" : client.error().message);
    client_ = *std::move(client);
    engine_.forget_calls();
  }
  ~ApplyTest() override { client_.reset(); }

  int create(const std::string& name, std::vector<int> after = {}, const char* more = "{}") {
    Json body = *parse_json(more);
    body.set("Image", "app:1");
    return add(CreateContainer{.name = name, .body = std::move(body)}, std::move(after), name);
  }
  int start(int created, std::vector<int> after = {}) {
    after.push_back(created);
    return add(StartContainer{{.name = "new", .created_by = created}}, std::move(after), "start");
  }
  int add(Op op, std::vector<int> after, std::string subject) {
    return builder_.add(
        {.op = std::move(op), .after = std::move(after), .subject = std::move(subject), .cause = "test"});
  }

  static Task<Result<Outcome>> applied(engine::Client& client, const Plan& plan, std::vector<std::string>& told,
                                       std::size_t parallel) {
    ApplyOptions options{.parallel = parallel};
    options.progress = [&told](const Progress& one) {
      told.push_back(std::to_string(one.node->id) + ' ' + std::string(to_text(one.phase)) +
                     (one.detail.empty() ? "" : ": " + one.detail));
    };
    co_return co_await apply(client, plan, std::move(options));
  }
  Outcome run() {
    plan_ = *builder_.take();
    auto outcome = loop_->run(applied(*client_, plan_, told_, parallel_));
    EXPECT_TRUE(outcome) << (outcome ? "" : outcome.error().message);
    return outcome ? *std::move(outcome) : Outcome();
  }
  std::string status(const std::string& name) {
    const auto reply = engine_.handle({.target = "/containers/" + name + "/json"}).json();
    return std::string(reply.at("State.Status").text("absent"));
  }
  /// A container that runs, made by somebody; its id.
  std::string running(const std::string& name) {
    const auto made =
        engine_.handle({.method = "POST", .target = "/containers/create?name=" + name, .body = R"({"Image":"app:1"})"})
            .json();
    engine_.handle({.method = "POST", .target = "/containers/" + name + "/start"});
    return std::string(made["Id"].text());
  }
  bool was_told(const std::string& text) const { return std::find(told_.begin(), told_.end(), text) != told_.end(); }

  std::unique_ptr<io::Loop> loop_ = berth::testing::simulated_loop();
  berth::testing::FakeEngine engine_{*loop_};
  std::unique_ptr<engine::Client> client_;
  PlanBuilder builder_{"shop"};
  Plan plan_;
  std::vector<std::string> told_;
  std::size_t parallel_ = 16;
};

TEST_F(ApplyTest, MakesThingsInOrder) {
  const int network = add(CreateNetwork{*parse_json(R"({"Name":"n"})")}, {}, "network");
  const int volume = add(CreateVolume{*parse_json(R"({"Name":"v"})")}, {}, "volume");
  const int web = create("web", {network, volume}, R"({"HostConfig":{"NetworkMode":"n"}})");
  start(web);
  const Outcome outcome = run();
  EXPECT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(outcome.done, 4u);
  EXPECT_EQ(status("web"), "running");
  EXPECT_EQ(engine_.changes().back(), "POST /containers/" + outcome.results.at(3) + "/start");
  EXPECT_TRUE(was_told("3 started"));
  EXPECT_TRUE(was_told("3 done"));
}

Task<void> create_late(berth::testing::FakeEngine& engine, std::string body) {
  (void)co_await io::sleep_for(500ms);
  engine.handle({.method = "POST", .target = "/networks/create", .body = std::move(body)});
}
Task<void> joined(io::Scope& scope) {
  co_await scope.join();
}

TEST_F(ApplyTest, ANetworkThatAKilledProgramMadeMeanwhileIsNoDuplicate) {
  const std::string body = R"({"Name":"n","Labels":{"com.docker.compose.project":"shop"}})";
  add(CreateNetwork{*parse_json(body)}, {}, "network");
  engine_.inject({.method = "GET", .path = "/networks", .delay = 1s});
  io::Scope scope(io::Context{loop_.get(), &loop_->cancel()});
  scope.spawn(create_late(engine_, body));
  const Outcome outcome = run();
  loop_->run(joined(scope));
  EXPECT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(engine_.count("DELETE", "/networks/*"), 1u);
  const Json inspect = engine_.handle({.target = "/networks/n"}).json();
  EXPECT_EQ(inspect["Id"].text(), outcome.results.at(1));
}

TEST_F(ApplyTest, FillsInIdsThatComeUpOnTheWay) {
  const int first = create("first");
  const int second = builder_.add(
      {.op = CreateContainer{.name = "second",
                             .body = *parse_json(R"({"Image":"app:1","HostConfig":{"VolumesFrom":["?"]}})"),
                             .fills = {{{"HostConfig", "NetworkMode"}, "container:", first, ""},
                                       {{"HostConfig", "VolumesFrom", "0"}, "", first, ":ro"}}},
       .after = {first},
       .subject = "second"});
  const Outcome outcome = run();
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  const auto host = engine_.handle({.target = "/containers/second/json"}).json()["HostConfig"];
  EXPECT_EQ(host["NetworkMode"].text(), "container:" + outcome.results.at(first));
  EXPECT_EQ(host["VolumesFrom"], Json::array({outcome.results.at(first) + ":ro"}));
  EXPECT_EQ(second, 2);
}

TEST_F(ApplyTest, HashesWithIdsThatComeUpOnTheWay) {
  const int first = create("first"), other = create("other");
  builder_.add(
      {.op =
           CreateContainer{.name = "third",
                           .body = *parse_json(R"({"Image":"app:1","Labels":{"hash":"?"}})"),
                           .digests = {{{"Labels", "hash"}, "a MARK, b MARK, TOO", {{"MARK", first}, {"TOO", other}}}}},
       .after = {first, other},
       .subject = "third"});
  const Outcome outcome = run();
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  const std::string& id = outcome.results.at(first);
  EXPECT_EQ(engine_.handle({.target = "/containers/third/json"}).json()["Config"]["Labels"]["hash"].text(),
            sha256_hex("a " + id + ", b " + id + ", " + outcome.results.at(other)));
}

TEST_F(ApplyTest, PausesAndGoesOnRegardlessOfAFailure) {
  const int failing = add(StartContainer{{.id = "nobody", .name = "nobody"}}, {}, "nobody");
  const int skipped = create("skipped", {failing});
  const int joint = add(Pause{.what = "all"}, {failing}, "all");
  const int pause = add(Pause{.what = "next", .time = std::chrono::seconds(90), .regardless = true}, {skipped}, "next");
  const int next = create("next", {pause});
  const auto begin = loop_->now();
  const Outcome outcome = run();
  EXPECT_EQ(outcome.failures.size(), 1u);
  EXPECT_EQ(outcome.skipped, 2u) << "what depends on the failure, the joint " << joint << " too";
  EXPECT_TRUE(outcome.results.contains(next));
  EXPECT_EQ(loop_->now() - begin, std::chrono::seconds(90));
}

TEST_F(ApplyTest, NamesTheImageThatWasPulled) {
  engine_.add_remote("new:1", {.image = {.config = *parse_json(R"({"Cmd":["serve"]})")}});
  const int pull = add(PullImage{"new:1"}, {}, "image");
  builder_.add({.op = CreateContainer{.name = "web",
                                      .body = *parse_json(R"({"Image":"new:1","Labels":{}})"),
                                      .fills = {{{"Labels", "com.docker.compose.image"}, "", pull, ""}}},
                .after = {pull},
                .subject = "web"});
  const Outcome outcome = run();
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  const auto inspect = engine_.handle({.target = "/containers/web/json"}).json();
  EXPECT_EQ(inspect["Config"]["Labels"]["com.docker.compose.image"], inspect["Image"]);
  EXPECT_TRUE(outcome.results.at(pull).starts_with("sha256:"));
}

TEST_F(ApplyTest, StopsWhatDependsOnAFailureAndFinishesTheRest) {
  engine_.inject(
      {.method = "POST", .path = "/containers/create", .skip = 0, .times = 1, .status = 500, .message = "no space"});
  const int bad = create("bad");
  start(bad);
  run();
  EXPECT_TRUE(was_told("1 failed: no space")) << told_.back();
  EXPECT_TRUE(was_told("2 skipped: something that it depends on failed"));
  builder_ = PlanBuilder("shop");
  told_.clear();
  engine_.inject({.method = "POST",
                  .path = "/containers/*/start",
                  .times = 1,
                  .status = 500,
                  .message = "port is already allocated"});
  const int one = create("one");
  const int started = start(one);
  const int after = start(create("two", {started}));
  const int other = start(create("three", {one}));
  const Outcome outcome = run();
  EXPECT_EQ(outcome.failures.size(), 1u);
  EXPECT_EQ(outcome.error().message, "port is already allocated");
  EXPECT_EQ(outcome.skipped, 2u);
  EXPECT_EQ(status("two"), "absent");
  EXPECT_EQ(status("three"), "running");
  EXPECT_NE(after, other);
}

TEST_F(ApplyTest, TurnsBestEffortIntoAWarning) {
  engine_.inject(
      {.method = "DELETE", .path = "/networks/*", .times = -1, .status = 403, .message = "n has active endpoints"});
  const int gone =
      builder_.add({.op = RemoveNetwork{"n1", "n"}, .subject = "network", .cause = "down", .best_effort = true});
  create("web", {gone});
  const Outcome outcome = run();
  EXPECT_TRUE(outcome.ok());
  ASSERT_EQ(outcome.warnings.size(), 1u);
  EXPECT_TRUE(outcome.warnings[0].starts_with("network n is in use")) << outcome.warnings[0];
  EXPECT_EQ(engine_.count("DELETE", "/networks/*"), 4u);
  EXPECT_EQ(status("web"), "created");
}

TEST_F(ApplyTest, TriesANetworkWithActiveEndpointsAgain) {
  engine_.handle({.method = "POST", .target = "/networks/create", .body = R"({"Name":"n"})"});
  engine_.inject({.method = "DELETE", .path = "/networks/*", .status = 403, .message = "n has active endpoints"});
  add(RemoveNetwork{"n", "n"}, {}, "network");
  EXPECT_TRUE(run().ok());
  EXPECT_EQ(engine_.handle({.target = "/networks/n"}).status, 404);
}

TEST_F(ApplyTest, TakesTheContainerOfWhichTheCreationWasNotAnswered) {
  engine_.inject({.method = "POST", .path = "/containers/create", .drop = true, .done = true});
  start(create("web", {}, R"({"Labels":{"com.docker.compose.config-hash":"1"}})"));
  const Outcome outcome = run();
  EXPECT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(status("web"), "running");
}

TEST_F(ApplyTest, LeavesAContainerOfThatNameThatIsAnother) {
  engine_.handle({.method = "POST",
                  .target = "/containers/create?name=web",
                  .body = R"({"Image":"app:1","Labels":{"com.docker.compose.config-hash":"2"}})"});
  start(create("web", {}, R"({"Labels":{"com.docker.compose.config-hash":"1"}})"));
  const Outcome outcome = run();
  ASSERT_EQ(outcome.failures.size(), 1u);
  EXPECT_EQ(outcome.failures[0].error.code, Code::conflict);
  EXPECT_EQ(status("web"), "created");
}

TEST_F(ApplyTest, TakesTheNetworkThatAKilledProgramHadMade) {
  const char* body = R"({"Name":"n","Labels":{"com.docker.compose.project":"shop"}})";
  const Json made = engine_.handle({.method = "POST", .target = "/networks/create", .body = body}).json();
  add(CreateNetwork{*parse_json(body)}, {}, "network");
  const Outcome outcome = run();
  EXPECT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(outcome.results.at(1), made["Id"].text());
}

TEST_F(ApplyTest, LeavesANetworkOfThatNameThatIsOfOthers) {
  engine_.handle({.method = "POST", .target = "/networks/create", .body = R"({"Name":"n"})"});
  add(CreateNetwork{*parse_json(R"({"Name":"n","Labels":{"com.docker.compose.project":"shop"}})")}, {}, "network");
  const Outcome outcome = run();
  ASSERT_EQ(outcome.failures.size(), 1u);
  EXPECT_EQ(outcome.failures[0].error.code, Code::conflict);
}

TEST_F(ApplyTest, TakesWhatIsGoneAlreadyForRemoved) {
  add(RemoveVolume{"gone"}, {}, "volume");
  add(RemoveNetwork{"gone", "gone"}, {}, "network");
  add(RemoveContainer{.container = {.id = "gone", .name = "gone"}}, {}, "container");
  add(RemoveImage{"gone:1"}, {}, "image");
  const Outcome outcome = run();
  EXPECT_TRUE(outcome.ok()) << outcome.error().message;
}

TEST_F(ApplyTest, StopsWhenAContainerIsGone) {
  add(StopContainer{.container = {.id = "none", .name = "web", .seen = State::running}}, {}, "web");
  const Outcome outcome = run();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.failures[0].error.code, Code::moved);
  EXPECT_NE(outcome.error().message.find("web was removed"), std::string::npos) << outcome.error().message;
}

TEST_F(ApplyTest, StopsWhenAContainerWasRenamedOrStarted) {
  const std::string web = running("web"), db = running("db");
  add(RemoveContainer{.container = {.id = web, .name = "former", .seen = State::running}}, {}, "web");
  add(RemoveContainer{.container = {.id = db, .name = "db", .seen = State::exited}, .force = true}, {}, "db");
  const Outcome outcome = run();
  ASSERT_EQ(outcome.failures.size(), 2u);
  for (const auto& failure : outcome.failures) EXPECT_EQ(failure.error.code, Code::moved);
  EXPECT_EQ(status("web") + status("db"), "runningrunning");
  EXPECT_NE(outcome.error().message.find("(and 1 other failure)"), std::string::npos);
}

TEST_F(ApplyTest, LooksOnlyBeforeTheFirstOpOnAContainer) {
  const std::string web = running("web");
  const ContainerRef ref{.id = web, .name = "web", .seen = State::running};
  const int stopped = add(StopContainer{.container = ref}, {}, "web");
  const int renamed = add(RenameContainer{.container = ref, .name = "other"}, {stopped}, "web");
  add(StartContainer{ref}, {renamed}, "web");
  const Outcome outcome = run();
  EXPECT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(engine_.count("GET", "/containers/*/json"), 1u);
  EXPECT_EQ(status("other"), "running");
}

TEST_F(ApplyTest, WaitsForHealth) {
  engine_.behave("web", {.health = {{.after = 7s, .status = "healthy"}}});
  const int web = create("web", {}, R"({"Healthcheck":{"Test":["CMD","true"],"Interval":1000000000}})");
  const int started = start(web);
  const int healthy =
      add(WaitContainer{.container = {.name = "web", .created_by = web}, .until = Until::healthy}, {started}, "wait");
  create("next", {healthy});
  const auto before = loop_->now();
  EXPECT_TRUE(run().ok());
  EXPECT_GE(loop_->now() - before, 7s);
  EXPECT_LT(loop_->now() - before, 8s);
  EXPECT_TRUE(was_told("3 progress: health: starting"));
  EXPECT_EQ(status("next"), "created");
}

TEST_F(ApplyTest, GivesUpOnAnUnhealthyContainer) {
  engine_.behave(
      "web", {.output = {{.text = "cannot open the database\n"}}, .health = {{.after = 2s, .status = "unhealthy"}}});
  const int web = create("web", {}, R"({"Healthcheck":{"Test":["CMD","true"],"Interval":1000000000}})");
  const int waited = add(WaitContainer{.container = {.name = "web", .created_by = web}}, {start(web)}, "wait");
  create("next", {waited});
  const Outcome outcome = run();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().message, "container web is unhealthy");
  EXPECT_EQ(outcome.error().detail, "cannot open the database");
  EXPECT_EQ(status("next"), "absent");
}

TEST_F(ApplyTest, WaitsForCompletion) {
  engine_.behave("job", {.exits_after = 3s});
  engine_.behave("bad", {.exits_after = 3s, .exit_code = 4});
  const int job = create("job"), bad = create("bad");
  add(WaitContainer{.container = {.name = "job", .created_by = job}, .until = Until::completed}, {start(job)}, "wait");
  add(WaitContainer{.container = {.name = "bad", .created_by = bad}, .until = Until::completed}, {start(bad)}, "wait");
  const Outcome outcome = run();
  ASSERT_EQ(outcome.failures.size(), 1u);
  EXPECT_EQ(outcome.error().message, "container bad ended with status 4");
}

TEST_F(ApplyTest, BoundsAWait) {
  const int web = create("web", {}, R"({"Healthcheck":{"Test":["CMD","true"],"Interval":1000000000}})");
  engine_.behave("web", {.health = {{.after = 60s, .status = "healthy"}}});
  add(WaitContainer{.container = {.name = "web", .created_by = web}, .seconds = 5}, {start(web)}, "wait");
  const Outcome outcome = run();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.failures[0].error.code, Code::timeout);
  EXPECT_EQ(outcome.error().message, "container web was not ready after 5 s");
}

TEST_F(ApplyTest, CopiesFilesInBeforeTheStart) {
  const int web = create("web");
  const int copied = add(
      CopyIn{.container = {.name = "web", .created_by = web}, .files = {{"/run/secrets/key", "value"}}}, {web}, "copy");
  start(web, {copied});
  EXPECT_TRUE(run().ok());
  EXPECT_EQ(engine_.file("web", "/run/secrets/key"), "value");
}

TEST_F(ApplyTest, BoundsTheEffectsAtATime) {
  parallel_ = 2;
  engine_.inject({.method = "POST", .path = "/containers/create", .times = -1, .delay = 1s});
  for (int i = 0; i < 6; ++i) create("c" + std::to_string(i));
  const auto before = loop_->now();
  EXPECT_EQ(run().done, 6u);
  EXPECT_EQ(loop_->now() - before, 3s);
}

Task<Result<void>> cancel_after(io::Duration duration, io::Cancel& cancel) {
  CO_TRY(co_await io::sleep_for(duration));
  cancel.request();
  co_return Result<void>{};
}
Task<void> spawn_cancel(io::Duration duration, io::Cancel& cancel) {
  (void)co_await cancel_after(duration, cancel);
}

Task<Result<Outcome>> interrupted(engine::Client& client, const Plan& plan, io::Duration duration) {
  const io::Context context = co_await io::here();
  io::Cancel cancel(context.cancel);
  io::Scope scope(context);
  scope.spawn(spawn_cancel(duration, cancel));
  auto outcome = co_await apply(client, plan).under(cancel);
  co_await scope.join();
  co_return outcome;
}

TEST_F(ApplyTest, FinishesTheEffectInFlightWhenInterrupted) {
  engine_.inject({.method = "POST", .path = "/containers/create", .times = 1, .delay = 2s});
  const int web = create("web");
  start(web);
  plan_ = *builder_.take();
  const auto outcome = loop_->run(interrupted(*client_, plan_, 1s));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::cancelled);
  EXPECT_EQ(status("web"), "created") << "made, and never started";
}

TEST_F(ApplyTest, EndsAWaitWhenInterrupted) {
  engine_.behave("job", {.exits_after = 1000s});
  const int job = create("job");
  add(WaitContainer{.container = {.name = "job", .created_by = job}, .until = Until::completed}, {start(job)}, "wait");
  plan_ = *builder_.take();
  const auto before = loop_->now();
  EXPECT_FALSE(loop_->run(interrupted(*client_, plan_, 2s)));
  EXPECT_LT(loop_->now() - before, 8s);
}

TEST_F(ApplyTest, ObservesWhatIsThere) {
  running("other");
  engine_.handle(
      {.method = "POST",
       .target = "/containers/create?name=shop-web-1",
       .body =
           R"({"Image":"app:1","Labels":{"com.docker.compose.project":"shop","com.docker.compose.service":"web"}})"});
  engine_.forget_calls();
  const auto world = loop_->run(observe(*client_, {.project = "shop",
                                                   .networks = {"bridge", "none-such"},
                                                   .images = {"app:1", "none:1"},
                                                   .containers = {"other", "shop-web-1"}}));
  ASSERT_TRUE(world) << world.error().message;
  EXPECT_EQ(world->containers.size(), 1u);
  EXPECT_EQ(world->foreign.size(), 1u);
  EXPECT_NE(world->network("bridge"), nullptr);
  EXPECT_EQ(world->network("none-such"), nullptr);
  EXPECT_NE(world->image("app:1"), nullptr);
  EXPECT_EQ(world->image("none:1"), nullptr);
  EXPECT_EQ(world->version, client_->version());
  EXPECT_EQ(engine_.count("GET", "/containers/*/json"), 2u) << "each once";
  EXPECT_EQ(engine_.count("GET", "/images/*/json"), 2u) << "not again by the id that a container has";
}

TEST_F(ApplyTest, ObservesAllOrNothing) {
  running("other");
  engine_.inject({.method = "GET", .path = "/containers/*/json", .status = 500, .message = "broken"});
  const auto world = loop_->run(observe(*client_, {.project = "shop", .containers = {"other"}}));
  ASSERT_FALSE(world);
  EXPECT_EQ(world.error().message, "broken");
}

}  // namespace
}  // namespace berth::plan
