#include "api/topology.h"

#include <gtest/gtest.h>

#include <set>

namespace berth::api {
namespace {

const Json kContainers = *parse_json(R"([
  {"Id": "c1", "Names": ["/shop-web-1"], "State": "running", "Mounts": [{"Type": "volume", "Name": "data"}],
   "Labels": {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"},
   "NetworkSettings": {"Networks": {"shop_default": {"IPAddress": "10.0.0.2"}}}},
  {"Id": "c2", "Names": ["/shop-web-2"], "State": "exited",
   "Labels": {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"},
   "NetworkSettings": {"Networks": {"shop_default": {}}}},
  {"Id": "c3", "Names": ["/other"], "State": "running", "Labels": {}, "NetworkSettings": {"Networks": {"bridge": {}}}}
])");
const Json kNetworks = *parse_json(R"([{"Name": "bridge"}, {"Name": "spare", "Labels": {}}, {"Name": "shop_default",
  "Labels": {"com.docker.compose.project": "shop"}}])");
const Json kEdge = *parse_json(R"({"routes": [{"name": "shop", "service": "web"}, {"name": "lost", "service": "none"}],
  "services": [{"name": "web", "down": "", "upstreams": [{"target": "shop-web-1"}, {"target": "gone"}]}]})");

std::set<std::string> edges_of(const Json& drawn) {
  std::set<std::string> out;
  for (const Json& edge : drawn["edges"].items())
    out.insert(std::string(edge["from"].text()) + " > " + std::string(edge["to"].text()));
  return out;
}

TEST(Topology, ConnectsRoutesToVolumes) {
  const Json drawn = topology({kContainers, kNetworks, kEdge, [](const std::string&) { return true; }});
  EXPECT_EQ(
      edges_of(drawn),
      (std::set<std::string>{"route:shop > service:shop/web", "service:shop/web > container:shop-web-1",
                             "service:shop/web > container:shop-web-2", "container:shop-web-1 > network:shop_default",
                             "container:shop-web-2 > network:shop_default", "container:shop-web-1 > volume:data",
                             "container:other > network:bridge"}));
  EXPECT_EQ(drawn["nodes"].size(), 9u) << drawn.dump();
  for (const Json& node : drawn["nodes"].items())
    if (node["kind"].text() == "service") EXPECT_EQ(node["state"].text(), "partial");
}

TEST(Topology, LeavesOutWhatMayNotBeViewed) {
  const Json drawn =
      topology({kContainers, kNetworks, Json(), [](const std::string& project) { return project == "shop"; }});
  const std::string text = drawn.dump();
  EXPECT_TRUE(text.contains("shop-web-1"));
  for (const char* hidden : {"other", "bridge", "spare", "route"}) EXPECT_FALSE(text.contains(hidden)) << hidden;
}

}  // namespace
}  // namespace berth::api
