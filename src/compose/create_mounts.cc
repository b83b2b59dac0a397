#include <set>

#include "base/text.h"
#include "compose/create_parts.h"
#include "plan/diff.h"

namespace berth::compose {
namespace detail {
namespace {

// The raw form, which creates a missing folder on the host; it cannot say everything.
bool fits_bind_text(const Json& volume) {
  const Json& bind = volume["bind"];
  const bool colon = volume["source"].text().find(':') != std::string_view::npos ||
                     volume["target"].text().find(':') != std::string_view::npos;
  return bind["create_host_path"].boolean(true) && bind["recursive"].is_empty() && !colon;
}

std::string bind_text(const Json& volume) {
  std::string options;
  const auto add = [&](std::string_view option) {
    if (!option.empty()) options += (options.empty() ? "" : ",") + std::string(option);
  };
  add(volume["read_only"].boolean() ? "ro" : "rw");
  add(volume["bind"]["selinux"].text());
  add(volume["bind"]["propagation"].text());
  return std::string(volume["source"].text()) + ':' + std::string(volume["target"].text()) + ':' + options;
}

Json mount_of(const Json& volume) {
  Json mount = Json::object({{"Type", volume["type"]}, {"Source", volume["source"]}, {"Target", volume["target"]}});
  put(mount, "ReadOnly", volume["read_only"]);
  put(mount, "Consistency", volume["consistency"]);
  return mount;
}

Json bind_mount(Draft& draft, const Json& volume) {
  Json mount = mount_of(volume);
  Json options = Json::object();
  put(options, "Propagation", volume["bind"]["propagation"]);
  const std::string_view recursive = volume["bind"]["recursive"].text();
  if (recursive == "disabled") options.set("NonRecursive", true);
  if ((recursive == "writable" || recursive == "readonly") &&
      may(draft, "volumes", engine::Feature::recursive_bind_readonly))
    options.set(recursive == "writable" ? "ReadOnlyNonRecursive" : "ReadOnlyForceRecursive", true);
  put(mount, "BindOptions", std::move(options));
  return mount;
}

// An engine that cannot do it says so itself.
Json image_mount(const Json& volume) {
  Json mount = mount_of(volume);
  Json options = Json::object();
  put(options, "Subpath", volume["image"]["subpath"]);
  put(mount, "ImageOptions", std::move(options));
  return mount;
}

Result<Json> volume_mount(const Draft& draft, const Json& volume) {
  const Project& project = draft.input.project;
  const std::string_view source = volume["source"].text();
  Json mount = Json::object({{"Type", "volume"}});
  if (!source.empty()) {
    if (!project.volumes.contains(source))
      return complain(draft, "volumes",
                      "volume \"" + std::string(source) + "\" is declared nowhere; add it to volumes:");
    mount.set("Source", volume_name(project, source));
  }
  mount.set("Target", volume["target"]);
  put(mount, "ReadOnly", volume["read_only"]);
  Json options = Json::object();
  put(options, "NoCopy", volume["volume"]["nocopy"]);
  put(options, "Subpath", volume["volume"]["subpath"]);
  put(options, "Labels", volume["volume"]["labels"]);
  if (options.contains("Subpath") && !engine::has(draft.input.version, engine::Feature::volume_subpath))
    return complain(draft, "volumes", "this engine cannot mount a part of a volume (subpath)");
  put(mount, "VolumeOptions", std::move(options));
  return mount;
}

Result<Json> tmpfs_mount(const Draft& draft, const Json& volume) {
  Json mount = Json::object({{"Type", "tmpfs"}, {"Target", volume["target"]}});
  put(mount, "ReadOnly", volume["read_only"]);
  Json options = Json::object();
  put(options, "SizeBytes", TRY(bytes_of(draft, "volumes", volume["tmpfs"]["size"])));
  put(options, "Mode", volume["tmpfs"]["mode"]);
  put(mount, "TmpfsOptions", std::move(options));
  return mount;
}

Result<void> add_volume(Draft& draft, const Json& volume) {
  const std::string_view type = volume["type"].text();
  if (type == "bind" && fits_bind_text(volume))
    draft.host.slot("Binds").push(bind_text(volume));
  else if (type == "bind")
    draft.host.slot("Mounts").push(bind_mount(draft, volume));
  else if (type == "volume")
    draft.host.slot("Mounts").push(TRY(volume_mount(draft, volume)));
  else if (type == "tmpfs")
    draft.host.slot("Mounts").push(TRY(tmpfs_mount(draft, volume)));
  else if (type == "image")
    draft.host.slot("Mounts").push(image_mount(volume));
  else if (type == "npipe" || type == "cluster")
    draft.host.slot("Mounts").push(mount_of(volume));
  else
    return complain(draft, "volumes", "a volume of type \"" + std::string(type) + "\" cannot be mounted here");
  return {};
}

}  // namespace

Result<void> add_mounts(Draft& draft) {
  for (const Json& volume : draft.config["volumes"].items()) TRY(add_volume(draft, volume));
  // The socket alone: whoever holds it needs no further credentials of ours.
  if (draft.config["use_api_socket"].boolean())
    draft.host.slot("Binds").push("/var/run/docker.sock:/var/run/docker.sock:rw");
  for (const Json& item : draft.config["tmpfs"].items()) {
    const auto [target, options, found] = cut(item.text(), ':');
    draft.host.slot("Tmpfs").set(target, options);
  }
  return {};
}

}  // namespace detail

void inherit_volumes(Json& body, const plan::Container& old) {
  std::set<std::string_view> mounted;
  const Json& host = body["HostConfig"];
  for (const Json& bind : host["Binds"].items()) {
    const auto parts = split(bind.text(), ':');
    if (parts.size() > 1) mounted.insert(parts[1]);
  }
  for (const auto& member : host["Tmpfs"].members()) mounted.insert(member.first);
  for (const Json& mount : host["Mounts"].items())
    if (!mount["Source"].is_empty() || mount["Type"].text() != "volume") mounted.insert(mount["Target"].text());
  Json kept = Json::array();
  std::set<std::string_view> inherited;
  for (const plan::Mount& mount : old.mounts) {
    if (mount.type != "volume" || !plan::is_generated_name(mount.name) || mounted.contains(mount.target)) continue;
    inherited.insert(mount.target);
    kept.push(Json::object({{"Type", "volume"}, {"Source", mount.name}, {"Target", mount.target}}));
  }
  if (inherited.empty()) return;
  for (const Json& mount : host["Mounts"].items())
    if (!inherited.contains(mount["Target"].text())) kept.push(mount);
  body.slot("HostConfig").set("Mounts", std::move(kept));
}

}  // namespace berth::compose
