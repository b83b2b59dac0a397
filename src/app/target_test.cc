#include "app/target.h"

#include <gtest/gtest.h>

#include "app/core.h"

namespace berth::app {
namespace {

// What dockerd 20.10 answers, shortened to what is read.
constexpr std::string_view kContainers = R"json([{
  "Id": "c1", "Names": ["/shop-web-1"], "State": "running", "Status": "Up 3 minutes (healthy)",
  "Labels": {"com.docker.compose.project": "shop", "com.docker.compose.service": "web", "traefik.enable": "true",
             "traefik.http.routers.web.rule": "Host(`shop.localhost`)", "traefik.http.routers.web.tls": "true"},
  "Ports": [{"PrivatePort": 8080, "Type": "tcp"},
            {"IP": "0.0.0.0", "PrivatePort": 9090, "PublicPort": 19090, "Type": "tcp"},
            {"IP": "::", "PrivatePort": 9090, "PublicPort": 19090, "Type": "tcp"}],
  "HostConfig": {"NetworkMode": "shop_default"},
  "NetworkSettings": {
  "Networks" : {
    "shop_default" : {"NetworkID" : "n1", "IPAddress" : "127.77.0.2", "Gateway" : "127.77.0.1"}
  }
}
}, {"Id": "c2", "Names": ["/idle"], "State": "exited", "Status": "Exited (0) 2 hours ago", "Labels": {}, "Ports": [],
    "HostConfig": {"NetworkMode": "default"}, "NetworkSettings": {"Networks": {}}}])json";
constexpr std::string_view kNetworks = R"json([{"Id": "n1", "Name": "shop_default", "Driver": "bridge",
  "IPAM": {"Config": [{"Subnet": "127.77.0.0/16"}]}}])json";

Json json(std::string_view text) {
  return parse_json(text).value();
}

TEST(Targets, ReadStateAddressesAndPorts) {
  const auto targets = targets_of(json(kContainers), json(kNetworks));
  ASSERT_EQ(targets.size(), 2u);
  const auto& web = targets[0];
  EXPECT_EQ(web.name, "shop-web-1");
  EXPECT_EQ(web.service, "web");
  EXPECT_TRUE(web.running);
  EXPECT_EQ(web.health, edge::Target::Health::healthy);
  EXPECT_EQ(web.exposed, (std::vector<std::uint16_t>{8080, 9090}));
  EXPECT_EQ(web.published.size(), 2u);
  EXPECT_EQ(web.networks.at(0).driver, "bridge");
  EXPECT_EQ(web.networks.at(0).subnets, std::vector<std::string>{"127.77.0.0/16"});
  EXPECT_FALSE(targets[1].running);
  EXPECT_EQ(targets[1].health, edge::Target::Health::none);
}

TEST(Targets, ReadEveryHealth) {
  const auto health = [](const char* status) {
    const Json one = Json::array({Json::object({{"Status", status}})});
    return targets_of(one, Json()).at(0).health;
  };
  EXPECT_EQ(health("Up 1 second (health: starting)"), edge::Target::Health::starting);
  EXPECT_EQ(health("Up 1 second (unhealthy)"), edge::Target::Health::unhealthy);
  EXPECT_EQ(health("Up 1 second"), edge::Target::Health::none);
}

class DeskTest : public ::testing::Test {
 protected:
  std::chrono::sys_seconds now_{std::chrono::seconds(1'800'000'000)};
  Desk desk_{edge::CertificateStore::open({.dir = ::testing::TempDir() + "/berth-desk"}, now_).value()};
};

TEST_F(DeskTest, ChangesTheVersionOnlyWhenSomethingChanged) {
  ASSERT_TRUE(desk_.update(json(kContainers), json(kNetworks), now_).value());
  const auto first = desk_.snapshot.version;
  EXPECT_FALSE(desk_.update(json(kContainers), json(kNetworks), now_).value());
  EXPECT_EQ(desk_.snapshot.version, first);
  Json stopped = json(kContainers);
  stopped.items_mut()[0].set("State", "exited");
  EXPECT_TRUE(desk_.update(stopped, json(kNetworks), now_).value());
  EXPECT_EQ(desk_.snapshot.version, first + 1);
  ASSERT_EQ(desk_.snapshot.services.size(), 1u);
  EXPECT_TRUE(desk_.snapshot.services[0].upstreams.empty());
  EXPECT_FALSE(desk_.snapshot.services[0].down.empty());
}

TEST_F(DeskTest, IssuesACertificateForEachTlsHostAndShowsNoKey) {
  ASSERT_TRUE(desk_.update(json(kContainers), json(kNetworks), now_).value());
  ASSERT_EQ(desk_.snapshot.certificates.size(), 1u);
  EXPECT_EQ(desk_.snapshot.certificates[0].hosts, std::vector<std::string>{"shop.localhost"});
  const std::string shown = desk_.describe().dump();
  EXPECT_EQ(shown.find("PRIVATE KEY"), std::string::npos);
  EXPECT_NE(shown.find("shop.localhost"), std::string::npos);
}

TEST_F(DeskTest, TellsAboutARouteThatEnded) {
  ASSERT_TRUE(desk_.update(json(kContainers), json(kNetworks), now_).value());
  ASSERT_TRUE(desk_.update(Json::array(), json(kNetworks), now_).value());
  ASSERT_EQ(desk_.news.size(), 1u);
  EXPECT_NE(desk_.news[0].find("is gone"), std::string::npos);
}

TEST(ServeFlags, AreReadAndRefused) {
  const auto options = parse_serve({"--data", "/tmp/x", "--listen=0.0.0.0,::", "--web", "8080", "--websecure=8443"});
  EXPECT_EQ(options.value().data, "/tmp/x");
  EXPECT_EQ(options->listen, (std::vector<std::string>{"0.0.0.0", "::"}));
  EXPECT_EQ(options->web, 8080);
  EXPECT_EQ(options->websecure, 8443);
  EXPECT_NE(parse_serve({"--websecur", "1"}).error().message.find("did you mean \"--websecure\""), std::string::npos);
  EXPECT_EQ(parse_serve({"--web", "http"}).error().code, Code::invalid);
  EXPECT_EQ(parse_serve({"--web"}).error().code, Code::invalid);
  EXPECT_EQ(parse_serve({"--data", "relative"}).error().code, Code::invalid);
}

TEST(CoreOptions, SurviveTheCommandLine) {
  const auto options =
      decode_core(encode_core({.data = "/d", .engine = "unix:///x", .supervisor = 3, .https_port = 8443}));
  EXPECT_EQ(options->data, "/d");
  EXPECT_EQ(options->engine, "unix:///x");
  EXPECT_EQ(options->supervisor, 3);
  EXPECT_EQ(options->https_port, 8443);
}

}  // namespace
}  // namespace berth::app
