#include "plan/plan.h"

#include <gtest/gtest.h>

namespace berth::plan {
namespace {

Node start(std::string name, std::vector<int> after = {}) {
  return {.op = StartContainer{{.name = name}},
          .after = std::move(after),
          .subject = "service:" + name + ":1",
          .cause = "test"};
}

TEST(PlanBuilder, PutsNodesInOrderAndRenumbersWhatRefersToThem) {
  PlanBuilder builder("shop");
  const int last = builder.add(start("last"));
  const int made = builder.add({.op = CreateContainer{.name = "web"}, .subject = "service:web:1", .cause = "none"});
  const int copied = builder.add({.op = StartContainer{{.name = "web", .created_by = made}}, .after = {made, 0, made}});
  builder.add({.op = CreateContainer{.name = "side", .fills = {{.path = {"HostConfig", "NetworkMode"}, .from = made}}},
               .after = {made}});
  builder.order(copied, last);
  builder.order(0, last);
  builder.order(last, last);
  const auto plan = builder.take();
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->nodes.size(), 4u);
  EXPECT_EQ(object_of(plan->nodes[0].op), "web");
  EXPECT_EQ(container_of(plan->nodes[1].op)->created_by, 1);
  EXPECT_EQ(plan->nodes[1].after, std::vector<int>({1}));
  EXPECT_EQ(object_of(plan->nodes[2].op), "last");
  EXPECT_EQ(std::get<CreateContainer>(plan->nodes[3].op).fills[0].from, 1);
}

TEST(PlanBuilder, RefusesACircle) {
  PlanBuilder builder("shop");
  const int a = builder.add(start("a"));
  const int b = builder.add(start("b", {a}));
  builder.order(b, a);
  const auto plan = builder.take();
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Code::internal);
  EXPECT_NE(plan.error().message.find("shop"), std::string::npos);
}

Plan sample(const std::string& password) {
  PlanBuilder builder("shop");
  const Json body = Json::object({{"Env", Json::array({"DB_PASSWORD=" + password, "DEBUG=1", "BARE"})},
                                  {"Labels", Json::object({{"api.token", password}, {"x", "y"}})}});
  const int made =
      builder.add({.op = CreateContainer{.name = "abc_web", .body = body},
                   .subject = "service:web:1",
                   .cause = "Env.DB_PASSWORD: changed (3 -> 4 bytes)",
                   .differences = {{"Env.DB_PASSWORD", "old", password, true}, {"Env.DEBUG", "0", "1", false}},
                   .group = "web",
                   .replacing = true});
  builder.add(
      {.op = CopyIn{.container = {.name = "abc_web", .created_by = made}, .files = {{"/run/secrets/k", password}}},
       .after = {made},
       .subject = "service:web:1",
       .cause = "same",
       .group = "web",
       .replacing = true});
  builder.add({.op = RemoveVolume{"shop_data"}, .subject = "volume:data", .cause = "down", .risk = Risk::data});
  builder.plan().keeps.push_back({"service:db:1", "id-of-db", "running"});
  builder.plan().foreign.push_back({"container:old", "id-of-old", "orphan"});
  builder.plan().warnings.push_back("volume \"data\" differs");
  return *builder.take();
}

TEST(Plan, PrintsItselfAsText) {
  EXPECT_EQ(sample("new1").to_text(),
            "[] -> #1 service:web:1, CreateContainer abc_web, Env.DB_PASSWORD: changed (3 -> 4 bytes)\n"
            "[1] -> #2 service:web:1, CopyIn abc_web /run/secrets/k, same\n"
            "[] -> #3 volume:data, RemoveVolume shop_data, down (data risk)\n"
            "= service:db:1, running\n"
            "~ container:old, orphan\n"
            "! volume \"data\" differs\n");
  EXPECT_EQ(summary(sample("x")), "1 to recreate, 1 to remove");
}

TEST(Plan, SaysNoSecretInItsJson) {
  const std::string text = sample("hunter22").to_json("key").dump();
  EXPECT_EQ(text.find("hunter22"), std::string::npos) << text;
  EXPECT_NE(text.find("DEBUG=1"), std::string::npos);
  EXPECT_NE(text.find(R"("x":"y")"), std::string::npos);
}

TEST(Plan, IsEqualAsJsonExactlyWhenItIsEqual) {
  EXPECT_EQ(sample("one").to_json("key").canonical(), sample("one").to_json("key").canonical());
  EXPECT_NE(sample("one").to_json("key").canonical(), sample("two").to_json("key").canonical());
  EXPECT_NE(sample("one").to_json("key").canonical(), sample("one").to_json("other key").canonical());
}

TEST(Plan, ExplainsASubjectByAnyOfItsNames) {
  const Plan plan = sample("x");
  for (const char* name : {"service:web:1", "service:web", "web", "web:1"})
    EXPECT_EQ(plan.explain(name).find("[] -> #1 service:web:1"), 0u) << name;
  EXPECT_EQ(plan.explain("db"), "= service:db:1, running\n");
  EXPECT_EQ(plan.explain("id-of-old"), "~ container:old, orphan\n");
  EXPECT_EQ(plan.explain("data"),
            "[] -> #3 volume:data, RemoveVolume shop_data, down (data risk)\n! volume \"data\" differs\n");
  EXPECT_EQ(plan.explain("we"), "");
}

TEST(Plan, KnowsWhatChangesNothing) {
  PlanBuilder builder("shop");
  builder.add(
      {.op = WaitContainer{.container = {.id = "1", .name = "web"}}, .subject = "service:web:1", .cause = "--wait"});
  const auto waiting = builder.take();
  EXPECT_FALSE(waiting->empty());
  EXPECT_FALSE(waiting->changes());
  EXPECT_EQ(summary(*waiting), "nothing to change, only to wait");
  EXPECT_EQ(summary(Plan()), "nothing to do");
}

TEST(Op, IsDescribedInWords) {
  EXPECT_EQ(describe(StopContainer{{.name = "shop-web-1"}}), "stop container shop-web-1");
  EXPECT_EQ(describe(WaitContainer{.container = {.name = "db"}, .until = Until::healthy}), "wait container db healthy");
  EXPECT_EQ(describe(KillContainer{{.name = "db"}, "SIGHUP"}), "kill container db with SIGHUP");
  EXPECT_EQ(container_of(Op(PullImage{})), nullptr);
}

}  // namespace
}  // namespace berth::plan
