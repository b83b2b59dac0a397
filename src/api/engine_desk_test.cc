// The engine down, restarted, or answering garbage; and engines beside the local one.
#include <gtest/gtest.h>

#include <set>

#include "api/engine_world_test.h"

namespace berth::api {
namespace {

using namespace std::chrono_literals;

const std::string kList = "/api/v1/containers";

struct EngineDeskTest : EngineRoutesTest {
  EngineDeskTest() {
    run("web");
    pass(1s);
  }
  std::vector<std::string> names(const std::string& target = kList) {
    std::vector<std::string> out;
    for (const Json& item : world.get(target, "op").body["items"].items()) out.emplace_back(item["name"].text());
    return out;
  }
};

TEST_F(EngineDeskTest, AsksAnewOnlyAfterSomethingChanged) {
  EXPECT_EQ(names(), std::vector<std::string>{"web"});
  pass(1s);
  engine.forget_calls();
  for (int i = 0; i < 5; ++i) names();
  EXPECT_EQ(engine.count("GET", "/containers/json"), 0u);
  run("db");
  pass(1s);
  EXPECT_EQ(names(), (std::vector<std::string>{"db", "web"})) << "the engine's event told";
  EXPECT_EQ(engine.count("GET", "/containers/json"), 1u);
}

TEST_F(EngineDeskTest, KeepsTheLastStateMarkedWithItsTimeWhileTheEngineIsDown) {
  EXPECT_TRUE(world.get(kList, "op").body["stale"].is_null());
  engine.refuse_connections(true);
  engine.drop_connections();
  pass(10s);
  const Json down = world.get(kList, "op").body;
  EXPECT_EQ(down["items"].size(), 1u);
  const std::int64_t since = down["stale"]["since"].integer();
  EXPECT_GT(since, 0);
  EXPECT_NE(down["stale"]["why"].text().find("refused"), std::string::npos) << down["stale"].dump();
  pass(1min);
  EXPECT_EQ(world.get(kList, "op").body["stale"]["since"].integer(), since) << "since when, not when it was asked last";
  const Got shown = world.get(kList + "/web", "op");
  EXPECT_EQ(shown.status, 503) << shown.text;
  EXPECT_EQ(world.get("/api/v1/overview", "op").body["alerts"].size(), 1u);
  engine.refuse_connections(false);
  pass(10s);
  EXPECT_TRUE(world.get(kList, "op").body["stale"].is_null()) << "it recovers by itself";
  EXPECT_EQ(world.get(kList + "/web", "op").status, 200);
}

TEST_F(EngineDeskTest, SeesWhatARestartOfTheEngineChanged) {
  names();
  engine.restart();
  run("late");
  pass(10s);
  EXPECT_EQ(names(), (std::vector<std::string>{"late", "web"}));
  EXPECT_EQ(world.get(kList + "?state=exited&name=web", "op").body["items"].size(), 1u) << "it stopped with the engine";
}

TEST_F(EngineDeskTest, GarbageChangesNothingOfWhatIsKnown) {
  names();
  run("db");
  pass(1s);
  engine.inject({.path = "/containers/json", .times = 1, .cut_after = 20});
  EXPECT_EQ(names(), std::vector<std::string>{"web"}) << "half a list is none";
  pass(10s);
  EXPECT_EQ(names(), (std::vector<std::string>{"db", "web"}));
  engine.inject({.path = "/containers/json", .times = 1, .status = 500, .message = "database is locked"});
  run("cache");
  pass(1s);
  EXPECT_EQ(names(), (std::vector<std::string>{"db", "web"}));
  EXPECT_EQ(names().size(), 3u);
}

TEST_F(EngineDeskTest, ListsAThousandPageByPage) {
  for (int i = 0; i < 999; ++i) {
    const std::string body = R"({"Image":"app:1"})";
    ASSERT_EQ(call("POST", "/containers/create?name=c" + std::to_string(1000 + i), body).status, 201);
  }
  pass(1s);
  std::set<std::string> seen;
  std::string cursor;
  int pages = 0;
  do {
    const Json page = world.get(kList + "?limit=300" + (cursor.empty() ? "" : "&cursor=" + cursor), "op").body;
    for (const Json& item : page["items"].items()) seen.emplace(item["name"].text());
    cursor = page["next"].text();
    ++pages;
  } while (!cursor.empty() && pages < 10);
  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_EQ(pages, 4);
}

// A server beside it, with a container of the same project.
struct OtherEngineTest : EngineDeskTest {
  OtherEngineTest() {
    far.add_image("far:1", {.config = Json::object({{"Cmd", Json::array({"serve"})}})});
    far.handle({.method = "POST",
                .target = "/containers/create?name=there",
                .body = R"({"Image":"far:1","Labels":{"com.docker.compose.project":"shop"}})"});
    far.handle({.method = "POST", .target = "/containers/there/start"});
    here.other_engine = [this](std::string name) { return find(*this, std::move(name)); };
    scope.spawn(far_desk.run());
    pass(1s);
  }
  static io::Task<Result<OtherEngine>> find(OtherEngineTest& test, std::string name) {
    if (name != "far") co_return fail(Code::not_found, "there is no server \"" + name + "\"");
    co_return OtherEngine{.desk = {std::shared_ptr<void>(), &test.far_desk}, .events = test.far_events};
  }
  ~OtherEngineTest() override { leave(); }

  testing::FakeEngine far{*world.loop};
  std::shared_ptr<job::Feed> far_events = std::make_shared<job::Feed>(*world.loop, job::Feed::Limits{});
  EngineDesk far_desk{{.address = "ssh://root@far",
                       .dialer = [this] { return far.dialer(); },
                       .now = [this] { return now_of(*world.loop); }}};
};

TEST_F(OtherEngineTest, IsLookedAt) {
  EXPECT_EQ(names(kList + "?engine=far"), std::vector<std::string>{"there"});
  EXPECT_EQ(names(kList + "?engine=local"), std::vector<std::string>{"web"});
  for (const std::string path : {"/containers/there", "/containers/there/inspect", "/containers/there/top", "/images",
                                 "/networks", "/volumes", "/networks/topology", "/overview"}) {
    const Got got = world.get("/api/v1" + path + "?engine=far", "ada");
    EXPECT_EQ(got.status, 200) << path << " " << got.text;
  }
  EXPECT_EQ(world.get("/api/v1/containers/web?engine=far", "ada").status, 404);
  far.log("there", "said there\n");
  EXPECT_EQ(
      world.get("/api/v1/containers/there/logs?engine=far&tail=5", "op").text.find("said there") != std::string::npos,
      true);
  Viewer& viewer = fresh();
  watch(viewer, "/api/v1/containers/there/logs?engine=far&follow=1");
  Viewer& events = fresh();
  watch(events, "/api/v1/events?engine=far");
  pass(1s);
  far.log("there", "and more\n");
  far_events->publish("container", R"({"action":"die"})");
  pass(1s);
  EXPECT_EQ(viewer.lines(), (std::vector<std::string>{"said there", "and more"}));
  EXPECT_TRUE(events.has("container"));
}

TEST_F(OtherEngineTest, IsNotChanged) {
  far.forget_calls();
  const std::vector<std::pair<std::string, std::string>> deeds{{"POST", "/containers/there/stop"},
                                                               {"POST", "/containers/there/kill"},
                                                               {"DELETE", "/containers/there"},
                                                               {"DELETE", "/images/far:1"},
                                                               {"POST", "/containers/there/terminals"}};
  for (const auto& [method, path] : deeds) {
    const Got got = world.send(method, "/api/v1" + path + "?engine=far", {}, "op");
    EXPECT_EQ(got.status, 409) << path << " " << got.text;
    EXPECT_NE(got.text.find("far"), std::string::npos) << got.text;
  }
  const Got told = world.send("POST", "/api/v1/containers/there/stop?engine=far", {}, "op");
  EXPECT_NE(told.text.find("berth --host ssh://root@far"), std::string::npos) << told.text;
  EXPECT_EQ(far.changes(), std::vector<std::string>{});
  EXPECT_EQ(engine.count("POST", "/containers/*/stop"), 0u);
}

TEST_F(OtherEngineTest, WhatBerthKeepsOfTheLocalOneIsNotIts) {
  for (const std::string path : {"/events/log", "/containers/there/history", "/history", "/terminals"})
    EXPECT_EQ(world.get("/api/v1" + path + "?engine=far", "ada").status, 409) << path;
}

TEST_F(OtherEngineTest, AMembershipIsOfAProjectBesideBerth) {
  EXPECT_EQ(world.get(kList, "see").status, 200);
  EXPECT_EQ(world.get(kList + "?engine=far", "see").status, 404);
  EXPECT_EQ(world.get("/api/v1/containers/there/logs?engine=far", "see").status, 404);
  EXPECT_EQ(world.kept.size(), 2u) << "and the audit has it";
  EXPECT_EQ(world.get(kList + "?engine=gone", "op").status, 404);
}

TEST_F(OtherEngineTest, KeepsItsLastStateWhileItIsDown) {
  names(kList + "?engine=far");
  far.refuse_connections(true);
  far.drop_connections();
  pass(10s);
  const Json down = world.get(kList + "?engine=far", "op").body;
  EXPECT_EQ(down["items"].size(), 1u);
  EXPECT_GT(down["stale"]["since"].integer(), 0);
  EXPECT_TRUE(world.get(kList, "op").body["stale"].is_null()) << "the local one is up";
}

}  // namespace
}  // namespace berth::api
