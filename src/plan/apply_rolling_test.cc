// Ops of a replacement without a gap: traffic, rescue, hooks, probes. In memory, in virtual time.
#include <gtest/gtest.h>

#include "plan/apply.h"
#include "testing/fake_engine.h"
#include "testing/simulation.h"

namespace berth::plan {
namespace {

using namespace std::chrono_literals;
using io::Task;

/// Remembers what it was asked, and fails on demand.
class FakeTraffic final : public Traffic {
 public:
  Task<TrafficView> view() override { co_return TrafficView{.edge = true}; }
  Task<Result<Routing>> route(std::string id, std::chrono::seconds most) override {
    asked.push_back("route " + id.substr(0, 4) + ' ' + std::to_string(most.count()));
    if (!refuses.empty()) co_return fail(Code::conflict, refuses);
    co_return unwanted ? Routing::none : Routing::routed;
  }
  Task<Result<Drained>> drain(std::string id, std::chrono::seconds most) override {
    asked.push_back("drain " + id.substr(0, 4) + ' ' + std::to_string(most.count()));
    if (alone) co_return fail(Code::conflict, "no other container answers its requests");
    co_return drained;
  }
  std::vector<std::string> asked{};
  std::string refuses{};
  Drained drained = Drained::empty;
  bool unwanted = false;  ///< the new one's labels ask for no requests
  bool alone = false;     ///< nobody else answers what is drained
};

class ApplyRollingTest : public ::testing::Test {
 protected:
  ApplyRollingTest() {
    engine_.add_image("app:1", {.config = *parse_json(R"({"Cmd":["serve"]})")});
    auto client = loop_->run(engine::Client::connect(*engine::parse_address("unix:///fake"), engine_.dialer()));
    client_ = *std::move(client);
    old_ = make("old");
  }
  ~ApplyRollingTest() override { client_.reset(); }

  std::string make(const std::string& name) {
    const auto made =
        engine_.handle({.method = "POST", .target = "/containers/create?name=" + name, .body = R"({"Image":"app:1"})"})
            .json();
    engine_.handle({.method = "POST", .target = "/containers/" + name + "/start"});
    return std::string(made["Id"].text());
  }
  int add(Op op, std::vector<int> after, bool rescue = false) {
    return builder_.add({.op = std::move(op),
                         .after = std::move(after),
                         .subject = "service:web:1",
                         .cause = "test",
                         .rescue = rescue});
  }
  // As the planner of a start-first replacement writes it.
  void replace(Op checked) {
    const int created = add(CreateContainer{.name = "new", .body = *parse_json(R"({"Image":"app:1"})")}, {});
    const ContainerRef fresh{.name = "new", .created_by = created};
    const ContainerRef old{.id = old_, .name = "old", .seen = State::running};
    const int started = add(StartContainer{fresh}, {created});
    std::visit(
        [&](auto& op) {
          if constexpr (requires { op.container; }) op.container = fresh;
        },
        checked);
    const int ready = add(std::move(checked), {started});
    const int routed = add(RouteContainer{.container = fresh, .seconds = 60}, {ready});
    const int drained = add(DrainContainer{.container = old, .seconds = 30}, {routed});
    add(RemoveContainer{.container = fresh, .force = true}, {created, started, ready, routed, drained}, true);
    const int stopped = add(StopContainer{.container = old}, {drained});
    const int removed = add(RemoveContainer{.container = old}, {stopped});
    add(RenameContainer{.container = fresh, .name = "old"}, {removed});
  }
  static Task<Result<Outcome>> applied(engine::Client& client, const Plan& plan, ApplyOptions options) {
    co_return co_await apply(client, plan, std::move(options));
  }
  Outcome run() {
    plan_ = *builder_.take();
    ApplyOptions options{.traffic = &traffic_};
    options.progress = [this](const Progress& one) {
      if (one.phase == Phase::passed) ++passed_;
    };
    return loop_->run(applied(*client_, plan_, std::move(options))).value();
  }
  std::string status(const std::string& name) {
    const auto reply = engine_.handle({.target = "/containers/" + name + "/json"}).json();
    return std::string(reply.at("State.Status").text("absent"));
  }
  std::string id_of(const std::string& name) {
    return std::string(engine_.handle({.target = "/containers/" + name + "/json"}).json()["Id"].text());
  }

  std::unique_ptr<io::Loop> loop_ = berth::testing::simulated_loop();
  berth::testing::FakeEngine engine_{*loop_};
  std::unique_ptr<engine::Client> client_;
  FakeTraffic traffic_;
  PlanBuilder builder_{"shop"};
  Plan plan_;
  std::string old_;
  int passed_ = 0;
};

TEST_F(ApplyRollingTest, RoutesBeforeItDrainsAndPassesTheRescueOver) {
  replace(WaitContainer{});
  const Outcome outcome = run();
  EXPECT_TRUE(outcome.ok());
  const std::string fresh = id_of("old");
  EXPECT_NE(fresh, old_);
  EXPECT_EQ(traffic_.asked,
            (std::vector<std::string>{"route " + fresh.substr(0, 4) + " 60", "drain " + old_.substr(0, 4) + " 30"}));
  EXPECT_EQ(passed_, 1);
  EXPECT_EQ(status("new"), "absent");
}

TEST_F(ApplyRollingTest, RequestsThatStayAreAWarning) {
  traffic_.drained = Drained::forced;
  replace(WaitContainer{});
  const Outcome outcome = run();
  EXPECT_TRUE(outcome.ok());
  EXPECT_EQ(outcome.warnings, std::vector<std::string>{"container old still had requests after 30 s; they are cut"});
}

TEST_F(ApplyRollingTest, TheOldOneStaysWhenTheNewOneEnds) {
  engine_.behave("new", {.exits_after = 0s, .exit_code = 3, .output = {{.text = "no database\n"}}});
  replace(WaitContainer{});
  const Outcome outcome = run();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.failures.front().error.message, "container new ended with status 3 instead of running");
  EXPECT_EQ(outcome.failures.front().error.detail, "no database");
  EXPECT_EQ(id_of("old"), old_);
  EXPECT_EQ(status("old"), "running");
  EXPECT_EQ(status("new"), "absent");
  EXPECT_TRUE(traffic_.asked.empty());
}

TEST_F(ApplyRollingTest, TheOldOneStaysWhenTheNewOneGetsNoRequests) {
  traffic_.refuses = "its labels name no port";
  engine_.behave("new", {.output = {{.text = "listening\n"}}});
  replace(WaitContainer{});
  const Outcome outcome = run();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.failures.front().error.message, "container new gets no requests: its labels name no port");
  EXPECT_EQ(outcome.failures.front().error.detail, "listening");
  EXPECT_EQ(status("old"), "running");
  EXPECT_EQ(status("new"), "absent");
}

TEST_F(ApplyRollingTest, TheOldOneGoesWhenTheNewOneWantsNoRequests) {
  traffic_.unwanted = traffic_.alone = true;
  replace(WaitContainer{});
  EXPECT_TRUE(run().ok());
  EXPECT_NE(id_of("old"), old_);
}

TEST_F(ApplyRollingTest, TheOldOneStaysWhenNobodyElseAnswers) {
  traffic_.alone = true;
  replace(WaitContainer{});
  EXPECT_FALSE(run().ok());
  EXPECT_EQ(id_of("old"), old_);
}

TEST_F(ApplyRollingTest, WhatWasNeverMadeIsNotUndone) {
  make("new");  // somebody else's
  replace(WaitContainer{});
  const Outcome outcome = run();
  EXPECT_FALSE(outcome.ok());
  EXPECT_EQ(status("new"), "running");
  EXPECT_EQ(status("old"), "running");
}

TEST_F(ApplyRollingTest, AFailedHookIsAFailedStart) {
  engine_.on_exec({.container = "new", .command = "migrate*", .out = "3 of 4\n", .err = "no table\n", .exit_code = 1});
  replace(ExecHook{.hook = "post_start", .command = {"migrate", "--all"}});
  const Outcome outcome = run();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.failures.front().error.message, "post_start of container new ended with status 1");
  EXPECT_TRUE(outcome.failures.front().error.detail.contains("no table"));
  EXPECT_EQ(status("old"), "running");
  EXPECT_EQ(status("new"), "absent");
}

TEST_F(ApplyRollingTest, AHookBeforeTheStopOfWhatHasEndedIsNone) {
  engine_.exit("old", 0);
  add(ExecHook{.container = {.id = old_, .name = "old"}, .hook = "pre_stop", .command = {"drain"}}, {});
  EXPECT_TRUE(run().ok());
}

TEST_F(ApplyRollingTest, AProbeInTheContainerIsTriedUntilItSucceeds) {
  engine_.on_exec({.command = "ready", .exit_code = 1});
  const Probe probe{
      .kind = Probe::Kind::exec, .command = {"ready"}, .interval = 1000ms, .start_period = 1500ms, .retries = 4};
  add(WaitContainer{.container = {.id = old_, .name = "old"}, .until = Until::healthy, .probe = probe}, {});
  const Outcome outcome = run();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.failures.front().error.message, "container old is not ready: exec ready: status 1");
  EXPECT_EQ(engine_.count("POST", "/containers/*/exec"), 6u);
}

TEST_F(ApplyRollingTest, AProbeThatSucceedsIsHealth) {
  const Probe probe{.kind = Probe::Kind::exec, .command = {"ready"}};
  add(WaitContainer{.container = {.id = old_, .name = "old"}, .until = Until::healthy, .probe = probe}, {});
  EXPECT_TRUE(run().ok());
  EXPECT_EQ(engine_.count("POST", "/containers/*/exec"), 1u);
}

}  // namespace
}  // namespace berth::plan
