#include "broker/place.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"

namespace berth::broker {
namespace {

constexpr std::size_t kId = 64, kShortId = 12, kMostCandidates = 8;

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

// The last run of exactly 64 hexadecimal digits: "/docker/ID", "docker-ID.scope", ".../containers/ID/hostname".
std::string id_in(std::string_view text) {
  std::string found;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_hex(text[end])) ++end;
    if (end - at == kId) found = text.substr(at, kId);
    at = end + 1;
  }
  return found;
}

void add(std::vector<std::string>& out, std::string candidate) {
  if (candidate.empty() || out.size() == kMostCandidates) return;
  if (std::find(out.begin(), out.end(), candidate) == out.end()) out.push_back(std::move(candidate));
}

std::string lower_text(const Json& value) {
  return lower(value.text());
}

std::string name_of(const Json& container) {
  std::string_view name = container["Name"].text();
  if (name.starts_with('/')) name.remove_prefix(1);
  return "container " + std::string(name);
}

const Json* network_of(const Surroundings& seen, std::string_view id) {
  const auto found = std::find_if(seen.networks.begin(), seen.networks.end(),
                                  [&](const Json& each) { return each["Id"].text() == id; });
  return id.empty() || found == seen.networks.end() ? nullptr : &*found;
}

// An internal network of the drivers macvlan and ipvlan may still have an interface of the host below it.
Place judge_network(const Json& network, const std::string& container) {
  const std::string name = "network " + std::string(network["Name"].text());
  const std::string_view driver = network["Driver"].text();
  if (driver == "null") return {Reach::internal};
  if (driver == "host") return {Reach::open, container + " has the host's own network"};
  if (!network["Internal"].boolean())
    return {Reach::open,
            name + " of " + container + " is not internal: put the container on networks made with --internal alone"};
  if (driver != "bridge" && driver != "overlay")
    return {Reach::open, name + " of " + container + " is of the driver " + std::string(driver) +
                             ": put the container on internal networks of the driver bridge or overlay alone"};
  return {Reach::internal};
}

}  // namespace

std::vector<std::string> container_candidates(std::string_view mountinfo, std::string_view cgroup,
                                              std::string_view hostname) {
  constexpr std::string_view kFiles[] = {"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"};
  std::vector<std::string> out;
  for (const std::string_view line : split(mountinfo, '\n')) {
    const auto parts = split(line, ' ');  // proc(5): the fourth is the root of the mount, the fifth where it is
    if (parts.size() > 4 && std::find(std::begin(kFiles), std::end(kFiles), parts[4]) != std::end(kFiles))
      add(out, id_in(parts[3]));
  }
  for (const std::string_view line : split(cgroup, '\n')) add(out, id_in(line));
  if (hostname.size() == kShortId && std::all_of(hostname.begin(), hostname.end(), is_hex))
    add(out, std::string(hostname));
  return out;
}

Place judge_place(const Surroundings& seen, const std::set<std::string>& own) {
  const std::string container = name_of(seen.container);
  if (seen.container.at("HostConfig.NetworkMode").text() == "host")
    return {Reach::open, container + " has the host's own network"};
  const Json& endpoints = seen.container.at("NetworkSettings.Networks");
  if (!endpoints.is_object()) return {Reach::unknown, "the engine does not say on which networks " + container + " is"};
  std::set<std::string> told;
  for (const auto& [name, endpoint] : endpoints.members()) {
    const Json* network = network_of(seen, endpoint["NetworkID"].text());
    if (!network) return {Reach::unknown, "the engine does not say what network " + name + " is"};
    if (Place place = judge_network(*network, container); place.reach != Reach::internal) return place;
    for (const char* member : {"MacAddress", "IPAddress", "GlobalIPv6Address"})
      if (auto text = lower_text(endpoint[member]); !text.empty()) told.insert(std::move(text));
  }
  if (told != own) return {Reach::unknown, "the addresses of " + container + " are not those that are here"};
  return {Reach::internal};
}

}  // namespace berth::broker
