#include "api/project_urls.h"

#include <algorithm>

#include "edge/rule.h"

namespace berth::api {
namespace {

using Names = std::set<std::string, std::less<>>;

// The names in a group's description: its parts, and what else is no service.
void add_texts(const Json& group, Names& out) {
  if (group.is_text()) out.emplace(group.text());
  for (const Json& item : group.items()) add_texts(item, out);
  for (const auto& [name, value] : group.members()) add_texts(value, out);
}

bool leads_to(const Json& service, const Names& containers) {
  return std::ranges::any_of(service["upstreams"].items(),
                             [&](const Json& upstream) { return containers.contains(upstream["target"].text()); });
}

// Services that requests for these containers take, groups of such services included.
Names services_of(const Json& edge, const Names& containers) {
  Names out;
  for (const Json& service : edge["services"].items())
    if (leads_to(service, containers)) out.emplace(service["name"].text());
  std::size_t before = 0;
  while (before != out.size()) {
    before = out.size();
    for (const Json& service : edge["services"].items()) {
      Names parts;
      add_texts(service["group"], parts);
      if (std::ranges::any_of(parts, [&](const auto& part) { return out.contains(part); }))
        out.emplace(service["name"].text());
    }
  }
  return out;
}

// The path without which the rule cannot match, where it names one.
std::string path_of(const edge::Rule& rule) {
  std::string out;
  for (const auto& matcher : rule.matchers) {
    const bool path = matcher.kind == edge::MatcherKind::path || matcher.kind == edge::MatcherKind::path_prefix;
    if (!path || matcher.negated || matcher.regex) continue;
    if (!out.empty()) return "/";  // several: any of them, or none
    out = matcher.value;
  }
  return out.empty() ? "/" : out;
}

std::string port_text(const Json& ports, std::string_view role, std::int64_t usual) {
  const auto port = ports[role].integer(usual);
  return port == usual || port == 0 ? std::string() : ":" + std::to_string(port);
}

std::string origin_of(const Json& route, const Json& ports, const std::string& host) {
  const bool tls = std::ranges::any_of(route["listeners"].items(),
                                       [](const Json& listener) { return listener.text() == "websecure"; });
  return tls ? "https://" + host + port_text(ports, "websecure", 443) : "http://" + host + port_text(ports, "web", 80);
}

}  // namespace

std::vector<std::string> urls_of(const Json& edge, const Names& containers) {
  const Names services = services_of(edge, containers);
  Names out;
  for (const Json& route : edge["routes"].items()) {
    if (!services.contains(route["service"].text())) continue;
    const auto rule = edge::parse_rule(route["rule"].text());
    if (!rule) continue;
    for (const auto& host : edge::hosts_of(*rule))
      if (!host.starts_with('*')) out.insert(origin_of(route, edge["ports"], host) + path_of(*rule));
  }
  return {out.begin(), out.end()};
}

}  // namespace berth::api
