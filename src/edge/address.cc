#include "edge/address.h"

#include <algorithm>

namespace berth::edge {
namespace {

bool on_link(const Cidr& subnet, const HostLinks& links) {
  return std::ranges::any_of(links.subnets,
                             [&](const Cidr& link) { return link.bits <= subnet.bits && link.contains(subnet.base); });
}

/// The way over one network, or why not.
Result<Reach> over(const TargetNetwork& network, std::uint16_t port, const HostLinks& links) {
  const auto refuse = [&](std::string why) { return fail(Code::unavailable, "network " + network.name + ": " + why); };
  if (network.driver != "bridge" && network.driver != "macvlan" && network.driver != "ipvlan") {
    return refuse("driver " + network.driver + " is not reached from the host");
  }
  if (network.driver != "bridge") return refuse("the host cannot talk to its own " + network.driver + " containers");
  if (network.address.empty() && network.address6.empty()) return refuse("the container has no address there yet");
  std::string unlinked;
  for (const std::string& text : network.subnets) {
    const auto subnet = parse_cidr(text);
    if (!subnet) continue;
    const std::string& address = subnet->base.is_v4() ? network.address : network.address6;
    const auto ip = parse_ip(address);
    if (!ip || !subnet->contains(*ip)) continue;
    if (on_link(*subnet, links)) return Reach{address, port, "network " + network.name + " (" + text + ")"};
    unlinked += (unlinked.empty() ? "" : ", ") + text;
  }
  if (unlinked.empty()) return refuse("its subnets do not hold the container's address " + network.address);
  return refuse("no link of the host is in " + unlinked);
}

bool own_network(const Target& target, const TargetNetwork& network) {
  return !target.project.empty() && network.name.starts_with(target.project + "_");
}

/// The preferred network first, then the project's own, then by name.
std::vector<const TargetNetwork*> in_order(const Target& target) {
  std::vector<const TargetNetwork*> networks;
  for (const TargetNetwork& network : target.networks) networks.push_back(&network);
  std::ranges::sort(networks, [&](const TargetNetwork* a, const TargetNetwork* b) {
    const bool own_a = own_network(target, *a), own_b = own_network(target, *b);
    return own_a != own_b ? own_a : a->name < b->name;
  });
  return networks;
}

Result<Reach> over_published(const Target& target, std::uint16_t port) {
  for (const PublishedPort& each : target.published) {
    if (each.container != port || each.protocol != "tcp" || each.host == 0) continue;
    if (each.host_ip.empty() || each.host_ip == "0.0.0.0") {
      return Reach{"127.0.0.1", each.host, "published port " + std::to_string(each.host)};
    }
    const auto ip = parse_ip(each.host_ip);
    if (!ip) continue;
    if (each.host_ip == "::") return Reach{"::1", each.host, "published port " + std::to_string(each.host)};
    if (ip->is_loopback()) return Reach{ip->text(), each.host, "published port " + std::to_string(each.host)};
  }
  return fail(Code::unavailable,
              "port " + std::to_string(port) + " is not published on loopback or on every address of the host");
}

Result<Reach> over_preferred(const Target& target, std::uint16_t port, std::string_view preferred,
                             const HostLinks& links) {
  for (const TargetNetwork& network : target.networks) {
    // Compose prefixes the project's name; labels are often written without it.
    const bool named = network.name == preferred ||
                       (!target.project.empty() && network.name == target.project + "_" + std::string(preferred));
    if (named) return over(network, port, links);
  }
  return fail(Code::unavailable, "network " + std::string(preferred) +
                                     ": traefik.docker.network names it, but the container is not attached to it");
}

const Target* find_target(const std::vector<Target>& others, std::string_view name) {
  for (const Target& other : others) {
    if (other.name == name || other.id == name || (name.size() >= 12 && other.id.starts_with(name))) return &other;
  }
  return nullptr;
}

}  // namespace

Result<Reach> reach(const Target& target, std::uint16_t port, std::string_view preferred, const HostLinks& links,
                    const std::vector<Target>& others) {
  const Target* holder = &target;  // whose network namespace it is
  for (int hops = 0; holder->network_mode.starts_with("container:"); ++hops) {
    const std::string name = holder->network_mode.substr(10);
    holder = hops < 8 ? find_target(others, name) : nullptr;
    if (!holder || !holder->running) {
      return fail(Code::unavailable, "container " + target.name + " uses the network of container " + name +
                                         ", which does not run; start it first");
    }
  }
  if (holder->network_mode == "host") return Reach{"127.0.0.1", port, "the host's own network"};
  std::string refused;
  const auto note = [&](const Error& error) { refused += (refused.empty() ? "" : "\n") + error.message; };
  if (!preferred.empty()) {
    auto way = over_preferred(*holder, port, preferred, links);
    if (way) return way;
    note(way.error());
  }
  for (const TargetNetwork* network : in_order(*holder)) {
    auto way = over(*network, port, links);
    if (way) return way;
    note(way.error());
  }
  auto published = over_published(*holder, port);
  if (published) return published;
  note(published.error());
  return fail(Code::unavailable,
              "container " + target.name + " is not reachable on port " + std::to_string(port) +
                  "; attach it to a bridge network of this host",
              std::move(refused));
}

}  // namespace berth::edge
