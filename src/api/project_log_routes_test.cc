#include <gtest/gtest.h>

#include "api/engine_world_test.h"

namespace berth::api {
namespace {

using namespace std::chrono_literals;

const std::string kLogs = "/api/v1/projects/shop/logs?follow=1";

struct ProjectLogRoutesTest : EngineRoutesTest {
  ProjectLogRoutesTest() {
    begin("web");
    begin("db");
  }
  void begin(const std::string& service) {
    run(service, R"(,"Labels":{"com.docker.compose.project":"shop","com.docker.compose.service":")" + service + "\"}");
  }
  /// `count` more lines of each of them in turn, 10 ms after each.
  void write(int count, const std::vector<std::string>& services = {"web", "db"}) {
    for (int i = 0; i < count; ++i)
      for (const auto& service : services) {
        written.push_back(service + " says " + std::to_string(written.size()));
        engine.log(service, written.back() + "\n");
        pass(10ms);
      }
  }
  std::vector<std::string> from(std::size_t place) const {
    return {written.begin() + static_cast<std::ptrdiff_t>(place), written.end()};
  }
  std::string text(std::string target) {
    auto request = DeskWorld::request("GET", std::move(target), "op");
    request.headers.emplace_back("Accept", "text/plain");
    return world.ask(request).text;
  }

  std::vector<std::string> written;
};

TEST_F(ProjectLogRoutesTest, AsksTheEngineOnceForAllWhoLook) {
  write(5);
  for (int i = 0; i < 5; ++i) {
    watch(fresh(), kLogs + "&tail=all");
    write(5);
  }
  watch(fresh(), "/api/v1/containers/web/logs?follow=1");  // shares with it too
  write(20);
  pass(1s);
  EXPECT_EQ(followed_calls(), 2u) << "one of each container";
  EXPECT_EQ(logs.followed(), 2u);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(viewers[i].lines(), written) << i;
  const auto events = viewers[0].events();
  EXPECT_EQ(events[0].data["service"].text(), "web");
  EXPECT_EQ(events[1].data["container"].text(), "db");
  viewer_stop.request();
  pass(1s);
  EXPECT_EQ(logs.followed(), 0u) << "nobody looks any more";
}

TEST_F(ProjectLogRoutesTest, JoinsWhatWasWrittenWithWhatComes) {
  write(20);
  engine.inject({.method = "GET", .path = "/containers/*/logs", .skip = 2, .delay = 2s});  // of what was written
  watch(fresh(), kLogs + "&tail=all");
  pass(1s);
  write(20);  // both live and in what was written
  pass(3s);
  write(5);
  pass(1s);
  auto lines = viewers[0].lines();
  EXPECT_EQ(std::set(lines.begin(), lines.end()).size(), written.size());
  EXPECT_EQ(lines.size(), written.size()) << "each once";
}

TEST_F(ProjectLogRoutesTest, FollowsContainersThatComeAndThoseThatRunAgain) {
  write(3);
  watch(fresh(), kLogs + "&tail=0");
  pass(1s);
  engine.exit("db", 0);
  begin("job");
  write(2, {"web", "job"});
  engine.exit("job", 0);  // before anybody looked
  ASSERT_EQ(call("POST", "/containers/db/start").status, 204);
  write(2, {"db"});
  desk.changed(Kind::container);
  pass(3s);
  write(2, {"web", "db"});
  pass(1s);
  auto lines = viewers[0].lines(), wanted = from(6);
  std::ranges::sort(lines);
  std::ranges::sort(wanted);
  EXPECT_EQ(lines, wanted);
}

TEST_F(ProjectLogRoutesTest, GoesOnWhenTheEngineIsBack) {
  watch(fresh(), kLogs);
  pass(1s);
  write(5);
  engine.drop_connections();
  write(5);
  pass(10s);
  write(5);
  pass(1s);
  auto lines = viewers[0].lines();
  std::ranges::sort(lines);
  auto wanted = written;
  std::ranges::sort(wanted);
  EXPECT_EQ(lines, wanted);
  EXPECT_FALSE(viewers[0].over || viewers[0].broken);
}

TEST_F(ProjectLogRoutesTest, WhoReadsSlowlyLearnsHowMuchItMissed) {
  watch(fresh(true), kLogs + "&tail=0");
  pass(1s);
  constexpr int kLines = 16'000;
  const std::string filler(80, '.');
  for (int i = 0; i < kLines; ++i) {
    engine.log("web", std::to_string(i) + filler + "\n");
    if (i % 400 == 0) pass(10ms);
  }
  viewers[0].go.set();
  pass(5s);
  EXPECT_GT(viewers[0].lost(), 0);
  EXPECT_EQ(static_cast<std::int64_t>(viewers[0].lines().size()) + viewers[0].lost(), kLines);
  EXPECT_EQ(viewers[0].lines().back(), std::to_string(kLines - 1) + filler);
}

TEST_F(ProjectLogRoutesTest, EndsAfterAQuarterOfAnHour) {
  watch(fresh(), kLogs);
  watch(fresh(true), kLogs);
  pass(40s);
  EXPECT_EQ(viewers[0].got, ":\n\n:\n\n");
  pass(15min);
  EXPECT_TRUE(viewers[0].over) << "who asks is looked up anew";
  EXPECT_FALSE(viewers[0].has("end")) << "the client comes again";
  pass(2min);
  EXPECT_EQ(logs.followed(), 0u);
}

TEST_F(ProjectLogRoutesTest, IsTextWhereTextIsWanted) {
  write(2);
  EXPECT_EQ(text("/api/v1/projects/shop/logs?tail=3"), "db | db says 1\nweb | web says 2\ndb | db says 3\n");
  EXPECT_EQ(text("/api/v1/projects/shop/logs?services=web"), "web | web says 0\nweb | web says 2\n");
  EXPECT_EQ(text("/api/v1/projects/shop/logs?tail=0"), "");
  EXPECT_TRUE(text("/api/v1/projects/shop/logs?timestamps=1").starts_with("web | 2026-01-01T00:00:"));
}

TEST_F(ProjectLogRoutesTest, AProjectThatIsNoneHasNoLog) {
  here.is_managed = [](std::string_view name) { return name == "draft"; };
  const Got none = world.get("/api/v1/projects/nothing/logs", "op");
  EXPECT_EQ(none.status, 404);
  EXPECT_NE(none.text.find("there is no project nothing"), std::string::npos) << none.text;
  EXPECT_EQ(world.get("/api/v1/projects/nothing/logs?follow=1", "op").status, 404);
  EXPECT_EQ(world.get("/api/v1/projects/draft/logs", "op").status, 200) << "it never ran";
  EXPECT_EQ(world.get("/api/v1/projects/shop/logs", "see").status, 200);
  EXPECT_EQ(world.get("/api/v1/projects/draft/logs", "see").status, 404) << "not the viewer's";
  EXPECT_EQ(world.get("/api/v1/projects/shop/logs?tail=many", "op").status, 400);
}

}  // namespace
}  // namespace berth::api
