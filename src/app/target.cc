#include "app/target.h"

#include <map>

namespace berth::app {
namespace {

// The list gives health as the end of a sentence: "Up 3 minutes (healthy)".
edge::Target::Health health_of(std::string_view status) {
  if (status.ends_with("(healthy)")) return edge::Target::Health::healthy;
  if (status.ends_with("(unhealthy)")) return edge::Target::Health::unhealthy;
  if (status.ends_with("(health: starting)")) return edge::Target::Health::starting;
  return edge::Target::Health::none;
}

struct NetworkFacts {
  std::string driver;
  std::vector<std::string> subnets;
};

std::map<std::string, NetworkFacts, std::less<>> facts_of(const Json& networks) {
  std::map<std::string, NetworkFacts, std::less<>> out;
  for (const Json& network : networks.items()) {
    NetworkFacts facts{std::string(network["Driver"].text()), {}};
    for (const Json& config : network.at("IPAM.Config").items())
      if (const auto subnet = config["Subnet"].text(); !subnet.empty()) facts.subnets.emplace_back(subnet);
    out[std::string(network["Id"].text())] = std::move(facts);
  }
  return out;
}

void read_ports(const Json& ports, edge::Target& target) {
  for (const Json& port : ports.items()) {
    const auto container = static_cast<std::uint16_t>(port["PrivatePort"].integer());
    const std::string_view protocol = port["Type"].text("tcp");
    const bool known = std::find(target.exposed.begin(), target.exposed.end(), container) != target.exposed.end();
    if (protocol == "tcp" && !known) target.exposed.push_back(container);
    if (!port.contains("PublicPort")) continue;
    target.published.push_back({container, std::string(port["IP"].text()),
                                static_cast<std::uint16_t>(port["PublicPort"].integer()), std::string(protocol)});
  }
}

}  // namespace

std::vector<edge::Target> targets_of(const Json& containers, const Json& networks) {
  const auto facts = facts_of(networks);
  std::vector<edge::Target> out;
  for (const Json& container : containers.items()) {
    edge::Target target;
    target.id = container["Id"].text();
    if (!container["Names"].items().empty()) target.name = container["Names"].items()[0].text();
    if (target.name.starts_with('/')) target.name.erase(0, 1);
    for (const auto& [key, value] : container["Labels"].members()) target.labels.emplace_back(key, value.text());
    target.project = container["Labels"]["com.docker.compose.project"].text();
    target.service = container["Labels"]["com.docker.compose.service"].text();
    target.created = container["Created"].integer();
    target.running = container["State"].text() == "running";
    target.health = health_of(container["Status"].text());
    target.network_mode = container.at("HostConfig.NetworkMode").text();
    for (const auto& [name, network] : container.at("NetworkSettings.Networks").members()) {
      edge::TargetNetwork attached;
      attached.name = name;
      attached.address = network["IPAddress"].text();
      attached.address6 = network["GlobalIPv6Address"].text();
      attached.gateway = network["Gateway"].text();
      if (const auto found = facts.find(network["NetworkID"].text()); found != facts.end()) {
        attached.driver = found->second.driver;
        attached.subnets = found->second.subnets;
      }
      target.networks.push_back(std::move(attached));
    }
    read_ports(container["Ports"], target);
    out.push_back(std::move(target));
  }
  return out;
}

}  // namespace berth::app
