#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "compose/create_parts.h"

namespace berth::compose {

namespace detail {
namespace {

// The keys of the service's networks: the one of the highest priority first, then by name, as Docker Compose.
std::vector<std::string> ordered_networks(const Json& networks) {
  std::vector<std::string> keys;
  for (const auto& member : networks.members()) keys.push_back(member.first);
  const auto priority = [&](const std::string& key) { return networks[key]["priority"].integer(); };
  std::sort(keys.begin(), keys.end(), [&](const std::string& a, const std::string& b) {
    return priority(a) != priority(b) ? priority(a) > priority(b) : a < b;
  });
  return keys;
}

// As Docker Compose: the alias asked for, then the other names of the linked container.
Json links_of(const Draft& draft) {
  const Project& project = draft.input.project;
  std::set<std::string> seen;
  Json links = Json::array();
  const auto add = [&](const std::string& name, std::string_view alias) {
    const std::string link = name + ':' + std::string(alias);
    if (seen.insert(link).second) links.push(link);
  };
  for (const Json& item : draft.config["links"].items()) {
    const auto [service, alias, found] = cut(item.text(), ':');
    const Service* target = project.find(service);
    if (!target) continue;
    const std::string name = container_name(project, *target, 1);
    add(name, found ? alias : service);
    add(name, target->name + "-1");
    add(name, name);
  }
  for (const Json& item : draft.config["external_links"].items()) {
    const auto [name, alias, found] = cut(item.text(), ':');
    add(std::string(name), found ? alias : name);
  }
  return links;
}

Json addresses_of(const Json& network) {
  Json out = Json::object();
  put(out, "IPv4Address", network["ipv4_address"]);
  put(out, "IPv6Address", network["ipv6_address"]);
  put(out, "LinkLocalIPs", network["link_local_ips"]);
  return out;
}

// What only newer engines have; `path` is "networks.KEY".
void add_newer(Draft& draft, const std::string& path, const Json& network, Json& endpoint) {
  using engine::Feature;
  if (!network["gw_priority"].is_empty() && may(draft, path + ".gw_priority", Feature::endpoint_gateway_priority))
    endpoint.set("GwPriority", network["gw_priority"]);
  if (!network["interface_name"].is_empty() && may(draft, path + ".interface_name", Feature::endpoint_driver_options) &&
      !endpoint["DriverOpts"].contains("com.docker.network.endpoint.ifname"))
    endpoint.slot("DriverOpts").set("com.docker.network.endpoint.ifname", network["interface_name"]);
}

Json endpoint_of(Draft& draft, const std::string& key, const Json& links) {
  const Json& network = draft.config["networks"][key];
  Json endpoint = Json::object();
  Json aliases = Json::array({draft.request.name});
  if (draft.input.slug.empty() || draft.input.use_aliases) aliases.push(draft.input.service.name);
  for (const Json& alias : network["aliases"].items()) aliases.push(alias);
  endpoint.set("Aliases", std::move(aliases));
  put(endpoint, "Links", links);
  put(endpoint, "IPAMConfig", addresses_of(network));
  put(endpoint, "DriverOpts", network["driver_opts"]);
  if (engine::has(draft.input.version, engine::Feature::endpoint_mac_address))
    put(endpoint, "MacAddress", network["mac_address"]);
  add_newer(draft, "networks." + key, network, endpoint);
  return endpoint;
}

Result<void> add_endpoints(Draft& draft, const std::vector<std::string>& keys) {
  const Json links = links_of(draft);
  Json endpoints = Json::object();
  for (const std::string& key : keys) {
    if (!draft.input.project.networks.contains(key))
      return complain(draft, "networks." + key, "this network is declared nowhere; add it to networks:");
    endpoints.set(network_name(draft.input.project, key), endpoint_of(draft, key, links));
  }
  // Engines know an address per network, or, older ones, the one of the container's first network.
  const Json& own = draft.config["mac_address"];
  const Json& address = own.is_empty() ? draft.config["networks"][keys[0]]["mac_address"] : own;
  if (engine::has(draft.input.version, engine::Feature::endpoint_mac_address))
    put(endpoints.slot(network_name(draft.input.project, keys[0])), "MacAddress", address);
  else
    put(draft.request.desired, "MacAddress", address);
  draft.request.desired.slot("NetworkingConfig").set("EndpointsConfig", std::move(endpoints));
  return {};
}

}  // namespace

Result<void> add_networks(Draft& draft) {
  const std::string_view mode = draft.config["network_mode"].text();
  if (!mode.empty()) {
    draft.host.set("NetworkMode", namespace_of(draft, mode, {"HostConfig", "NetworkMode"}));
    if (mode == "bridge") put(draft.host, "Links", links_of(draft));
    return {};
  }
  const std::vector<std::string> keys = ordered_networks(draft.config["networks"]);
  if (keys.empty()) {
    draft.host.set("NetworkMode", "none");
    return {};
  }
  TRY(add_endpoints(draft, keys));
  draft.host.set("NetworkMode", network_name(draft.input.project, keys[0]));
  return {};
}

}  // namespace detail

namespace {

using detail::put;

Json ipam_of(const Json& ipam) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kKeys = {
      {{"subnet", "Subnet"}, {"gateway", "Gateway"}, {"ip_range", "IPRange"}, {"aux_addresses", "AuxiliaryAddresses"}}};
  Json out = Json::object();
  put(out, "Driver", ipam["driver"]);
  put(out, "Options", ipam["options"]);
  Json configs = Json::array();
  for (const Json& item : ipam["config"].items()) {
    Json config = Json::object();
    for (const auto& [attribute, key] : kKeys) put(config, key, item[attribute]);
    configs.push(std::move(config));
  }
  put(out, "Config", std::move(configs));
  return out;
}

}  // namespace

Result<Json> network_body(const Project& project, std::string_view key, engine::ApiVersion version) {
  const Json& network = project.networks[key];
  Json body = Json::object({{"Name", network_name(project, key)}});
  put(body, "Driver", network["driver"]);
  put(body, "Options", network["driver_opts"]);
  put(body, "IPAM", ipam_of(network["ipam"]));
  put(body, "Internal", network["internal"]);
  put(body, "Attachable", network["attachable"]);
  put(body, "EnableIPv6", network["enable_ipv6"]);
  const Json& ipv4 = network["enable_ipv4"];
  if (!ipv4.is_null() && engine::has(version, engine::Feature::network_enable_ipv4))
    body.set("EnableIPv4", ipv4);
  else if (ipv4.is_bool() && !ipv4.boolean())
    return fail(Code::invalid, project.origin("networks." + std::string(key) + ".enable_ipv4").text() + ": network \"" +
                                   std::string(key) + "\": this engine has no network without IPv4");
  put(body, "Labels", network["labels"]);
  detail::add_object_labels(project, body);
  body.slot("Labels").set(plan::label::kNetwork, key);
  return body;
}

Json volume_body(const Project& project, std::string_view key) {
  const Json& volume = project.volumes[key];
  Json body = Json::object({{"Name", volume_name(project, key)}});
  put(body, "Driver", volume["driver"]);
  put(body, "DriverOpts", volume["driver_opts"]);
  put(body, "Labels", volume["labels"]);
  detail::add_object_labels(project, body);
  body.slot("Labels").set(plan::label::kVolume, key);
  return body;
}

}  // namespace berth::compose
