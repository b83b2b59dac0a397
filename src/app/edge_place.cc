#include "app/edge_place.h"

#include <algorithm>
#include <set>

#include "edge/ip.h"

namespace berth::app {
namespace {

std::vector<edge::Cidr> subnets_of(const Json& network) {
  std::vector<edge::Cidr> out;
  for (const Json& config : network.at("IPAM.Config").items())
    if (const auto cidr = edge::parse_cidr(config["Subnet"].text())) out.push_back(*cidr);
  return out;
}

bool is_named(const Json& container, std::string_view name) {
  return container["Id"].text() == name || std::ranges::any_of(container["Names"].items(), [&](const Json& each) {
           return each.text() == name || each.text() == "/" + std::string(name);
         });
}

const Json* find_container(const Json& containers, std::string_view name) {
  const auto found = std::ranges::find_if(containers.items(), [&](const Json& each) { return is_named(each, name); });
  return found == containers.items().end() ? nullptr : &*found;
}

bool leads_to(const Json& network, const std::vector<edge::Ip>& addresses) {
  const auto subnets = subnets_of(network);
  return std::ranges::any_of(addresses, [&](const edge::Ip& address) {
    return std::ranges::any_of(subnets, [&](const edge::Cidr& subnet) { return subnet.contains(address); });
  });
}

}  // namespace

edge::HostLinks links_of_bridges(const Json& networks) {
  edge::HostLinks out;
  for (const char* loopback : {"127.0.0.0/8", "::1/128"}) out.subnets.push_back(*edge::parse_cidr(loopback));
  for (const Json& network : networks.items())
    if (network["Driver"].text() == "bridge") std::ranges::move(subnets_of(network), std::back_inserter(out.subnets));
  return out;
}

std::vector<std::string> networks_to_join(const Json& containers, const Json& networks,
                                          const std::vector<edge::Service>& services, std::string_view edge) {
  const Json* container = find_container(containers, edge);
  if (!container) return {};
  std::vector<edge::Ip> addresses;
  for (const edge::Service& service : services)
    for (const edge::Upstream& upstream : service.upstreams)
      if (const auto ip = edge::parse_ip(upstream.host)) addresses.push_back(*ip);
  std::vector<std::string> out;
  for (const Json& network : networks.items()) {
    const std::string name(network["Name"].text());
    if (container->at("NetworkSettings.Networks").contains(name)) continue;
    if (network["Driver"].text() == "bridge" && leads_to(network, addresses)) out.push_back(name);
  }
  return out;
}

}  // namespace berth::app
