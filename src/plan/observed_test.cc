#include "plan/observed.h"

#include <gtest/gtest.h>

namespace berth::plan {
namespace {

Json container(const std::string& id, const std::string& name, const std::string& project, const std::string& service,
               int number = 1) {
  Json labels = Json::object({{std::string(label::kProject), project}, {std::string(label::kService), service}});
  labels.set(label::kNumber, std::to_string(number));
  Json inspect = Json::object({{"Id", id}, {"Name", "/" + name}});
  inspect.slot("Config").set("Labels", std::move(labels));
  return inspect;
}

TEST(Observed, ReadsAContainer) {
  const Container one = parse_container(*parse_json(R"({"Id":"0123456789abcdef","Name":"/shop-web-1","Image":"sha256:1",
    "State":{"Status":"running","ExitCode":0,"StartedAt":"2026-01-01T00:00:00Z","Health":{"Status":"starting"}},
    "Config":{"Image":"web:1","Labels":{"com.docker.compose.project":"shop","com.docker.compose.service":"web",
      "com.docker.compose.container-number":"12","com.docker.compose.oneoff":"True"}},
    "Mounts":[{"Type":"volume","Name":"v","Source":"/x","Destination":"/v","RW":false}],
    "NetworkSettings":{"Networks":{"shop_default":{"NetworkID":"n1","Aliases":["web"]}}}})"));
  EXPECT_EQ(one.name, "shop-web-1");
  EXPECT_EQ(one.short_id(), "0123456789ab");
  EXPECT_EQ(one.state, State::running);
  EXPECT_EQ(one.health, Health::starting);
  EXPECT_EQ(one.number, 12);
  EXPECT_TRUE(one.oneoff);
  EXPECT_EQ(one.image, "web:1");
  ASSERT_EQ(one.mounts.size(), 1u);
  EXPECT_FALSE(one.mounts[0].writable);
  ASSERT_EQ(one.networks.size(), 1u);
  EXPECT_EQ(one.networks[0].network_id, "n1");
  EXPECT_EQ(one.label("none"), "");
}

TEST(Observed, ReadsWhatOldAndForeignEnginesLeaveOut) {
  const Container one =
      parse_container(*parse_json(R"({"Id":"1","State":{"Status":"confused"},"Config":{"Labels":null}})"));
  EXPECT_EQ(one.state, State::dead);
  EXPECT_EQ(one.health, Health::none);
  EXPECT_EQ(one.number, 0);
  EXPECT_FALSE(one.oneoff);
}

TEST(Observed, KnowsWhatIsUp) {
  for (const State state : {State::running, State::paused, State::restarting}) EXPECT_TRUE(is_up(state));
  for (const State state : {State::created, State::exited, State::dead, State::removing}) EXPECT_FALSE(is_up(state));
  for (const State state :
       {State::created, State::running, State::paused, State::restarting, State::removing, State::exited, State::dead})
    EXPECT_EQ(parse_state(to_text(state)), state);
}

TEST(Observed, TakesWhatIsTheProjectsAndWhatItAsksFor) {
  Replies replies{.version = {1, 41}};
  replies.containers = {container("3", "shop-web-2", "shop", "web", 2), container("2", "shop-web-1", "shop", "web"),
                        container("1", "shop-db-1", "shop", "db"), container("4", "fixed", "other", "x"),
                        container("5", "unrelated", "other", "y")};
  replies.networks = {
      *parse_json(R"({"Id":"b","Name":"shared"})"), *parse_json(R"({"Id":"c","Name":"bridge"})"),
      *parse_json(R"({"Id":"z","Name":"shop_default"})"), *parse_json(R"({"Id":"a","Name":"shop_default"})"),
      *parse_json(R"({"Id":"m","Name":"shop_default","Labels":{"com.docker.compose.project":"shop"}})")};
  replies.volumes = {*parse_json(R"({"Name":"ours","Labels":{"com.docker.compose.project":"shop"}})"),
                     *parse_json(R"({"Name":"theirs"})")};
  replies.images = {
      {"web:1", *parse_json(R"({"Id":"sha256:1","RepoDigests":["web@sha256:9"],"Config":{"Env":["A=1"]}})")}};
  const Observed world =
      observed_from({.project = "shop", .networks = {"shared", "shop_default"}, .containers = {"fixed"}}, replies);
  ASSERT_EQ(world.containers.size(), 3u);
  EXPECT_EQ(world.containers[0].service, "db");
  EXPECT_EQ(world.containers[2].number, 2);
  ASSERT_EQ(world.foreign.size(), 1u);
  EXPECT_EQ(world.container("fixed")->id, "4");
  EXPECT_EQ(world.container("unrelated"), nullptr);
  EXPECT_EQ(world.network("shop_default")->id, "m") << "the one with the label";
  EXPECT_EQ(world.network("bridge"), nullptr);
  EXPECT_NE(world.volume("ours"), nullptr);
  EXPECT_EQ(world.volume("theirs"), nullptr);
  EXPECT_EQ(world.image("web:1")->id, "sha256:1");
  EXPECT_EQ(world.image("sha256:1")->digests.size(), 1u);
  EXPECT_EQ(world.image("web:2"), nullptr);
}

TEST(Observed, ChoosesAmongNetworksOfOneNameAlwaysTheSame) {
  Replies replies;
  replies.networks = {*parse_json(R"({"Id":"z","Name":"n"})"), *parse_json(R"({"Id":"a","Name":"n"})")};
  EXPECT_EQ(observed_from({.project = "shop", .networks = {"n"}}, replies).network("n")->id, "a");
}

}  // namespace
}  // namespace berth::plan
