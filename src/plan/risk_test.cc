#include "plan/risk.h"

#include <gtest/gtest.h>

#include "plan/gap.h"
#include "plan/saved.h"

namespace berth::plan {
namespace {

Json env(std::string_view pair) {
  return Json::object({{"Env", Json::array({pair})}});
}

TEST(DataVersion, ReadsTheTagAndElseTheImage) {
  EXPECT_EQ(data_version("postgres:16.2-alpine", {}), "16");
  EXPECT_EQ(data_version("postgres:9.6.24", {}), "9.6");
  EXPECT_EQ(data_version("registry:5000/bitnami/postgresql:15", {}), "15");
  EXPECT_EQ(data_version("postgres:latest", env("PG_MAJOR=17")), "17");
  EXPECT_EQ(data_version("sha256:0011", env("PG_MAJOR=9.5")), "9.5");
  EXPECT_EQ(data_version("timescale/timescaledb:pg16", {}), "16");
  EXPECT_EQ(data_version("mysql:8.0.36", {}), "8");
  EXPECT_EQ(data_version("mongo:v7", {}), "7");
  EXPECT_EQ(data_version("clickhouse/clickhouse-server:24.3.1", {}), "24.3");
  EXPECT_EQ(data_version("redis", {}), "");
  EXPECT_EQ(data_version("nginx:1.27", {}), "");
  EXPECT_EQ(data_version("my-postgres-tools:2", {}), "");
  EXPECT_EQ(data_version("", {}), "");
  EXPECT_EQ(data_version(":@/", {}), "");
}

Volume volume(const std::string& project, const std::string& key) {
  return {.name = project + "_" + key,
          .labels = {{std::string(label::kProject), project}, {std::string(label::kVolume), key}}};
}

Plan new_volume(const std::string& project, const std::string& key) {
  PlanBuilder builder(project);
  const Json labels = Json::object({{std::string(label::kProject), project}, {std::string(label::kVolume), key}});
  builder.add({.op = CreateVolume{Json::object({{"Name", project + "_" + key}, {"Labels", labels}})},
               .subject = "volume:" + key,
               .cause = "no such volume"});
  return *builder.take();
}

Container container(const std::string& project, State state) {
  Container out{.id = project, .state = state};
  out.project = project;
  return out;
}

Risk risk_beside(std::vector<Volume> volumes, std::vector<Container> containers) {
  Plan plan = new_volume("shop", "data");
  EXPECT_TRUE(makes_volumes(plan));
  mark_neighbours(plan, {.volumes = std::move(volumes), .containers = std::move(containers)});
  return plan.nodes[0].risk;
}

TEST(Neighbours, ARenamedProjectIsAskedAboutAndASimilarOneTold) {
  EXPECT_EQ(risk_beside({volume("old", "data")}, {container("old", State::exited)}), Risk::data);
  // Two runs side by side from one checkout are nobody's mistake.
  EXPECT_EQ(risk_beside({volume("old", "data")}, {container("old", State::running)}), Risk::none);
  EXPECT_EQ(risk_beside({volume("old", "cache")}, {container("old", State::exited)}), Risk::none);
  EXPECT_EQ(risk_beside({volume("shop2", "data")}, {}), Risk::notice);
  EXPECT_EQ(risk_beside({volume("inventory", "data")}, {}), Risk::none);
  EXPECT_EQ(risk_beside({volume("shop", "data")}, {container("shop", State::exited)}), Risk::none);
}

SavedPlan saved() {
  return {.project = "shop",
          .working_dir = "/srv/shop",
          .arguments = {"plan", "--out", "f"},
          .made = "2026-01-01T00:00:00Z",
          .salt = "00ff",
          .files = {{"/srv/shop/compose.yaml", "aa"}},
          .variables = {{"MODE", "bb"}},
          .plan = new_volume("shop", "data").to_json("key")};
}

TEST(SavedPlan, IsReadAsItWasWritten) {
  const auto text = to_text(saved());
  const auto again = parse_saved_plan(text);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(to_text(*again), text);
  EXPECT_EQ(moved(saved(), *again), std::vector<std::string>{});
}

TEST(SavedPlan, AnythingElseIsRefused) {
  const auto text = to_text(saved());
  for (std::size_t cut = 0; cut + 2 < text.size(); ++cut) EXPECT_FALSE(parse_saved_plan(text.substr(0, cut))) << cut;
  EXPECT_FALSE(parse_saved_plan("{}"));
  EXPECT_FALSE(parse_saved_plan(R"({"kind":"berth plan","format":2})"));
  EXPECT_FALSE(parse_saved_plan(R"({"kind":"berth plan","format":1,"project":"x"})"));
  EXPECT_FALSE(parse_saved_plan(R"([1,2])"));
}

TEST(SavedPlan, NamesWhatMoved) {
  auto now = saved();
  now.files["/srv/shop/compose.yaml"] = "ab";
  now.files["/srv/shop/.env"] = "cc";
  now.variables.clear();
  now.plan = new_volume("shop", "date").to_json("key");
  EXPECT_EQ(moved(saved(), now),
            std::vector<std::string>({"file /srv/shop/.env is new", "file /srv/shop/compose.yaml changed",
                                      "variable MODE is gone",
                                      "volume:data: CreateVolume, no such volume is no longer to be done",
                                      "volume:date: CreateVolume, no such volume is new"}));
}

Node stop(const std::string& service, std::vector<int> after) {
  return {.op = StopContainer{.container = {.id = service, .name = service}},
          .after = std::move(after),
          .subject = "service:" + service + ":1",
          .group = service};
}
Node start(const std::string& service, std::vector<int> after) {
  return {.op = StartContainer{.container = {.id = service, .name = service}},
          .after = std::move(after),
          .subject = "service:" + service + ":1",
          .group = service};
}
Node wait(const std::string& service, std::vector<int> after) {
  return {.op = WaitContainer{.container = {.id = service, .name = service}, .until = Until::healthy},
          .after = std::move(after),
          .subject = "service:" + service + ":1",
          .group = service};
}

// web stops, then db, which is back and healthy before web starts.
TEST(Gaps, CountTheLongestWayFromStopToReady) {
  Observed observed;
  Container db{.id = "db"}, web{.id = "web"};
  db.inspect = *parse_json(R"({"Config":{"StopTimeout":20,"Healthcheck":{"Test":["CMD","x"],"Interval":5000000000}}})");
  web.inspect = *parse_json(R"({"Config":{}})");
  observed.containers = {db, web};
  PlanBuilder builder("shop");
  const int web_down = builder.add(stop("web", {}));
  const int db_down = builder.add(stop("db", {web_down}));
  const int db_up = builder.add(start("db", {db_down}));
  const int db_ready = builder.add(wait("db", {db_up}));
  builder.add(start("web", {db_ready, web_down}));
  const auto gaps = gaps_of(*builder.take(), observed);
  ASSERT_EQ(gaps.size(), 2u);
  EXPECT_EQ(to_text(gaps[0]), "about 25 s (stop grace 20 s, health check 5 s)");
  EXPECT_EQ(to_text(gaps[1]), "about 35 s (stop grace 10 s, stop grace 20 s, db ready 5 s)");
}

TEST(Gaps, NoneWhereTheNewOneStartsFirst) {
  PlanBuilder builder("shop");
  const int up = builder.add(start("web", {}));
  builder.add(stop("web", {up}));
  EXPECT_EQ(to_text(gaps_of(*builder.take(), {}).at(0)), "none (the new container starts first)");
}

TEST(Gaps, NoneForWhatIsOnlyRemoved) {
  PlanBuilder builder("shop");
  builder.add(stop("web", {}));
  EXPECT_TRUE(gaps_of(*builder.take(), {}).empty());
}

}  // namespace
}  // namespace berth::plan
