#include "app/edge_place.h"

#include <gtest/gtest.h>

namespace berth::app {
namespace {

const Json kNetworks = *parse_json(R"json([
  {"Name": "bridge", "Driver": "bridge", "IPAM": {"Config": [{"Subnet": "172.17.0.0/16"}]}},
  {"Name": "shop", "Driver": "bridge", "IPAM": {"Config": [{"Subnet": "172.20.0.0/16"}, {"Subnet": "fd00:1::/64"}]}},
  {"Name": "far", "Driver": "overlay", "IPAM": {"Config": [{"Subnet": "10.9.0.0/24"}]}},
  {"Name": "odd", "Driver": "bridge", "IPAM": {"Config": null}},
  {"Name": "host", "Driver": "host", "IPAM": {"Config": []}}])json");
const Json kContainers = *parse_json(R"json([
  {"Id": "e1", "Names": ["/berth-edge-1"], "NetworkSettings": {"Networks": {"bridge": {}}}},
  {"Id": "w1", "Names": ["/shop-web-1"], "NetworkSettings": {"Networks": {"shop": {}}}}])json");

std::vector<edge::Service> to(std::vector<std::string> hosts) {
  edge::Service service;
  for (std::string& host : hosts) {
    service.upstreams.emplace_back();
    service.upstreams.back().host = std::move(host);
  }
  return {service};
}

TEST(EdgePlace, EveryBridgeOfTheEngineIsALinkOfItsHost) {
  const auto links = links_of_bridges(kNetworks);
  EXPECT_EQ(links.subnets.size(), 5u);
  const auto reached = [&](std::string_view text) {
    const auto ip = *edge::parse_ip(text);
    return std::ranges::any_of(links.subnets, [&](const edge::Cidr& each) { return each.contains(ip); });
  };
  EXPECT_TRUE(reached("172.17.3.4"));
  EXPECT_TRUE(reached("fd00:1::9"));
  EXPECT_TRUE(reached("127.0.0.1"));
  EXPECT_FALSE(reached("10.9.0.7"));
}

TEST(EdgePlace, JoinsWhatItsServicesNeed) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(networks_to_join(kContainers, kNetworks, to({"172.20.0.5"}), "berth-edge-1"), Names{"shop"});
  EXPECT_EQ(networks_to_join(kContainers, kNetworks, to({"fd00:1::5"}), "e1"), Names{"shop"});
  EXPECT_EQ(networks_to_join(kContainers, kNetworks, to({"172.17.0.5", "10.9.0.7", "127.0.0.1"}), "e1"), Names{});
  EXPECT_EQ(networks_to_join(kContainers, kNetworks, to({"172.20.0.5"}), "nobody"), Names{});
  EXPECT_EQ(networks_to_join(kContainers, kNetworks, {}, "e1"), Names{});
}

}  // namespace
}  // namespace berth::app
