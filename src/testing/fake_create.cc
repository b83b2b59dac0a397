// POST /containers/create: what dockerd checks, merges and fills in.
#include <fmt/format.h>

#include "base/text.h"
#include "testing/fake_route.h"

namespace berth::testing {
namespace {

using Refusal = std::optional<FakeReply>;

constexpr std::string_view kNameBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
constexpr std::int64_t kLeastInterval = 1'000'000;
constexpr std::int64_t kLeastMemory = 6 << 20;

Refusal check_health(const Json& check) {
  for (const std::string_view key : {"Interval", "Timeout", "StartPeriod", "StartInterval"}) {
    const std::int64_t span = check[key].integer();
    if (span != 0 && span < kLeastInterval)
      return refuse(400, fmt::format("{} in Healthcheck cannot be less than 1ms", key));
  }
  if (check["Retries"].integer() < 0) return refuse(400, "Retries in Healthcheck cannot be negative");
  return std::nullopt;
}

Refusal check_restart(const Json& host) {
  const std::string name(host["RestartPolicy"]["Name"].text());
  const std::int64_t count = host["RestartPolicy"]["MaximumRetryCount"].integer();
  if (host["AutoRemove"].boolean() && !name.empty() && name != "no")
    return refuse(400, "can't create 'AutoRemove' container with restart policy");
  if (name == "on-failure")
    return count < 0 ? Refusal(refuse(400, "maximum retry count cannot be negative")) : std::nullopt;
  if (name != "" && name != "no" && name != "always" && name != "unless-stopped")
    return refuse(400, fmt::format("invalid restart policy '{}'", name));
  if (count != 0) return refuse(400, fmt::format("maximum retry count cannot be used with restart policy '{}'", name));
  return std::nullopt;
}

Refusal check_ports(const Json& bindings) {
  for (const auto& [port, list] : bindings.members()) {
    for (const Json& binding : list.items()) {
      const std::string_view host_port = binding["HostPort"].text();
      if (host_port.find_first_not_of("0123456789-") != host_port.npos)
        return refuse(400, fmt::format("invalid port specification: \"{}\"", host_port));
    }
  }
  return std::nullopt;
}

Refusal check_mounts(const FakeState& state, const Json& mounts) {
  for (const Json& mount : mounts.items()) {
    const std::string_view type = mount["Type"].text(), source = mount["Source"].text(),
                           target = mount["Target"].text();
    const auto broken = [&](std::string_view why) {
      return refuse(400, fmt::format("invalid mount config for type \"{}\": {}", type, why));
    };
    if (target.empty()) return broken("field Target must not be empty");
    if (!target.starts_with('/'))
      return broken(fmt::format("invalid mount path: '{}' mount path must be absolute", target));
    if (type != "bind") continue;
    if (source.empty()) return broken("field Source must not be empty");
    const auto& missing = state.options.missing_paths;
    if (std::ranges::find(missing, source) != missing.end() && !mount["BindOptions"]["CreateMountpoint"].boolean())
      return broken(fmt::format("bind source path does not exist: {}", source));
  }
  return std::nullopt;
}

Refusal check_networks(const FakeArgs& args) {
  const Json& endpoints = args.body["NetworkingConfig"]["EndpointsConfig"];
  if (args.at_least(44) || endpoints.size() < 2) return std::nullopt;
  std::vector<std::string> names;
  for (const auto& [name, settings] : endpoints.members()) names.push_back(name);
  return refuse(400, "Container cannot be connected to network endpoints: " + join(names, ", "));
}

// What is wrong with the body itself, before anything is looked up.
Refusal check_body(const FakeState& state, const FakeArgs& args) {
  const int unreadable = state.at_least(42) ? 400 : 500;
  if (trim(args.request.body).empty()) return refuse(unreadable, "EOF");
  if (!args.body.is_object()) return refuse(unreadable, "unexpected EOF");
  const bool has_config = std::ranges::any_of(args.body.members(), [](const Json::Member& member) {
    return member.first != "HostConfig" && member.first != "NetworkingConfig";
  });
  if (!has_config) return refuse(400, "Config cannot be empty in order to create a container");
  if (const std::string_view signal = args.body["StopSignal"].text(); !signal.empty() && !signal_number(signal))
    return refuse(400, fmt::format("Invalid signal: {}", signal));
  if (auto refusal = check_health(args.body["Healthcheck"])) return refusal;
  const Json& host = args.body["HostConfig"];
  if (auto refusal = check_mounts(state, host["Mounts"])) return refusal;
  if (auto refusal = check_ports(host["PortBindings"])) return refusal;
  if (auto refusal = check_restart(host)) return refusal;
  const std::int64_t memory = host["Memory"].integer();
  if (memory != 0 && memory < kLeastMemory) return refuse(400, "Minimum memory limit allowed is 6MB");
  if (args.body.contains("MacAddress") && host["NetworkMode"].text() == "host")
    return refuse(400, "conflicting options: mac-address and the network mode");
  return check_networks(args);
}

Refusal check_platform(const FakeArgs& args, std::string_view reference) {
  const std::string_view wanted = args.value("platform");
  if (!args.at_least(41) || wanted.empty() || wanted == "linux" || wanted == "linux/amd64") return std::nullopt;
  return refuse(404, fmt::format("image with reference {} was found but does not match the specified platform: wanted "
                                 "{}, actual: linux/amd64",
                                 reference, wanted));
}

Refusal check_name(FakeState& state, std::string_view name) {
  if (name.size() < 2 || name.find_first_not_of(kNameBytes) != name.npos || name.find_first_of("_.-") == 0)
    return refuse(400, fmt::format("Invalid container name ({}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", name));
  return name_conflict(state, name);
}

void merge_members(Json& mine, const Json& image) {
  for (const auto& [key, value] : image.members())
    if (!mine.contains(key)) mine.set(key, value);
}

void merge_environment(Json& mine, const Json& image) {
  std::vector<std::string_view> known;
  for (const Json& item : mine.items()) known.push_back(cut(item.text(), '=').before);
  Json merged = mine;
  for (const Json& item : image.items())
    if (std::ranges::find(known, cut(item.text(), '=').before) == known.end()) merged.push(item);
  mine = std::move(merged);
}

void merge_health(Json& mine, const Json& image) {
  if (image.is_null()) return;
  if (mine["Test"].size() == 0) mine.set("Test", image["Test"]);
  for (const std::string_view key : {"Interval", "Timeout", "StartPeriod", "Retries"})
    if (mine[key].integer() == 0 && image[key].integer() != 0) mine.set(key, image[key]);
}

// As dockerd's runconfig merge.
void merge_image(Json& mine, const Json& image) {
  for (const std::string_view key : {"User", "WorkingDir", "StopSignal"})
    if (mine[key].text().empty() && !image[key].text().empty()) mine.set(key, image[key]);
  for (const std::string_view key : {"ExposedPorts", "Labels", "Volumes"})
    if (image[key].size() > 0) merge_members(mine.slot(key), image[key]);
  if (image["Env"].size() > 0) merge_environment(mine.slot("Env"), image["Env"]);
  if (mine["Entrypoint"].size() == 0) {
    if (mine["Cmd"].size() == 0) mine.set("Cmd", image["Cmd"]);
    if (mine["Entrypoint"].is_null()) mine.set("Entrypoint", image["Entrypoint"]);
  }
  if (!image["Healthcheck"].is_null()) merge_health(mine.slot("Healthcheck"), image["Healthcheck"]);
}

// The image's configuration below the container's; null when there is nothing to run.
std::expected<Json, FakeReply> merged_config(const Json& body, const FakeStoredImage* image) {
  Json config = body;
  config.erase("HostConfig");
  config.erase("NetworkingConfig");
  if (image) merge_image(config, image->image.config);
  const auto& entrypoint = config["Entrypoint"].items();
  if (entrypoint.size() == 1 && entrypoint.front().text().empty()) config.set("Entrypoint", nullptr);
  if (config["Entrypoint"].size() == 0 && config["Cmd"].size() == 0)
    return std::unexpected(refuse(400, "No command specified"));
  return complete_config(config);
}

void plan_endpoints(FakeState& state, const Json& body, FakeContainer& container) {
  std::string mode(container.host["NetworkMode"].text());
  if (mode.starts_with("container:")) {
    if (const FakeContainer* other = state.find_container(mode.substr(10)))
      container.host.set("NetworkMode", "container:" + other->id);
    return;
  }
  if (mode == "default") mode = "bridge";
  if (const FakeNetwork* network = state.find_network(mode)) mode = network->name;
  for (const auto& [name, settings] : body["NetworkingConfig"]["EndpointsConfig"].members()) {
    const FakeNetwork* network = state.find_network(name);
    container.endpoints.push_back({.network = network             ? network->name
                                              : name == "default" ? "bridge"
                                                                  : name,
                                   .settings = settings});
  }
  if (container.endpoints.empty()) container.endpoints.push_back({.network = mode});
}

FakeProcess process_of(const FakeState& state, const FakeContainer& container, const FakeStoredImage* image) {
  const FakeProcess* chosen = image ? &image->image.process : nullptr;
  for (const auto& [pattern, process] : state.behaviours)
    if (glob(pattern, container.config["Image"].text())) chosen = &process;
  for (const auto& [pattern, process] : state.behaviours)
    if (glob(pattern, container.name)) chosen = &process;
  return chosen ? *chosen : FakeProcess{};
}

Json warnings_of(const FakeContainer& container) {
  Json warnings = Json::array();
  if (container.host["NetworkMode"].text() == "host" && container.host["PortBindings"].size() > 0)
    warnings.push("Published ports are discarded when using host network mode");
  return warnings;
}

FakeContainer new_container(FakeState& state, const FakeArgs& args, Json config, const FakeStoredImage* image) {
  FakeContainer container{.id = state.new_id("container"), .created = state.tick()};
  container.name = args.value("name");
  if (container.name.empty()) container.name = "fake_name" + std::to_string(state.ids);
  if (image) {
    container.image_id = image->id;
    container.files = image->image.files;
  }
  container.host = complete_host(state, args.body["HostConfig"]);
  // Filled in at the first start where the caller sent no HostConfig.
  if (args.body["HostConfig"].is_object() && !container.host.contains("Runtime")) container.host.set("Runtime", "runc");
  if (config["Hostname"].text().empty())
    config.set("Hostname", container.host["NetworkMode"].text() == "host" ? "fake" : container.id.substr(0, 12));
  container.config = std::move(config);
  container.process = process_of(state, container, image);
  plan_endpoints(state, args.body, container);
  return container;
}

FakeReply create(FakeState& state, const FakeArgs& args) {
  if (auto refusal = check_body(state, args)) return *refusal;
  const std::string reference(args.body["Image"].text());
  const FakeStoredImage* image = reference.empty() ? nullptr : state.find_image(reference);
  if (!reference.empty() && !image) {
    const auto full = full_reference(reference);
    if (!full) return refuse(400, full.error());
    return refuse(404, fmt::format("No such image: {}", reference.starts_with("sha256:") ? reference : *full));
  }
  if (auto refusal = check_platform(args, reference)) return *refusal;
  auto config = merged_config(args.body, image);
  if (!config) return config.error();
  if (args.has("name"))
    if (auto refusal = check_name(state, args.value("name"))) return *refusal;
  FakeContainer container = new_container(state, args, std::move(*config), image);
  for (const Json& link : args.body["HostConfig"]["Links"].items())
    if (const Cut parts = cut(link.text(), ':'); !state.find_container(parts.before))
      return refuse(400,
                    fmt::format("could not get container for {}: No such container: {}", parts.before, parts.before));
  if (auto refusal = plan_mounts(state, args.body, container)) return *refusal;
  state.containers.push_front(std::move(container));
  const FakeContainer& made = state.containers.front();
  state.emit(made, "create");
  return answer(201, Json::object({{"Id", made.id}, {"Warnings", warnings_of(made)}}));
}

}  // namespace

std::optional<FakeReply> name_conflict(FakeState& state, std::string_view name) {
  for (const FakeContainer& other : state.containers)
    if (other.name == name)
      return refuse(409, fmt::format("Conflict. The container name \"/{}\" is already in use by container \"{}\". You "
                                     "have to remove (or rename) that container to be able to reuse that name.",
                                     name, other.id));
  return std::nullopt;
}

const std::vector<FakeRoute>& create_routes() {
  static const std::vector<FakeRoute> routes{{"POST", "/containers/create", create}};
  return routes;
}

}  // namespace berth::testing
