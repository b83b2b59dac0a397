#include "app/route_explain.h"

#include <gtest/gtest.h>

#include "edge/tcp_snapshot.h"

namespace berth::app {
namespace {

edge::TcpConfig database() {
  edge::TcpConfig out;
  out.entry_points = {{.name = "postgres"}};
  out.routes = {{.name = "db@docker",
                 .rule = "HostSNI(`*`) && ClientIP(`10.0.0.0/8`)",
                 .entry_points = {"postgres"},
                 .service = "db"}};
  edge::Service servers;
  servers.name = "db";
  servers.upstreams = {{.host = "172.18.0.4", .port = 5432, .target = "db-1"}};
  out.services = {{.servers = servers}};
  return out;
}

Json status() {
  Json out = *parse_json(R"JSON({
    "routes": [
      {"name": "app@docker", "rule": "Host(`a.test`)", "priority": 0, "listeners": ["websecure"], "service": "app",
       "middlewares": ["login (basicauth)"], "warnings": ["old form"]},
      {"name": "inside@docker", "rule": "Host(`a.test`) && ClientIP(`10.0.0.0/8`)", "priority": 0,
       "listeners": ["websecure"], "service": "inside", "middlewares": [], "warnings": []},
      {"name": "beta@docker", "rule": "Host(`a.test`) && Header(`X-Beta`, `yes`) && Method(`POST`)", "priority": 0,
       "listeners": ["websecure"], "service": "both", "middlewares": [], "warnings": []},
      {"name": "search@docker", "rule": "Host(`a.test`) && Query(`q`)", "priority": 9, "listeners": ["websecure"],
       "service": "gone", "middlewares": [], "warnings": []}],
    "services": [
      {"name": "app", "upstreams": [{"target": "app-1", "host": "172.18.0.2", "port": 80, "tls": false}], "down": ""},
      {"name": "inside", "upstreams": [{"target": "in-1", "host": "172.18.0.3", "port": 81, "tls": false}], "down": ""},
      {"name": "both", "upstreams": [], "down": "",
       "group": {"weighted": {"services": [{"name": "app", "weight": 3}, {"name": "inside"}]}}},
      {"name": "gone", "upstreams": [], "down": "container x is not running"}]})JSON");
  out.set("tcp", edge::encode_tcp(database()));
  return out;
}

std::string explained(const Asked& asked) {
  const auto json = explain(status(), asked);
  return json ? explained_text(*json) : json.error().message;
}

TEST(RouteExplain, SaysWhoDecidesAndWhyTheOthersDoNot) {
  EXPECT_EQ(explained({.url = "https://a.test/x"}),
            "GET /x on websecure from 127.0.0.1\n"
            "59 beta@docker Host(`a.test`) && Header(`X-Beta`, `yes`) && Method(`POST`): does not match "
            "Header(`x-beta`, `yes`)\n"
            "40 inside@docker Host(`a.test`) && ClientIP(`10.0.0.0/8`): does not match ClientIP(`10.0.0.0/8`)\n"
            "14 app@docker Host(`a.test`): matches, to service app\n"
            "9 search@docker Host(`a.test`) && Query(`q`): does not match Query(`q`)\n"
            "\n"
            "app@docker decides\n"
            "  middleware  login (basicauth)\n"
            "  warning     old form\n"
            "  service     app\n"
            "  targets     app-1 172.18.0.2:80\n");
}

TEST(RouteExplain, LooksAtClientFieldsMethodAndQuery) {
  const auto router = [](const Asked& asked) {
    const auto json = explain(status(), asked);
    return json ? std::string((*json)["router"].text()) + " " + std::string((*json)["targets"].text())
                : json.error().message;
  };
  EXPECT_EQ(router({.url = "a.test", .from = "10.1.2.3"}), "inside@docker in-1 172.18.0.3:81");
  EXPECT_EQ(router({.url = "a.test", .method = "POST", .headers = {"x-beta: yes"}}),
            "beta@docker app: app-1 172.18.0.2:80; inside: in-1 172.18.0.3:81");
  EXPECT_EQ(router({.url = "a.test", .headers = {"X-Beta:yes"}}), "app@docker app-1 172.18.0.2:80");
  EXPECT_EQ(router({.url = "a.test", .headers = {"X-Beta"}}), "--header \"X-Beta\": write it as \"Name: value\"");
  EXPECT_EQ(router({.url = "a.test", .headers = {"Host: b"}}), "--header Host: the URL names the host");
  EXPECT_NE(router({.url = "a.test", .from = "nobody"}), "app@docker app-1 172.18.0.2:80");
  const auto search = explain(status(), {.url = "https://a.test/?q=1"});
  EXPECT_EQ((*search)["routers"].items()[3]["why"].text(), "matches, but an earlier one decided");
}

TEST(RouteExplain, SaysWhatTheEdgeDoesOtherwise) {
  const auto none = explain(status(), {.url = "https://b.test/"});
  EXPECT_FALSE((*none)["served"].boolean());
  EXPECT_EQ(explained_text(*none),
            "GET / on websecure from 127.0.0.1\nno router is for b.test\n\nthe edge answers 404\n");
  const auto plain = explain(status(), {.url = "http://a.test/"});
  EXPECT_TRUE((*plain)["served"].boolean());
  EXPECT_EQ((*plain)["otherwise"].text(), "the edge redirects to https");
}

TEST(RouteExplain, TellsOfConnections) {
  const auto outside = explain(status(), {.url = "tcp://ANY", .entry_point = "postgres"});
  ASSERT_TRUE(outside.has_value()) << outside.error().message;
  EXPECT_EQ((*outside)["otherwise"].text(), "the edge closes the connection");
  const auto inside = explain(status(), {.url = "tcp://ANY", .from = "10.0.0.1", .entry_point = "postgres"});
  ASSERT_TRUE(inside.has_value()) << inside.error().message;
  EXPECT_EQ((*inside)["router"].text(), "db@docker");
  EXPECT_EQ((*inside)["targets"].text(), "db-1 172.18.0.4:5432");
}

}  // namespace
}  // namespace berth::app
