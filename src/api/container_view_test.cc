// What the engine says becomes what the API shows, and what is asked for becomes what the engine is told.
#include "api/container_view.h"

#include <gtest/gtest.h>

#include "api/container_create.h"
#include "api/log_lines.h"

namespace berth::api {
namespace {

Json fields(std::string_view text) {
  auto parsed = parse_json(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : Json();
}

TEST(CreateOrder, BindsEveryPort) {
  const auto order = create_order(
      fields(R"({"image":"web","name":"web-1","ports":["8080:80","127.0.0.1:5432:5432","[::1]:53:53/udp","9:80"]})"),
      {});
  ASSERT_TRUE(order);
  EXPECT_EQ(order->image, "web:latest");
  EXPECT_EQ(order->body.at("HostConfig.PortBindings").dump(),
            R"({"80/tcp":[{"HostIp":"","HostPort":"8080"},{"HostIp":"","HostPort":"9"}],)"
            R"("5432/tcp":[{"HostIp":"127.0.0.1","HostPort":"5432"}],"53/udp":[{"HostIp":"::1","HostPort":"53"}]})");
}

TEST(CreateOrder, AlwaysBoundsMemoryAndCpu) {
  const auto order = create_order(fields(R"({"image":"web"})"), {});
  ASSERT_TRUE(order);
  EXPECT_EQ(order->body.at("HostConfig.Memory").integer(), 512 << 20);
  EXPECT_EQ(order->body.at("HostConfig.NanoCpus").integer(), 1'000'000'000);
}

TEST(CreateOrder, RefusesWhatNobodyMayGive) {
  for (const char* text :
       {R"({"image":"Web"})", R"({"image":"web","ports":["80:0"]})", R"({"image":"web","ports":["80:x"]})",
        R"({"image":"web","volumes":["/etc:/etc"]})", R"({"image":"web","volumes":["data:/d:rw,z"]})",
        R"({"image":"web","networks":["host"]})", R"({"image":"web","networks":["container:other"]})",
        R"({"image":"web","memory":1})", R"({"image":"web","cpus":0})", R"({"image":"web","name":"../x"})",
        R"({"image":"web","restart":"sometimes"})", R"({"image":"web","env":{"A=B":"c"}})"})
    EXPECT_FALSE(create_order(fields(text), {})) << text;
}

TEST(ContainerView, NamesPortsAndTimes) {
  const ContainerItem item = container_item(fields(
      R"({"Id":"abc","Names":["/web"],"Image":"i","State":"exited","Status":"Exited (137) 2 minutes ago","Created":5,
          "Ports":[{"IP":"::","PrivatePort":80,"PublicPort":8080,"Type":"tcp"},
                   {"IP":"0.0.0.0","PrivatePort":80,"PublicPort":8080,"Type":"tcp"},{"PrivatePort":9,"Type":"udp"}]})"));
  EXPECT_EQ(item.name, "web");
  EXPECT_EQ(item.shown["ports"].dump(), R"(["0.0.0.0:8080:80/tcp","9/udp"])");
  EXPECT_EQ(item.shown["exitCode"].integer(), 137);
  EXPECT_EQ(item.shown["createdAt"].integer(), 5000);
  EXPECT_EQ(nanoseconds_of("1970-01-02T00:00:01.5Z"), 86'401'500'000'000);
  EXPECT_EQ(nanoseconds_of("1970-01-01T02:00:00+02:00"), 0);
  EXPECT_EQ(nanoseconds_of("0001-01-01T00:00:00Z"), 0);
}

TEST(ContainerView, HidesValuesFromThoseWhoMayNotSeeThem) {
  const Json inspect = fields(R"({"Path":"run","Args":["--password=x"],"Config":{"Env":["A=secret"]}})");
  const std::string hidden = container_page(inspect, {}).dump();
  EXPECT_EQ(hidden.find("secret"), std::string::npos);
  EXPECT_EQ(hidden.find("password"), std::string::npos);
  EXPECT_NE(container_page(inspect, {.values = true}).dump().find("secret"), std::string::npos);
}

TEST(LogLines, JoinsPiecesOfBothChannels) {
  std::string out;
  const auto take = [&out](const LogLine& line) {
    out += (line.err ? "e" : "o") + std::to_string(line.at) + std::string(line.text) + "|";
  };
  LogLines lines;
  lines.feed({.channel = engine::Channel::out, .bytes = "1970-01-01T00:00:01Z he"}, take);
  lines.feed({.channel = engine::Channel::err, .bytes = "1970-01-01T00:00:02Z bad\n"}, take);
  lines.feed({.channel = engine::Channel::out, .bytes = "llo\r\n1970-01-01T00:00:03Z end"}, take);
  lines.finish(take);
  EXPECT_EQ(out, "e2000000000bad|o1000000000hello|o3000000000end|");
}

}  // namespace
}  // namespace berth::api
