// Networks: addresses, ports, and the routes below /networks.
#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/text.h"
#include "testing/fake_route.h"

namespace berth::testing {
namespace {

std::string address_text(std::uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
}

std::optional<std::uint32_t> parse_address(std::string_view text) {
  in_addr raw{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &raw) != 1) return std::nullopt;
  return ntohl(raw.s_addr);
}

struct Subnet {
  std::uint32_t base = 0;
  int prefix = 0;
};
std::optional<Subnet> parse_subnet(std::string_view text) {
  const Cut parts = cut(text, '/');
  const auto base = parse_address(parts.before);
  const int prefix = std::atoi(std::string(parts.after).c_str());
  if (!base || !parts.found || prefix < 1 || prefix > 31) return std::nullopt;
  return Subnet{*base, prefix};
}

std::uint32_t mask_of(int prefix) {
  return ~std::uint32_t{0} << (32 - prefix);
}

bool overlap(const Subnet& a, const FakeNetwork& b) {
  if (b.prefix == 0) return false;
  const std::uint32_t mask = mask_of(std::min(a.prefix, b.prefix));
  return (a.base & mask) == (b.subnet & mask);
}

bool taken(const FakeState& state, const Subnet& subnet) {
  return std::ranges::any_of(state.networks, [&](const FakeNetwork& network) { return overlap(subnet, network); });
}

// As dockerd's default address pools: 172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/20 onwards.
std::optional<Subnet> free_subnet(const FakeState& state) {
  for (std::uint32_t second = 17; second < 32; ++second)
    if (const Subnet subnet{172u << 24 | second << 16, 16}; !taken(state, subnet)) return subnet;
  for (std::uint32_t third = 0; third < 256; third += 16)
    if (const Subnet subnet{192u << 24 | 168u << 16 | third << 8, 20}; !taken(state, subnet)) return subnet;
  return std::nullopt;
}

Json network_json(std::string_view name, std::string_view driver, Json ipam) {
  return Json::object(
      {{"Name", name},
       {"Id", ""},
       {"Created", ""},
       {"Scope", "local"},
       {"Driver", driver},
       {"EnableIPv6", false},
       {"IPAM", Json::object({{"Driver", "default"}, {"Options", nullptr}, {"Config", std::move(ipam)}})},
       {"Internal", false},
       {"Attachable", false},
       {"Ingress", false},
       {"ConfigFrom", Json::object({{"Network", ""}})},
       {"ConfigOnly", false},
       {"Containers", Json::object()},
       {"Options", Json::object()},
       {"Labels", Json::object()}});
}

FakeNetwork& add_network(FakeState& state, Json body) {
  FakeNetwork& network = state.networks.emplace_back();
  network.id = state.new_id("network");
  network.name = body["Name"].text();
  network.created = state.tick();
  put(body, {{"Id", network.id}, {"Created", time_text(network.created)}});
  network.body = std::move(body);
  return network;
}

std::string subnet_text(const Subnet& subnet) {
  return fmt::format("{}/{}", address_text(subnet.base), subnet.prefix);
}

void use_subnet(FakeNetwork& network, const Subnet& subnet, std::optional<std::uint32_t> gateway) {
  network.subnet = subnet.base;
  network.prefix = subnet.prefix;
  network.gateway = gateway.value_or((subnet.base & mask_of(subnet.prefix)) + 1);
}

bool is_default(std::string_view name) {
  return name == "bridge" || name == "host" || name == "none";
}

// The endpoint of a container that is up on this network.
const FakeEndpoint* endpoint_on(const FakeContainer& container, const FakeNetwork& network) {
  for (const FakeEndpoint& endpoint : container.endpoints)
    if (!endpoint.id.empty() && endpoint.network_id == network.id) return &endpoint;
  return nullptr;
}

bool active(const FakeState& state, const FakeNetwork& network) {
  return std::ranges::any_of(state.containers,
                             [&](const FakeContainer& container) { return endpoint_on(container, network); });
}

FakeReply not_found(std::string_view name) {
  return refuse(404, fmt::format("network {} not found", name));
}

void emit(FakeState& state, const FakeNetwork& network, std::string_view action, std::string_view container = {}) {
  Json attributes = Json::object({{"name", network.name}, {"type", network.body["Driver"].text()}});
  if (!container.empty()) attributes.set("container", container);
  state.emit("network", action, network.id, std::move(attributes));
}

bool network_listed(const FakeState& state, const FakeNetwork& network, const FakeFilters& filters) {
  const auto names = filters.find("name");
  const bool right_name = names == filters.end() || std::ranges::any_of(names->second, [&](const std::string& name) {
                            return network.name.find(name) != std::string::npos;
                          });
  const auto ids = filters.find("id");
  const bool right_id = ids == filters.end() || std::ranges::any_of(ids->second, [&](const std::string& id) {
                          return std::string_view(network.id).starts_with(id);
                        });
  const bool dangling = !network.predefined && !active(state, network);
  return right_name && right_id && has_labels(network.body["Labels"], filters) &&
         passes(filters, "driver", network.body["Driver"].text()) && passes(filters, "scope", "local") &&
         passes(filters, "type", network.predefined ? "builtin" : "custom") &&
         (!filters.contains("dangling") || passes(filters, "dangling", dangling ? "true" : "false") ||
          passes(filters, "dangling", dangling ? "1" : "0"));
}

FakeReply list(FakeState& state, const FakeArgs& args) {
  const auto filters = read_filters(args, {"name", "id", "label", "driver", "scope", "type", "dangling"});
  if (!filters) return filters.error();
  Json found = Json::array();
  for (const FakeNetwork& network : state.networks)
    if (network_listed(state, network, *filters)) found.push(network.body);
  return answer(200, found);
}

// One network, or why not: none, or several of that name.
std::expected<FakeNetwork*, FakeReply> one_network(FakeState& state, std::string_view name, bool removing) {
  FakeNetwork* network = state.find_network(name);
  if (!network) return std::unexpected(not_found(name));
  const auto same = std::ranges::count(state.networks, name, &FakeNetwork::name);
  if (network->id == name || same < 2) return network;
  return std::unexpected(
      refuse(400, removing ? fmt::format("network {} is ambiguous ({} matches found based on name)", name, same)
                           : fmt::format("{} matches found based on name: network {} is ambiguous", same, name)));
}

FakeReply inspect(FakeState& state, const FakeArgs& args) {
  const auto network = one_network(state, args.name(), false);
  return network ? answer(200, network_inspect(state, **network)) : network.error();
}

std::optional<FakeReply> check_new_network(FakeState& state, const FakeArgs& args) {
  const std::string name(args.body["Name"].text());
  if (trim(name).empty()) return refuse(500, "invalid name: " + name);
  if (is_default(name)) return refuse(403, fmt::format("operation is not permitted on predefined {} network ", name));
  const bool strict = args.body["CheckDuplicate"].boolean() || args.at_least(44);
  if (strict && std::ranges::any_of(state.networks, [&](const FakeNetwork& other) { return other.name == name; }))
    return refuse(409, fmt::format("network with name {} already exists", name));
  const std::string_view driver = args.body["Driver"].text("bridge");
  if (driver == "host" || driver == "null")
    return refuse(403, fmt::format("only one instance of \"{}\" network is allowed", driver));
  constexpr std::string_view kDrivers[] = {"", "bridge", "macvlan", "ipvlan", "overlay"};
  if (std::ranges::find(kDrivers, driver) == std::end(kDrivers))
    return refuse(404, fmt::format("plugin \"{}\" not found", driver));
  return std::nullopt;
}

// The IPv4 subnet of a new network, asked for or free.
std::expected<Subnet, FakeReply> choose_subnet(const FakeState& state, const Json& asked) {
  for (const Json& config : asked.items()) {
    const std::string_view text = config["Subnet"].text();
    if (text.empty() || text.find(':') != text.npos) continue;
    const auto subnet = parse_subnet(text);
    if (!subnet)
      return std::unexpected(refuse(500, fmt::format("Invalid subnet {} : invalid CIDR address: {}", text, text)));
    if (taken(state, *subnet))
      return std::unexpected(refuse(403, "Pool overlaps with other one on this address space"));
    return *subnet;
  }
  if (const auto subnet = free_subnet(state)) return *subnet;
  return std::unexpected(
      refuse(500,
             "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the "
             "network"));
}

FakeReply create(FakeState& state, const FakeArgs& args) {
  if (auto refusal = check_new_network(state, args)) return *refusal;
  const std::string name(args.body["Name"].text());
  const FakeNetwork* twin = nullptr;
  for (const FakeNetwork& other : state.networks)
    if (other.name == name) twin = &other;
  const Json& asked = args.body["IPAM"]["Config"];
  const auto subnet = choose_subnet(state, asked);
  if (!subnet) return subnet.error();
  const std::uint32_t first = (subnet->base & mask_of(subnet->prefix)) + 1;
  Json ipam = asked;
  if (asked.size() == 0)
    ipam = Json::array({Json::object({{"Subnet", subnet_text(*subnet)}, {"Gateway", address_text(first)}})});
  const std::string_view driver = args.body["Driver"].text();
  Json body = network_json(name, driver.empty() ? "bridge" : driver, ipam);
  for (const std::string_view key : {"EnableIPv6", "Internal", "Attachable", "Options", "Labels"})
    if (!args.body[key].is_null()) body.set(key, args.body[key]);
  if (const std::string_view ipam_driver = args.body["IPAM"]["Driver"].text(); !ipam_driver.empty())
    body.slot("IPAM").set("Driver", ipam_driver);
  if (!args.body["IPAM"]["Options"].is_null()) body.slot("IPAM").set("Options", args.body["IPAM"]["Options"]);
  const std::string warning =
      twin ? fmt::format("Network with name {} (id : {}) already exists", name, twin->id) : std::string();
  FakeNetwork& network = add_network(state, std::move(body));
  use_subnet(network, *subnet, parse_address(ipam.items().front()["Gateway"].text()));
  network.default_pool = asked.size() == 0;
  emit(state, network, "create");
  return answer(201, Json::object({{"Id", network.id}, {"Warning", warning}}));
}

FakeReply remove(FakeState& state, const FakeArgs& args) {
  const auto found = one_network(state, args.name(), true);
  if (!found) return found.error();
  FakeNetwork& network = **found;
  if (network.predefined)
    return refuse(403, fmt::format("{} is a pre-defined network and cannot be removed", network.name));
  if (active(state, network))
    return refuse(403, fmt::format("error while removing network: network {} id {} has active endpoints", network.name,
                                   network.id));
  emit(state, network, "destroy");
  std::erase_if(state.networks, [&](const FakeNetwork& other) { return &other == &network; });
  return answer(204);
}

void add_alias(FakeEndpoint& endpoint, const std::string& alias) {
  Json& aliases = endpoint.settings.slot("Aliases");
  for (const Json& item : aliases.items())
    if (item.text() == alias) return;
  aliases.push(alias);
}

// Until API 1.44 the short id is one of the aliases on networks of users.
void add_short_id(const FakeState& state, const FakeContainer& container, FakeEndpoint& endpoint,
                  const FakeNetwork& network) {
  if (!network.predefined && !state.at_least(44)) add_alias(endpoint, container.id.substr(0, 12));
}

FakeReply connect(FakeState& state, const FakeArgs& args) {
  const std::string_view who = args.body["Container"].text();
  FakeContainer* container = state.find_container(who);
  FakeNetwork* network = state.find_network(args.name());
  if (!container) return network ? no_such_container(who) : not_found(args.name());
  if (!network && container->up()) return not_found(args.name());
  const std::string name = network ? network->name : std::string(args.name());
  FakeEndpoint endpoint{.network = name, .settings = args.body["EndpointConfig"]};
  const auto place = std::ranges::find(container->endpoints, name, &FakeEndpoint::network);
  if (container->up()) {
    if (place != container->endpoints.end())
      return refuse(403, fmt::format("endpoint with name {} already exists in network {}", container->name, name));
    if (auto refusal = join_network(state, *container, endpoint)) return *refusal;
  } else if (network) {
    add_short_id(state, *container, endpoint, *network);
  }
  if (place != container->endpoints.end()) {
    *place = std::move(endpoint);
  } else {
    container->endpoints.push_back(std::move(endpoint));
  }
  return answer(200);
}

FakeReply disconnect(FakeState& state, const FakeArgs& args) {
  const std::string_view who = args.body["Container"].text();
  FakeContainer* container = state.find_container(who);
  const FakeNetwork* network = state.find_network(args.name());
  if (!network && !(container && !container->up())) return not_found(args.name());
  if (!container) return no_such_container(who);
  const std::string name = network ? network->name : std::string(args.name());
  const auto place = std::ranges::find(container->endpoints, name, &FakeEndpoint::network);
  if (place == container->endpoints.end())
    return refuse(500, fmt::format("container {} is not connected to {}network {}", container->id,
                                   container->up() ? "" : "the ", name));
  if (container->up()) {
    leave_network(state, *container, *place);
  } else if (network) {
    emit(state, *network, "disconnect", container->id);
  }
  container->endpoints.erase(place);
  return answer(200);
}

FakeReply prune(FakeState& state, const FakeArgs& args) {
  const auto filters = read_filters(args, {"label", "label!", "until"});
  if (!filters) return filters.error();
  Json names;
  std::erase_if(state.networks, [&](const FakeNetwork& network) {
    if (network.predefined || active(state, network) || !has_labels(network.body["Labels"], *filters)) return false;
    names.push(network.name);
    emit(state, network, "destroy");
    return true;
  });
  return answer(200, Json::object({{"NetworksDeleted", std::move(names)}}));
}

bool address_taken(const FakeState& state, const FakeNetwork& network, std::string_view address) {
  return std::ranges::any_of(state.containers, [&](const FakeContainer& container) {
    const FakeEndpoint* endpoint = endpoint_on(container, network);
    return endpoint && endpoint->address == address;
  });
}

// A free address, or the one that was asked for.
std::expected<std::uint32_t, FakeReply> choose_address(const FakeState& state, const FakeNetwork& network,
                                                       const FakeEndpoint& endpoint) {
  const std::string_view wanted = endpoint.settings["IPAMConfig"]["IPv4Address"].text();
  if (!wanted.empty()) {
    const auto address = parse_address(wanted);
    if (network.default_pool)
      return std::unexpected(refuse(
          400, "user specified IP address is supported only when connecting to networks with user configured subnets"));
    const std::uint32_t mask = mask_of(network.prefix);
    if (!address || (*address & mask) != (network.subnet & mask))
      return std::unexpected(refuse(500, "Invalid address " + std::string(wanted)));
    if (address_taken(state, network, wanted)) return std::unexpected(refuse(403, "Address already in use"));
    return *address;
  }
  const std::uint32_t base = network.subnet & mask_of(network.prefix), last = base | ~mask_of(network.prefix);
  for (std::uint32_t address = base + 1; address < last; ++address)
    if (address != network.gateway && !address_taken(state, network, address_text(address))) return address;
  return std::unexpected(refuse(500, "no available IPv4 addresses on this network's address pools"));
}

}  // namespace

Json network_inspect(const FakeState& state, const FakeNetwork& network) {
  Json containers = Json::object();
  for (const FakeContainer& container : state.containers) {
    const FakeEndpoint* endpoint = endpoint_on(container, network);
    if (!endpoint) continue;
    const std::string address =
        endpoint->address.empty() ? "" : fmt::format("{}/{}", endpoint->address, endpoint->prefix);
    containers.set(container.id, Json::object({{"Name", container.name},
                                               {"EndpointID", endpoint->id},
                                               {"MacAddress", endpoint->mac},
                                               {"IPv4Address", address},
                                               {"IPv6Address", ""}}));
  }
  Json body = network.body;
  return with(std::move(body), {{"Containers", std::move(containers)}});
}

void add_predefined_networks(FakeState& state) {
  add_network(state, network_json("none", "null", Json::array())).predefined = true;
  add_network(state, network_json("host", "host", Json::array())).predefined = true;
  const Subnet subnet{172u << 24 | 17u << 16, 16};
  Json body = network_json("bridge", "bridge", Json::array({Json::object({{"Subnet", subnet_text(subnet)}})}));
  body.set("Options", Json::object({{"com.docker.network.bridge.default_bridge", "true"},
                                    {"com.docker.network.bridge.enable_icc", "true"},
                                    {"com.docker.network.bridge.enable_ip_masquerade", "true"},
                                    {"com.docker.network.bridge.host_binding_ipv4", "0.0.0.0"},
                                    {"com.docker.network.bridge.name", "docker0"},
                                    {"com.docker.network.driver.mtu", "1500"}}));
  FakeNetwork& bridge = add_network(state, std::move(body));
  bridge.predefined = true;
  use_subnet(bridge, subnet, std::nullopt);
}

std::optional<FakeReply> join_network(FakeState& state, FakeContainer& container, FakeEndpoint& endpoint) {
  const std::string& asked = endpoint.network_id.empty() ? endpoint.network : endpoint.network_id;
  const FakeNetwork* network = state.find_network(asked);
  if (!network) return not_found(asked);
  if (network->prefix > 0) {
    const auto address = choose_address(state, *network, endpoint);
    if (!address) return address.error();
    endpoint.address = address_text(*address);
    endpoint.prefix = network->prefix;
    endpoint.gateway = address_text(network->gateway);
    const std::uint32_t a = *address;
    endpoint.mac = fmt::format("02:42:{:02x}:{:02x}:{:02x}:{:02x}", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
  }
  if (const std::string_view mac = endpoint.settings["MacAddress"].text(); !mac.empty()) endpoint.mac = mac;
  endpoint.network_id = network->id;
  endpoint.id = state.new_id("endpoint");
  add_short_id(state, container, endpoint, *network);
  emit(state, *network, "connect", container.id);
  return std::nullopt;
}

void leave_network(FakeState& state, FakeContainer& container, FakeEndpoint& endpoint) {
  if (endpoint.id.empty()) return;
  endpoint.id = endpoint.address = endpoint.gateway = endpoint.mac = "";
  endpoint.prefix = 0;
  if (const FakeNetwork* network = state.find_network(endpoint.network_id))
    emit(state, *network, "disconnect", container.id);
}

const std::vector<FakeRoute>& network_routes() {
  static const std::vector<FakeRoute> routes{
      {"GET", "/networks", list},
      {"POST", "/networks/create", create},
      {"POST", "/networks/prune", prune},
      {"GET", "/networks/{}", inspect},
      {"DELETE", "/networks/{}", remove},
      {"POST", "/networks/{}/connect", connect},
      {"POST", "/networks/{}/disconnect", disconnect},
  };
  return routes;
}

}  // namespace berth::testing
