// Planning, applying and observing in a circle on an engine that lives in memory: what is planned comes true, and what
// was interrupted anywhere is finished by the next up.
#include <gtest/gtest.h>

#include "base/text.h"
#include "compose/plan.h"
#include "compose/project_world_test.h"
#include "plan/apply.h"
#include "plan/observe.h"
#include "testing/fake_engine.h"
#include "testing/simulation.h"

namespace berth::compose {
namespace {

using berth::testing::FakeEngine;
using io::Task;

Project project_of(const std::string& text) {
  const auto json = parse_json(text);
  EXPECT_TRUE(json) << text;
  return testing::project_of(json.value_or(Json()));
}

// One service on two networks with a health check and copied secret, one that depends on it, one that shares its
// namespace, a one-shot.
std::string shop(const std::string& debug) {
  return R"({"services":{
    "db":{"image":"app:1","environment":{"DEBUG":")" +
         debug + R"("},"healthcheck":{"test":["CMD","true"],"interval":"1s"},
      "networks":{"front":null,"back":{"aliases":["data"]}},"volumes":[{"type":"volume","source":"data","target":"/data"},
      {"type":"volume","target":"/anon"}],"secrets":[{"source":"key","target":"/run/secrets/key"}]},
    "job":{"image":"app:1","networks":{"back":null}},
    "side":{"image":"app:1","network_mode":"service:db","depends_on":{"db":{"condition":"service_started","restart":true}}},
    "web":{"image":"app:1","networks":{"front":null},"labels":{"debug":")" +
         debug + R"("},
      "depends_on":{"db":{"condition":"service_healthy"},"job":{"condition":"service_completed_successfully"}}}},
    "networks":{"front":{"name":"shop_front"},"back":{"name":"shop_back"}},"volumes":{"data":{"name":"shop_data"}},
    "secrets":{"key":{"environment":"KEY"}},"environment":{"KEY":"value"}})";
}

class Circle {
 public:
  Circle() {
    engine_.add_image("app:1", {.config = *parse_json(R"({"Cmd":["serve"],"Env":["PATH=/bin"]})")});
    engine_.behave("*job-1", {.exits_after = std::chrono::seconds(1)});
    client_ = *loop_->run(engine::Client::connect(*engine::parse_address("unix:///fake"), engine_.dialer()));
  }
  ~Circle() { client_.reset(); }

  Result<plan::Plan> plan(const Project& project, const UpOptions& options = {}) {
    const auto world = loop_->run(plan::observe(*client_, wanted(project)));
    if (!world) return fail(world.error());
    return plan_up(project, *world, options);
  }
  static Task<Result<plan::Outcome>> apply(engine::Client& client, const plan::Plan& plan) {
    co_return co_await plan::apply(client, plan);
  }
  Result<plan::Outcome> apply(const plan::Plan& plan) { return loop_->run(apply(*client_, plan)); }
  /// Ctrl-C at the `at`-th event of its progress.
  static Task<Result<plan::Outcome>> apply_until(engine::Client& client, const plan::Plan& plan, int at) {
    io::Cancel cancel((co_await io::here()).cancel);
    plan::ApplyOptions options;
    options.progress = [&cancel, &at](const plan::Progress&) {
      if (--at == 0) cancel.request();
    };
    co_return co_await plan::apply(client, plan, std::move(options)).under(cancel);
  }
  Result<plan::Outcome> apply_until(const plan::Plan& plan, int at) {
    return loop_->run(apply_until(*client_, plan, at));
  }
  Result<plan::Observed> observed(const Project& project) {
    return loop_->run(plan::observe(*client_, wanted(project)));
  }
  /// Plans and applies; "" when all went well.
  std::string up(const Project& project) {
    const auto planned = plan(project);
    if (!planned) return planned.error().text();
    const auto outcome = apply(*planned);
    if (!outcome) return outcome.error().text();
    return outcome->ok() ? "" : outcome->error().text() + '\n' + planned->to_text();
  }
  std::string ops(const Project& project) {
    const auto planned = plan(project);
    if (!planned) return planned.error().text();
    std::string text;
    for (const plan::Node& node : planned->nodes) text += describe(node.op) + ": " + node.cause + '\n';
    return text;
  }
  std::string names() {
    std::string text;
    for (const Json& one : engine_.handle({.target = "/containers/json?all=1"}).json().items())
      text += std::string(one["Names"].items()[0].text().substr(1)) + ' ' + std::string(one["State"].text()) + '\n';
    return text;
  }
  FakeEngine& engine() { return engine_; }

 private:
  std::unique_ptr<io::Loop> loop_ = berth::testing::simulated_loop();
  FakeEngine engine_{*loop_};
  std::unique_ptr<engine::Client> client_;
};

constexpr std::string_view kAllUp = "shop-db-1 running\nshop-job-1 exited\nshop-side-1 running\nshop-web-1 running\n";
std::string sorted(const std::string& lines) {
  std::vector<std::string> parts;
  for (const std::string_view line : split(lines, '\n'))
    if (!line.empty()) parts.push_back(std::string(line) + '\n');
  std::sort(parts.begin(), parts.end());
  return join(parts, "");
}

TEST(PlanApply, ComesTrueAndThenThereIsNothingToDo) {
  Circle circle;
  const Project project = project_of(shop("0"));
  EXPECT_EQ(circle.up(project), "");
  EXPECT_EQ(sorted(circle.names()), kAllUp);
  EXPECT_EQ(circle.ops(project), "");
  EXPECT_EQ(circle.engine().file("shop-db-1", "/run/secrets/key"), "value");
}

TEST(PlanApply, RecreatesWhatDiffersAndKeepsAnonymousVolumes) {
  Circle circle;
  ASSERT_EQ(circle.up(project_of(shop("0"))), "");
  const auto anonymous = [&] {
    for (const Json& mount : circle.engine().handle({.target = "/containers/shop-db-1/json"}).json()["Mounts"].items())
      if (mount["Destination"].text() == "/anon") return std::string(mount["Name"].text());
    return std::string();
  };
  const std::string before = anonymous();
  EXPECT_EQ(circle.up(project_of(shop("1"))), "");
  EXPECT_EQ(sorted(circle.names()), kAllUp);
  EXPECT_EQ(circle.ops(project_of(shop("1"))), "");
  EXPECT_EQ(anonymous(), before);
  EXPECT_FALSE(before.empty());
}

TEST(PlanApply, LeavesContainersAsTheyAreWhenAnImageCannotBePulled) {
  Circle circle;
  ASSERT_EQ(circle.up(project_of(shop("0"))), "");
  const Project broken = project_of(replace_all(shop("1"), R"("web":{"image":"app:1")", R"("web":{"image":"gone:1")"));
  circle.engine().forget_calls();
  EXPECT_NE(circle.up(broken), "");
  for (const std::string& change : circle.engine().changes())
    EXPECT_TRUE(change.starts_with("POST /images/create")) << change;
  EXPECT_EQ(sorted(circle.names()), kAllUp);
}

TEST(PlanApply, HealsWhatWasKilled) {
  Circle circle;
  const Project project = project_of(shop("0"));
  ASSERT_EQ(circle.up(project), "");
  circle.engine().exit("shop-web-1", 137);
  EXPECT_EQ(circle.ops(project), "start container shop-web-1: exited with status 137\n");
  EXPECT_EQ(circle.up(project), "");
  EXPECT_EQ(circle.ops(project), "");
}

TEST(PlanApply, GoesDownToNothing) {
  Circle circle;
  const Project project = project_of(shop("0"));
  ASSERT_EQ(circle.up(project_of(shop("1"))), "");
  ASSERT_EQ(circle.up(project), "") << "which hands anonymous volumes on";
  const auto world = [&] { return plan_down(project, *circle.observed(project), {.volumes = true}); };
  EXPECT_NE(world()->to_text().find("anonymous, of shop-db-1 (data risk)"), std::string::npos) << world()->to_text();
  ASSERT_TRUE(circle.apply(*world())->ok());
  EXPECT_EQ(circle.names(), "");
  EXPECT_EQ(circle.engine().handle({.target = "/volumes"}).json()["Volumes"].size(), 0u);
  EXPECT_TRUE(world()->empty()) << world()->to_text();
}

// A circle in the middle of a change of all services, of which some call or step is the last.
void expect_finished(Circle& circle, int at) {
  const Project project = project_of(shop("1"));
  EXPECT_EQ(circle.up(project), "") << "after " << at;
  EXPECT_EQ(sorted(circle.names()), kAllUp) << "after " << at;
  EXPECT_EQ(circle.ops(project), "") << "after " << at;
}

TEST(PlanApply, IsFinishedByTheNextUpWhateverCallFailed) {
  for (const char* method : {"POST", "DELETE", "PUT"}) {
    bool failed = true;
    int at = 0;
    for (; failed; ++at) {
      ASSERT_LT(at, 100);
      Circle circle;
      ASSERT_EQ(circle.up(project_of(shop("0"))), "");
      circle.engine().inject({.method = method, .skip = at, .times = 1, .status = 500});
      failed = !circle.up(project_of(shop("1"))).empty();
      if (failed) expect_finished(circle, at);
    }
    EXPECT_GT(at, 1) << method;
  }
}

TEST(PlanApply, IsFinishedByTheNextUpWhereverItWasInterrupted) {
  bool interrupted = true;
  int at = 1;
  for (; interrupted; at += 2) {
    ASSERT_LT(at, 100);
    Circle circle;
    ASSERT_EQ(circle.up(project_of(shop("0"))), "");
    const auto planned = circle.plan(project_of(shop("1")));
    ASSERT_TRUE(planned);
    interrupted = !circle.apply_until(*planned, at);
    if (interrupted) expect_finished(circle, at);
  }
  EXPECT_GT(at, 10);
}

TEST(PlanApply, IsFinishedByTheNextUpFromNothing) {
  bool interrupted = true;
  for (int at = 1; interrupted; at += 3) {
    ASSERT_LT(at, 100);
    Circle circle;
    const auto planned = circle.plan(project_of(shop("1")));
    ASSERT_TRUE(planned);
    interrupted = !circle.apply_until(*planned, at);
    if (interrupted) expect_finished(circle, at);
  }
}

}  // namespace
}  // namespace berth::compose
