#include <charconv>
#include <set>

#include "base/hash.h"
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

// One secret or config of a service: which, what it says, where it goes.
struct Grant {
  std::string_view kind;  ///< "secrets", "configs"
  const Json& item;
  const Json& declaration;
  std::string target;
};

std::string target_of(std::string_view kind, const Json& item) {
  std::string target(item["target"].text());
  if (target.starts_with('/')) return target;
  const std::string name = target.empty() ? std::string(item["source"].text()) : target;
  return (kind == "secrets" ? "/run/secrets/" : "/") + name;
}

// "0440" or 288
int mode_of(const Json& mode) {
  if (mode.is_number()) return static_cast<int>(mode.integer());
  const std::string_view text = mode.text("0444");
  int value = 0444;
  std::from_chars(text.data(), text.data() + text.size(), value, 8);
  return value;
}

bool asks_for_owner(const Json& item) {
  return !item["uid"].is_empty() || !item["gid"].is_empty() || !item["mode"].is_empty();
}

void mount_file(Draft& draft, const Grant& grant) {
  if (asks_for_owner(grant.item))
    draft.request.warnings.push_back("service \"" + draft.input.service.name + "\": uid, gid and mode of \"" +
                                     grant.target + "\" are those of its file on the host");
  draft.host.slot("Mounts").push(Json::object(
      {{"Type", "bind"}, {"Source", grant.declaration["file"]}, {"Target", grant.target}, {"ReadOnly", true}}));
}

Result<std::string> content_of(const Draft& draft, const Grant& grant) {
  const Json& content = grant.declaration["content"];
  if (content.is_text()) return std::string(content.text());
  const std::string variable(grant.declaration["environment"].text());
  const auto found = draft.input.project.environment.find(variable);
  const std::string name(grant.item["source"].text());
  if (variable.empty()) return complain(draft, grant.kind, '"' + name + "\" has neither file, environment nor content");
  if (found == draft.input.project.environment.end())
    return complain(draft, grant.kind,
                    '"' + name + "\" takes its value from the variable " + variable + ", which is not set");
  return found->second;
}

Result<void> copy_file(Draft& draft, const Grant& grant) {
  if (draft.config["read_only"].boolean())
    return complain(
        draft, grant.kind,
        '"' + grant.target + "\" cannot be copied into a container with read_only: true; give it as a file");
  draft.request.files.push_back({.target = grant.target,
                                 .content = TRY(content_of(draft, grant)),
                                 .mode = mode_of(grant.item["mode"]),
                                 .uid = std::string(grant.item["uid"].text()),
                                 .gid = std::string(grant.item["gid"].text())});
  return {};
}

Result<void> add_grant(Draft& draft, std::string_view kind, const Json& declared, const Json& item) {
  const std::string name(item["source"].text());
  if (!declared.contains(name))
    return complain(draft, kind, '"' + name + "\" is declared nowhere; add it to " + std::string(kind) + ':');
  const Grant grant{.kind = kind, .item = item, .declaration = declared[name], .target = target_of(kind, item)};
  if (is_external(grant.declaration))
    return complain(draft, kind, '"' + name + "\" is external, which an engine outside of Swarm mode does not know");
  if (!grant.declaration["file"].is_empty()) {
    mount_file(draft, grant);
    return {};
  }
  return copy_file(draft, grant);
}

// A tmpfs comes up empty over what was copied below it.
void warn_of_hidden_files(Draft& draft) {
  std::vector<std::string> covers;
  for (const auto& member : draft.host["Tmpfs"].members()) covers.push_back(member.first);
  for (const Json& mount : draft.host["Mounts"].items())
    if (mount["Type"].text() == "tmpfs") covers.emplace_back(mount["Target"].text());
  for (const plan::CopiedFile& file : draft.request.files)
    for (const std::string& cover : covers)
      if (file.target.starts_with(cover + '/'))
        draft.request.warnings.push_back("service \"" + draft.input.service.name + "\": \"" + file.target +
                                         "\" is copied in and then hidden by the tmpfs at " + cover +
                                         "; give it as a file");
}

// So that a new value is seen, without a word about the old one: digests under a key that both sides can compute.
void add_content_label(Draft& draft) {
  if (draft.request.files.empty()) return;
  const std::string key = draft.input.project.name + '\n' + draft.input.service.name;
  Json digests = Json::object();
  for (const plan::CopiedFile& file : draft.request.files) {
    const std::string owner = std::to_string(file.mode) + ' ' + file.uid + ' ' + file.gid;
    digests.set(file.target, hmac_sha256_hex(key + '\n' + file.target + '\n' + owner, file.content).substr(0, 32));
  }
  draft.request.desired.slot("Labels").set(plan::label::kContent, digests.canonical());
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

Result<void> add_files(Draft& draft) {
  for (const Json& item : draft.config["secrets"].items())
    TRY(add_grant(draft, "secrets", draft.input.project.secrets, item));
  for (const Json& item : draft.config["configs"].items())
    TRY(add_grant(draft, "configs", draft.input.project.configs, item));
  add_content_label(draft);
  warn_of_hidden_files(draft);
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
