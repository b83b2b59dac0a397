#include "edge/label_parse.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace berth::edge {
namespace {

/// Sorts one label into `declared`; false when the key means nothing here.
bool sort_in(Declared& declared, std::string_view key, const std::string& value) {
  if (key == "docker.network" || key == "swarm.network") {
    declared.network = value;
    return true;
  }
  if (key.starts_with("docker.") || key.starts_with("swarm.")) return true;
  if (!key.starts_with("http.") && !key.starts_with("tcp.") && !key.starts_with("udp.")) return false;
  const Cut top = cut(key, '.');
  const Cut kind = cut(top.after, '.');
  const Cut item = cut(kind.after, '.');
  if (!kind.found || !item.found || item.before.empty() || item.after.empty()) return false;
  static constexpr struct {
    std::string_view top, kind;
    Named Declared::* into;
  } kPlaces[] = {{"http", "routers", &Declared::routers},         {"http", "services", &Declared::services},
                 {"http", "middlewares", &Declared::middlewares}, {"tcp", "routers", &Declared::tcp_routers},
                 {"tcp", "services", &Declared::tcp_services},    {"tcp", "middlewares", &Declared::tcp_middlewares},
                 {"udp", "routers", &Declared::udp_routers},      {"udp", "services", &Declared::udp_services}};
  Named* into = nullptr;
  for (const auto& place : kPlaces)
    if (place.top == top.before && place.kind == kind.before) into = &(declared.*place.into);
  if (!into) return false;
  (*into)[std::string(item.before)][std::string(item.after)] = value;
  return true;
}

std::string refusal(std::string_view key, std::string_view shown) {
  const std::string name = "label " + std::string(shown);
  if (key.starts_with("tls.")) return name + ": TLS stores and options are not supported in labels";
  static constexpr std::string_view kKnown[] = {"enable",         "http.routers", "http.services", "http.middlewares",
                                                "docker.network", "tcp.routers",  "tcp.services",  "tcp.middlewares",
                                                "udp.routers",    "udp.services"};
  const Cut last = cut(key, '.');
  const bool has_kind = last.before == "http" || last.before == "tcp" || last.before == "udp";
  const std::string_view head =
      has_kind ? key.substr(0, last.before.size() + 1 + cut(last.after, '.').before.size()) : key;
  return name + " is not known" + suggestion(head, kKnown);
}

bool is_attached(const Target& target, std::string_view network) {
  return std::ranges::count(target.networks, network, &TargetNetwork::name) > 0;
}

bool is_filtered(const Target& target, const LabelOptions& options) {
  const RequestFacts facts{.host = {}, .method = {}, .path = {}, .query = {}, .client = {}, .labels = &target.labels};
  return options.constraints && !matches(*options.constraints, facts);
}

void read_enable(Declared& declared, const std::string& name, const std::string& value, std::vector<RouteNote>& notes) {
  const auto flag = parse_bool(value);
  declared.decided = true;
  if (flag)
    declared.enabled = *flag;
  else
    notes.push_back({RouteNote::Level::error, "", declared.target->name,
                     "label " + name + ": \"" + value + "\" is neither true nor false"});
}

}  // namespace

std::string default_service(const Target& target) {
  return lower(target.project.empty() || target.service.empty() ? target.name : target.service + "-" + target.project);
}

bool is_serving(const Target& target) {
  return target.running && (target.health == Target::Health::none || target.health == Target::Health::healthy);
}

bool are_one_service(const Target& a, const Target& b) {
  return !a.project.empty() && a.project == b.project && a.service == b.service;
}

bool decides_over(const Target& a, const Target& b) {
  if (a.running != b.running) return a.running;
  if (a.leaving != b.leaving) return b.leaving;
  if (are_one_service(a, b) && a.created != b.created) return a.created > b.created;
  return a.name < b.name;
}

namespace {

/// Of a port that is bound to every address of the host none is the one, as for Traefik.
std::optional<Reach> binding_of(const Target& target, std::uint16_t port) {
  for (const PublishedPort& each : target.published) {
    const auto ip = parse_ip(each.host_ip);
    if (each.container != port || each.protocol != "tcp" || !ip || ip->text() == "0.0.0.0" || ip->text() == "::")
      continue;
    return Reach{ip->text(), each.host, "bound to " + ip->text() + " port " + std::to_string(each.host)};
  }
  return std::nullopt;
}

}  // namespace

Result<Reach> reach_server(const ServerLabel& server, const HostLinks& links, const std::vector<Target>& targets) {
  const Target& target = *server.from.target;
  std::optional<std::uint16_t> port = parse_port(server.port);
  if (!server.port.empty() && !port)
    return fail(Code::invalid, server.label + "port: \"" + server.port + "\" is not a port");
  if (!port && target.exposed.empty())
    return fail(Code::invalid, "container " + target.name + " exposes no port; set " + server.label.substr(6) + "port");
  if (!port) port = *std::ranges::min_element(target.exposed);
  if (!target.running) return fail(Code::unavailable, "container " + target.name + " is not running");
  if (target.health == Target::Health::starting && !server.early)
    return fail(Code::unavailable, "container " + target.name + " is not healthy yet");
  if (target.health == Target::Health::unhealthy)
    return fail(Code::unavailable, "container " + target.name + " is unhealthy");
  if (server.bound)
    if (auto bound = binding_of(target, *port)) return std::move(*bound);
  return reach(target, *port, server.from.network, links, targets);
}

Result<std::uint32_t> parse_weight(const std::string& label, std::string_view text) {
  std::uint32_t weight = 1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
  if (error == std::errc{} && end == text.data() + text.size() && weight <= 1000) return weight;
  return fail(Code::invalid, label + ": \"" + std::string(text) + "\" is not a number up to 1000");
}

Declared declare(const Target& target, const LabelOptions& options, std::vector<RouteNote>& notes) {
  Declared declared{.target = &target,
                    .enabled = options.exposed_by_default,
                    .network = is_attached(target, options.network) ? options.network : std::string(),
                    .routers = {},
                    .services = {},
                    .middlewares = {},
                    .cache = {}};
  std::vector<RouteNote> found;
  for (const auto& [name, value] : target.labels) {
    const std::string key = lower(name);
    // What only berth knows may stand under its own name, which others ignore.
    const bool own = key.starts_with("berth.http.");
    if (key == "berth.cache") declared.cache["enable"] = value;
    if (key.starts_with("berth.cache.")) declared.cache[key.substr(12)] = value;
    if (!own && !key.starts_with("traefik.")) continue;
    const std::string_view rest = std::string_view(key).substr(own ? 6 : 8);
    if (rest == "enable") {
      read_enable(declared, name, value, notes);
      continue;
    }
    if (sort_in(declared, rest, value)) continue;
    found.push_back({RouteNote::Level::warning, "", target.name, refusal(rest, name)});
  }
  declared.filtered = is_filtered(target, options);
  if (declared.filtered) declared.enabled = false;
  // A container that is not enabled is of no interest, whatever else its labels say.
  if (declared.enabled) std::ranges::move(found, std::back_inserter(notes));
  return declared;
}

std::optional<bool> parse_bool(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

std::vector<std::string> parse_list(std::string_view text) {
  std::vector<std::string> items;
  for (const std::string_view part : split(text, ',')) {
    if (!trim(part).empty()) items.emplace_back(trim(part));
  }
  return items;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

Result<std::vector<std::vector<std::string>>> parse_domains(std::string_view label, const LabelFields& fields) {
  static constexpr std::string_view kPrefix = "tls.domains[";
  std::map<int, std::vector<std::string>> mains, others;
  for (const auto& [key, value] : fields) {
    if (!key.starts_with(kPrefix)) continue;
    const Cut at = cut(std::string_view(key).substr(kPrefix.size()), ']');
    int number = 0;
    const auto [end, error] = std::from_chars(at.before.data(), at.before.data() + at.before.size(), number);
    const bool is_main = at.after == ".main", known = is_main || at.after == ".sans";
    if (error != std::errc{} || end != at.before.data() + at.before.size() || number < 0 || !known)
      return fail(Code::invalid, std::string(label) + key + " is not known; use tls.domains[0].main and .sans");
    for (const std::string& text : parse_list(value)) {
      auto host = canonical_host(text);
      if (!host || *host == "*") return fail(Code::invalid, std::string(label) + key + ": \"" + text + "\" is no host");
      (is_main ? mains : others)[number].push_back(std::move(*host));
    }
  }
  std::vector<std::vector<std::string>> out;
  for (auto& [number, hosts] : mains) {
    std::ranges::move(others[number], std::back_inserter(hosts));
    others.erase(number);
    out.push_back(std::move(hosts));
  }
  if (!others.empty())
    return fail(Code::invalid,
                std::string(label) + "tls.domains[" + std::to_string(others.begin()->first) + "].main is missing");
  return out;
}

std::optional<std::string> local_name(std::string_view reference) {
  const Cut at = cut(reference, '@');
  if (at.found && at.after != "docker" && at.after != "swarm") return std::nullopt;
  return lower(at.before);
}

}  // namespace berth::edge
