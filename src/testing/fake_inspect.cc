// Containers as inspect and the list show them.
#include <fmt/format.h>

#include "base/text.h"
#include "testing/fake_route.h"

namespace berth::testing {
namespace {

constexpr std::string_view kRoot = "/var/lib/docker";

std::string_view status_text(const FakeContainer& container) {
  switch (container.status) {
    case FakeStatus::created:
      return "created";
    case FakeStatus::running:
      return "running";
    case FakeStatus::paused:
      return "paused";
    case FakeStatus::restarting:
      return "restarting";
    case FakeStatus::exited:
      return "exited";
  }
  return "dead";
}

Json health_json(const FakeContainer& container) {
  Json log = Json::array();
  int streak = 0;
  for (const FakeProbe& probe : container.probes) {
    streak = probe.exit_code == 0 ? 0 : streak + 1;
    const std::string time = time_text(probe.time);
    log.push(Json::object({{"Start", time}, {"End", time}, {"ExitCode", probe.exit_code}, {"Output", ""}}));
  }
  return Json::object({{"Status", container.health}, {"FailingStreak", streak}, {"Log", std::move(log)}});
}

Json state_json(const FakeContainer& container) {
  const bool restarting = container.status == FakeStatus::restarting;
  Json state = Json::object({{"Status", status_text(container)},
                             {"Running", container.up() || restarting},
                             {"Paused", container.status == FakeStatus::paused},
                             {"Restarting", restarting},
                             {"OOMKilled", false},
                             {"Dead", false},
                             {"Pid", container.up() ? container.pid : 0},
                             {"ExitCode", container.exit_code},
                             {"Error", container.error},
                             {"StartedAt", time_text(container.started)},
                             {"FinishedAt", time_text(container.finished)}});
  if (!container.health.empty()) state.set("Health", health_json(container));
  return state;
}

std::vector<std::string> words_of(const FakeContainer& container) {
  std::vector<std::string> words;
  for (const std::string_view key : {"Entrypoint", "Cmd"})
    for (const Json& word : container.config[key].items()) words.emplace_back(word.text());
  return words;
}

// Ports that are exposed or published, each with its bindings while it is up.
Json ports_json(const FakeContainer& container) {
  Json ports = Json::object();
  const std::string_view mode = container.host["NetworkMode"].text();
  if (!container.up() || mode == "host" || mode == "none" || mode.starts_with("container:")) return ports;
  for (const auto& [port, empty] : container.config["ExposedPorts"].members()) ports.set(port, nullptr);
  for (const FakePort& port : container.ports)
    ports.slot(port.inner).push(Json::object({{"HostIp", port.ip}, {"HostPort", std::to_string(port.port)}}));
  return ports;
}

Json port_list(const FakeContainer& container) {
  Json list = Json::array();
  for (const auto& [inner, bindings] : ports_json(container).members()) {
    const Cut parts = cut(inner, '/');
    Json entry = Json::object({{"PrivatePort", std::stoi(std::string(parts.before))}, {"Type", parts.after}});
    if (bindings.size() == 0) list.push(entry);
    for (const Json& binding : bindings.items()) {
      Json bound = Json::object({{"IP", binding["HostIp"].text()}});
      for (const auto& [key, value] : entry.members()) bound.set(key, value);
      list.push(with(std::move(bound), {{"PublicPort", std::stoi(std::string(binding["HostPort"].text()))}}));
    }
  }
  return list;
}

std::string status_line(const FakeState& state, const FakeContainer& container) {
  const std::string ended = span_text(state.now() - container.finished) + " ago";
  switch (container.status) {
    case FakeStatus::created:
      return "Created";
    case FakeStatus::exited:
      return fmt::format("Exited ({}) {}", container.exit_code, ended);
    case FakeStatus::restarting:
      return fmt::format("Restarting ({}) {}", container.exit_code, ended);
    default:
      break;
  }
  const std::string up = "Up " + span_text(state.now() - container.started);
  if (container.status == FakeStatus::paused) return up + " (Paused)";
  if (container.health.empty()) return up;
  return fmt::format("{} ({}{})", up, container.health == "starting" ? "health: " : "", container.health);
}

Json summary(FakeState& state, const FakeContainer& container) {
  const std::string given(container.config["Image"].text());
  const FakeStoredImage* image = state.find_image(given);
  Json networks = Json::object();
  for (const FakeEndpoint& endpoint : container.endpoints)
    networks.set(endpoint.network, with(endpoint_json(state, container, endpoint), {{"Aliases", nullptr}}));
  Json mounts = Json::array();
  for (const Json& mount : container.mounts) {
    mounts.push(mount);
    const FakeVolume* volume = state.find_volume(mount["Name"].text());
    if (volume && volume->anonymous) mounts.items_mut().back().set("Source", "");
  }
  return Json::object({{"Id", container.id},
                       {"Names", Json::array({"/" + container.name})},
                       {"Image", image && image->id == container.image_id ? given : container.image_id},
                       {"ImageID", container.image_id},
                       {"Command", join(words_of(container), " ")},
                       {"Created", container.created / 1'000'000'000},
                       {"Ports", port_list(container)},
                       {"Labels", container.config["Labels"]},
                       {"State", status_text(container)},
                       {"Status", status_line(state, container)},
                       {"HostConfig", Json::object({{"NetworkMode", container.host["NetworkMode"]}})},
                       {"NetworkSettings", Json::object({{"Networks", std::move(networks)}})},
                       {"Mounts", std::move(mounts)}});
}

// The engine takes regular expressions; here ^ and $ at the ends and plain text are known.
bool name_matches(std::string_view name, std::string_view pattern) {
  const bool from_begin = pattern.starts_with('^'), to_end = pattern.ends_with('$');
  if (from_begin) pattern.remove_prefix(1);
  if (to_end) pattern.remove_suffix(1);
  if (from_begin && to_end) return name == pattern;
  if (from_begin) return name.starts_with(pattern);
  return to_end ? name.ends_with(pattern) : name.find(pattern) != name.npos;
}

bool name_passes(const FakeContainer& container, const FakeFilters& filters) {
  const auto wanted = filters.find("name");
  if (wanted == filters.end() || wanted->second.empty()) return true;
  return std::ranges::any_of(wanted->second, [&](std::string_view pattern) {
    return name_matches(container.name, pattern) || name_matches("/" + container.name, pattern);
  });
}

bool network_passes(FakeState& state, const FakeContainer& container, const FakeFilters& filters) {
  const auto wanted = filters.find("network");
  if (wanted == filters.end()) return true;
  return std::ranges::any_of(wanted->second, [&](const std::string& name) {
    const FakeNetwork* network = state.find_network(name);
    return std::ranges::any_of(container.endpoints, [&](const FakeEndpoint& endpoint) {
      return endpoint.network == name || (network && state.find_network(endpoint.network) == network);
    });
  });
}

bool volume_passes(const FakeContainer& container, const FakeFilters& filters) {
  if (!filters.contains("volume")) return true;
  return std::ranges::any_of(container.mounts, [&](const Json& mount) {
    return passes(filters, "volume", mount["Name"].text()) || passes(filters, "volume", mount["Destination"].text());
  });
}

bool ancestor_passes(FakeState& state, const FakeContainer& container, const FakeFilters& filters) {
  const auto wanted = filters.find("ancestor");
  if (wanted == filters.end()) return true;
  return std::ranges::any_of(wanted->second, [&](const std::string& name) {
    const FakeStoredImage* image = state.find_image(name);
    return image && image->id == container.image_id;
  });
}

bool listed(FakeState& state, const FakeContainer& container, const FakeFilters& filters) {
  const auto ids = filters.find("id");
  const bool right_id = ids == filters.end() || std::ranges::any_of(ids->second, [&](const std::string& id) {
                          return std::string_view(container.id).starts_with(id);
                        });
  const bool right_exit =
      !filters.contains("exited") ||
      (container.status == FakeStatus::exited && passes(filters, "exited", std::to_string(container.exit_code)));
  return right_id && right_exit && name_passes(container, filters) && has_labels(container.config["Labels"], filters) &&
         passes(filters, "status", status_text(container)) &&
         passes(filters, "health", container.health.empty() ? "none" : container.health) &&
         network_passes(state, container, filters) && volume_passes(container, filters) &&
         ancestor_passes(state, container, filters);
}

FakeReply list(FakeState& state, const FakeArgs& args) {
  const auto filters = read_filters(args, {"id", "name", "label", "status", "health", "exited", "network", "volume",
                                           "ancestor", "before", "since", "expose", "publish", "is-task", "isolation"});
  if (!filters) return filters.error();
  constexpr std::string_view kStates[] = {"created", "running", "paused", "restarting", "removing", "exited", "dead"};
  bool all = args.flag("all") || args.flag("limit") || filters->contains("exited") || filters->contains("status");
  if (const auto states = filters->find("status"); states != filters->end())
    for (const std::string& name : states->second)
      if (std::ranges::find(kStates, name) == std::end(kStates))
        return refuse(400, fmt::format("Invalid filter 'status={}'", name));
  Json found = Json::array();
  for (const FakeContainer& container : state.containers) {
    if (!all && !container.up() && container.status != FakeStatus::restarting) continue;
    if (listed(state, container, *filters)) found.push(summary(state, container));
    if (args.flag("limit") && found.size() == std::stoul(std::string(args.value("limit")))) break;
  }
  return answer(200, found);
}

FakeReply inspect(FakeState& state, const FakeArgs& args) {
  const FakeContainer* container = state.find_container(args.name());
  if (!container) return no_such_container(args.name());
  return answer(200, container_inspect(state, *container, args.flag("size")));
}

Json layers_of(const FakeContainer& container) {
  Json data = Json::object();
  for (const std::string_view part : {"LowerDir", "MergedDir", "UpperDir", "WorkDir"})
    data.set(part, fmt::format("{}/overlay2/{}/{}", kRoot, container.id, lower(part.substr(0, part.size() - 3))));
  return Json::object({{"Data", std::move(data)}, {"Name", "overlay2"}});
}

Json snapshot_of() {
  const Json snapshot = Json::object({{"Name", "overlayfs"}});
  return Json::object({{"RootFS", Json::object({{"Snapshot", snapshot}})}});
}

}  // namespace

Json manifest_descriptor(std::string_view id) {
  return Json::object({{"mediaType", "application/vnd.oci.image.manifest.v1+json"}, {"digest", id}, {"size", 1027}});
}

Json endpoint_json(FakeState& state, const FakeContainer& container, const FakeEndpoint& endpoint) {
  Json json = Json::object({{"IPAMConfig", endpoint.settings["IPAMConfig"]},
                            {"Links", endpoint.settings["Links"]},
                            {"Aliases", endpoint.settings["Aliases"]}});
  if (state.at_least(44)) put(json, {{"MacAddress", endpoint.mac}, {"DriverOpts", endpoint.settings["DriverOpts"]}});
  put(json, {{"NetworkID", endpoint.network_id}, {"EndpointID", endpoint.id}, {"Gateway", endpoint.gateway}});
  put(json, {{"IPAddress", endpoint.address}, {"IPPrefixLen", endpoint.prefix}, {"IPv6Gateway", ""}});
  put(json, {{"GlobalIPv6Address", ""}, {"GlobalIPv6PrefixLen", 0}});
  if (!state.at_least(44)) {
    put(json, {{"MacAddress", endpoint.mac}, {"DriverOpts", endpoint.settings["DriverOpts"]}});
    return json;
  }
  Json names = Json::array({container.name});
  for (const Json& alias : endpoint.settings["Aliases"].items())
    if (alias.text() != container.name) names.push(alias);
  names.push(container.id.substr(0, 12));
  const bool known = !endpoint.network_id.empty() && endpoint.network != "bridge";
  return with(std::move(json), {{"DNSNames", known ? std::move(names) : Json()}});
}

Json network_settings(FakeState& state, const FakeContainer& container) {
  const bool sandbox = container.run > 0 && !container.host["NetworkMode"].text().starts_with("container:");
  Json networks = Json::object();
  FakeEndpoint top;
  for (const FakeEndpoint& endpoint : container.endpoints) {
    networks.set(endpoint.network, endpoint_json(state, container, endpoint));
    if (endpoint.network == "bridge") top = endpoint;
  }
  return Json::object({{"Bridge", ""},
                       {"SandboxID", sandbox ? container.id : ""},
                       {"HairpinMode", false},
                       {"LinkLocalIPv6Address", ""},
                       {"LinkLocalIPv6PrefixLen", 0},
                       {"Ports", ports_json(container)},
                       {"SandboxKey", sandbox ? "/var/run/docker/netns/" + container.id.substr(0, 12) : ""},
                       {"SecondaryIPAddresses", nullptr},
                       {"SecondaryIPv6Addresses", nullptr},
                       {"EndpointID", top.id},
                       {"Gateway", top.gateway},
                       {"GlobalIPv6Address", ""},
                       {"GlobalIPv6PrefixLen", 0},
                       {"IPAddress", top.address},
                       {"IPPrefixLen", top.prefix},
                       {"IPv6Gateway", ""},
                       {"MacAddress", top.mac},
                       {"Networks", std::move(networks)}});
}

Json container_inspect(FakeState& state, const FakeContainer& container, bool size) {
  std::vector<std::string> words = words_of(container);
  Json arguments = Json::array(), execs = Json::array(), mounts = Json::array();
  for (std::size_t i = 1; i < words.size(); ++i) arguments.push(words[i]);
  for (const std::string& exec : container.execs) execs.push(exec);
  for (const Json& mount : container.mounts) mounts.push(mount);
  const std::string folder = fmt::format("{}/containers/{}/", kRoot, container.id);
  const auto file = [&](std::string_view name) { return container.started ? folder + std::string(name) : ""; };
  Json json = Json::object({{"Id", container.id},
                            {"Created", time_text(container.created)},
                            {"Path", words.empty() ? "" : words.front()},
                            {"Args", std::move(arguments)},
                            {"State", state_json(container)},
                            {"Image", container.image_id},
                            {"ResolvConfPath", file("resolv.conf")},
                            {"HostnamePath", file("hostname")},
                            {"HostsPath", file("hosts")},
                            {"LogPath", file(container.id + "-json.log")},
                            {"Name", "/" + container.name},
                            {"RestartCount", container.restarts},
                            {"Driver", "overlay2"},
                            {"Platform", "linux"},
                            {"MountLabel", ""},
                            {"ProcessLabel", ""},
                            {"AppArmorProfile", ""},
                            {"ExecIDs", execs.size() > 0 ? std::move(execs) : Json()},
                            {"HostConfig", container.host}});
  // Engines since 29 keep images in containerd unless they are told otherwise: there are no layers of a driver then.
  if (state.at_least(52)) {
    put(json, {{"Storage", snapshot_of()}, {"ImageManifestDescriptor", manifest_descriptor(container.image_id)}});
  } else {
    json.set("GraphDriver", layers_of(container));
  }
  if (size) put(json, {{"SizeRw", 0}, {"SizeRootFs", 775267}});
  put(json, {{"Mounts", std::move(mounts)}, {"Config", container.config}});
  return with(std::move(json), {{"NetworkSettings", network_settings(state, container)}});
}

const std::vector<FakeRoute>& container_routes() {
  static const std::vector<FakeRoute> routes{
      {"GET", "/containers/json", list},
      {"GET", "/containers/{}/json", inspect},
  };
  return routes;
}

}  // namespace berth::testing
