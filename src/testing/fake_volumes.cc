// Volumes and what containers mount.
#include <fmt/format.h>

#include "base/text.h"
#include "testing/fake_route.h"

namespace berth::testing {
namespace {

constexpr std::string_view kNameBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

std::string mountpoint_of(std::string_view name) {
  return fmt::format("/var/lib/docker/volumes/{}/_data", name);
}

// Ids of the containers that mount it, oldest first.
std::vector<std::string> users_of(const FakeState& state, std::string_view name) {
  std::vector<std::string> users;
  for (const FakeContainer& container : state.containers)
    if (std::ranges::any_of(container.mounts, [&](const Json& mount) { return mount["Name"].text() == name; }))
      users.insert(users.begin(), container.id);
  return users;
}

FakeReply not_found(std::string_view name) {
  return refuse(404, fmt::format("get {}: no such volume", name));
}

void emit(FakeState& state, const FakeVolume& volume, std::string_view action) {
  state.emit("volume", action, volume.name, Json::object({{"driver", volume.body["Driver"].text()}}));
}

std::optional<FakeReply> check_name(std::string_view name) {
  if (name.find_first_not_of(kNameBytes) == name.npos && name.find_first_of("_.-") != 0) return std::nullopt;
  return refuse(400, fmt::format("create {}: \"{}\" includes invalid characters for a local volume name, only "
                                 "\"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, "
                                 "use absolute path",
                                 name, name));
}

FakeReply create(FakeState& state, const FakeArgs& args) {
  std::string name(args.body["Name"].text());
  const bool anonymous = name.empty();
  if (anonymous) name = state.new_id("volume");
  if (auto refusal = check_name(name)) return *refusal;
  const std::string_view driver = args.body["Driver"].text();
  if (!driver.empty() && driver != "local")
    return refuse(404, fmt::format("create {}: error looking up volume plugin {}: plugin \"{}\" not found", name,
                                   driver, driver));
  for (const auto& [key, value] : args.body["DriverOpts"].members())
    if (key != "type" && key != "device" && key != "o" && key != "size")
      return refuse(400, fmt::format("create {}: invalid option: \"{}\"", name, key));
  const FakeVolume& volume = ensure_volume(state, name, args.body, anonymous);
  return answer(201, volume.asleep ? with(volume.body, {{"Labels", nullptr}, {"Scope", ""}}) : volume.body);
}

FakeReply inspect(FakeState& state, const FakeArgs& args) {
  FakeVolume* volume = state.find_volume(args.name());
  if (volume) volume->asleep = false;
  return volume ? answer(200, volume->body) : not_found(args.name());
}

FakeReply list(FakeState& state, const FakeArgs& args) {
  const auto filters = read_filters(args, {"name", "label", "driver", "dangling"});
  if (!filters) return filters.error();
  Json found = Json::array();
  for (const FakeVolume& volume : state.volumes) {
    const auto names = filters->find("name");
    const bool right_name = names == filters->end() || std::ranges::any_of(names->second, [&](const std::string& name) {
                              return volume.name.find(name) != std::string::npos;
                            });
    const bool dangling = users_of(state, volume.name).empty();
    const bool right_use = !filters->contains("dangling") ||
                           passes(*filters, "dangling", dangling ? "true" : "false") ||
                           passes(*filters, "dangling", dangling ? "1" : "0");
    if (right_name && right_use && has_labels(volume.body["Labels"], *filters) && passes(*filters, "driver", "local"))
      found.push(volume.body);
  }
  return answer(200, Json::object({{"Volumes", std::move(found)}, {"Warnings", nullptr}}));
}

FakeReply remove(FakeState& state, const FakeArgs& args) {
  const FakeVolume* volume = state.find_volume(args.name());
  if (!volume) return args.flag("force") ? answer(204) : not_found(args.name());
  if (const auto users = users_of(state, volume->name); !users.empty())
    return refuse(409, fmt::format("remove {}: volume is in use - [{}]", volume->name, join(users, ", ")));
  emit(state, *volume, "destroy");
  std::erase_if(state.volumes, [&](const FakeVolume& other) { return &other == volume; });
  return answer(204);
}

FakeReply prune(FakeState& state, const FakeArgs& args) {
  const auto filters = read_filters(args, {"label", "label!", "all"});
  if (!filters) return filters.error();
  // Since API 1.42 only anonymous ones, unless all=true.
  const bool all = !args.at_least(42) || passes(*filters, "all", "true") == filters->contains("all");
  Json names;
  std::erase_if(state.volumes, [&](const FakeVolume& volume) {
    if (!users_of(state, volume.name).empty() || !has_labels(volume.body["Labels"], *filters)) return false;
    if (!volume.body["Options"].is_null()) return false;  // as dockerd: those with options stay
    if (args.at_least(42) && !(filters->contains("all") && all) && !volume.anonymous) return false;
    names.push(volume.name);
    emit(state, volume, "destroy");
    return true;
  });
  return answer(200, Json::object({{"VolumesDeleted", std::move(names)}, {"SpaceReclaimed", 0}}));
}

// MountPoint as inspect prints it.
Json mount_json(std::string_view type, std::string_view source, std::string_view target, std::string_view mode,
                bool writable) {
  Json mount = Json::object({{"Type", type}});
  if (type == "volume") mount.set("Name", source);
  put(mount, {{"Source", type == "volume" ? mountpoint_of(source) : std::string(source)}, {"Destination", target}});
  if (type == "volume") mount.set("Driver", "local");
  return with(std::move(mount), {{"Mode", mode}, {"RW", writable}, {"Propagation", type == "bind" ? "rprivate" : ""}});
}

bool mounted(const FakeContainer& container, std::string_view target) {
  return std::ranges::any_of(container.mounts,
                             [&](const Json& mount) { return mount["Destination"].text() == target; });
}

// "source:target[:mode]".
std::optional<FakeReply> add_bind(FakeState& state, std::string_view text, FakeContainer& container) {
  const auto parts = split(text, ':');
  const auto broken = [&](std::string_view why) {
    return refuse(500, fmt::format("invalid volume specification: '{}'{}", text, why));
  };
  if (parts.size() < 2 || parts.size() > 3) return broken("");
  if (!parts[1].starts_with('/'))
    return broken(
        fmt::format(": invalid mount config for type \"{}\": invalid mount path: '{}' mount path must be absolute",
                    parts[0].starts_with('/') ? "bind" : "volume", parts[1]));
  const bool is_volume = !parts[0].starts_with('/');
  const std::string_view mode = parts.size() == 3 ? parts[2] : is_volume ? "z" : "";
  const auto options = split(mode, ',');
  const bool writable = std::ranges::find(options, "ro") == options.end();
  if (mounted(container, parts[1])) return refuse(400, fmt::format("Duplicate mount point: {}", parts[1]));
  if (is_volume) {
    if (auto refusal = check_name(parts[0])) return refusal;
    ensure_volume(state, parts[0], {}, false);
  }
  container.mounts.push_back(mount_json(is_volume ? "volume" : "bind", parts[0], parts[1], mode, writable));
  return std::nullopt;
}

void add_mount(FakeState& state, const Json& asked, FakeContainer& container) {
  const std::string_view type = asked["Type"].text();
  std::string source(asked["Source"].text());
  if (type == "volume") {
    const bool anonymous = source.empty();
    if (anonymous) source = state.new_id("volume");
    const Json& options = asked["VolumeOptions"];
    ensure_volume(state, source,
                  Json::object({{"Labels", options["Labels"]}, {"DriverOpts", options["DriverConfig"]["Options"]}}),
                  anonymous);
  }
  Json mount =
      mount_json(type, source, asked["Target"].text(), type == "volume" ? "z" : "", !asked["ReadOnly"].boolean());
  if (const std::string_view how = asked["BindOptions"]["Propagation"].text(); !how.empty())
    mount.set("Propagation", how);
  container.mounts.push_back(std::move(mount));
}

std::optional<FakeReply> add_from(FakeState& state, std::string_view text, FakeContainer& container) {
  const Cut parts = cut(text, ':');
  const FakeContainer* other = state.find_container(parts.before);
  if (!other) return refuse(400, fmt::format("No such container: {}", parts.before));
  for (Json mount : other->mounts) {
    mount.set("Mode", parts.after);
    if (parts.after == "ro") mount.set("RW", false);
    container.mounts.push_back(std::move(mount));
  }
  return std::nullopt;
}

}  // namespace

FakeVolume& ensure_volume(FakeState& state, std::string_view name, const Json& body, bool anonymous) {
  FakeVolume* volume = state.find_volume(name);
  if (!volume) {
    volume = &state.volumes.emplace_back(FakeVolume{.name = std::string(name), .created = state.tick()});
    volume->anonymous = anonymous;
    const Json& options = body["DriverOpts"];
    volume->body = Json::object({{"CreatedAt", time_text(volume->created / 1'000'000'000 * 1'000'000'000)},
                                 {"Driver", "local"},
                                 {"Labels", body["Labels"]},
                                 {"Mountpoint", mountpoint_of(name)},
                                 {"Name", name},
                                 {"Options", options.size() > 0 ? options : Json()},
                                 {"Scope", "local"}});
  }
  emit(state, *volume, "create");  // the engine tells it of one that exists too
  return *volume;
}

std::optional<FakeReply> plan_mounts(FakeState& state, const Json& body, FakeContainer& container) {
  const Json& host = body["HostConfig"];
  for (const Json& from : host["VolumesFrom"].items())
    if (auto refusal = add_from(state, from.text(), container)) return refusal;
  for (const Json& bind : host["Binds"].items())
    if (auto refusal = add_bind(state, bind.text(), container)) return refusal;
  for (const Json& mount : host["Mounts"].items()) {
    if (mounted(container, mount["Target"].text()))
      return refuse(400, fmt::format("Duplicate mount point: {}", mount["Target"].text()));
    add_mount(state, mount, container);
  }
  for (const auto& [target, empty] : container.config["Volumes"].members()) {
    if (mounted(container, target)) continue;
    const std::string name = state.new_id("volume");
    ensure_volume(state, name, {}, true);
    container.mounts.push_back(mount_json("volume", name, target, "", true));
  }
  return std::nullopt;
}

const std::vector<FakeRoute>& volume_routes() {
  static const std::vector<FakeRoute> routes{
      {"GET", "/volumes", list},       {"POST", "/volumes/create", create}, {"POST", "/volumes/prune", prune},
      {"GET", "/volumes/{}", inspect}, {"DELETE", "/volumes/{}", remove},
  };
  return routes;
}

}  // namespace berth::testing
