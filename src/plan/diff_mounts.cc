#include "base/text.h"
#include "plan/diff_fields.h"

namespace berth::plan {

bool is_generated_name(std::string_view name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

namespace detail {
namespace {

using Mounts = std::map<std::string, Json>;  // by target

std::string clean(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return std::string(path);
}

// One text of HostConfig.Binds: SOURCE:TARGET[:OPTION,OPTION].
void add_bind(std::string_view text, Mounts& mounts) {
  const auto parts = split(text, ':');
  if (parts.size() < 2) return;
  const bool path = parts[0].starts_with('/') || parts[0].starts_with('\\') || parts[0].starts_with('~');
  Json mount = Json::object({{"Type", path ? "bind" : "volume"}, {"Source", clean(parts[0])}});
  if (parts.size() > 2)
    for (const std::string_view option : split(parts[2], ',')) {
      if (option == "ro") mount.set("ReadOnly", true);
      if (option == "nocopy") mount.set("NoCopy", true);
      if (option == "z" || option == "Z") mount.set("SELinux", option);
      if (option.ends_with("shared") || option.ends_with("slave") || option == "private")
        mount.set("Propagation", option);
    }
  mounts.insert_or_assign(clean(parts[1]), std::move(mount));
}

// One object of HostConfig.Mounts.
void add_mount(const Json& item, Mounts& mounts) {
  const std::string_view type = item["Type"].text();
  Json mount = Json::object({{"Type", type}});
  const std::string source = clean(item["Source"].text());
  const bool anonymous = type == "volume" && (source.empty() || is_generated_name(source));
  if (!source.empty() && !anonymous) mount.set("Source", source);
  const auto keep = [&](std::string_view name, const Json& value) {
    if (!value.is_empty()) mount.set(name, value);
  };
  keep("ReadOnly", item["ReadOnly"]);
  const Json& bind = item["BindOptions"];
  if (bind["Propagation"].text() != "rprivate") keep("Propagation", bind["Propagation"]);
  keep("NonRecursive", bind["NonRecursive"]);
  const Json& volume = item["VolumeOptions"];
  for (const std::string_view key : {"NoCopy", "Subpath", "DriverConfig"}) keep(key, volume[key]);
  for (const auto& [name, value] : volume["Labels"].members())
    if (!name.starts_with("com.docker.compose.") && !name.starts_with("com.docker.volume."))
      keep("Label." + name, value);
  keep("SizeBytes", item["TmpfsOptions"]["SizeBytes"]);
  keep("Mode", item["TmpfsOptions"]["Mode"]);
  mounts.insert_or_assign(clean(item["Target"].text()), std::move(mount));
}

}  // namespace

void add_mounts(const Shape& shape, Fields& fields) {
  Mounts mounts;
  for (const auto& member : shape.config["Volumes"].members())
    mounts.insert_or_assign(clean(member.first), Json::object({{"Type", "volume"}}));
  for (const auto& [target, options] : shape.host["Tmpfs"].members())
    mounts.insert_or_assign(clean(target), Json::object({{"Type", "tmpfs"}, {"Options", options}}));
  for (const Json& item : shape.host["Mounts"].items()) add_mount(item, mounts);
  for (const Json& item : shape.host["Binds"].items()) add_bind(item.text(), mounts);
  const Json anonymous = Json::object({{"Type", "volume"}});
  for (auto& [target, mount] : mounts) {
    // An image's own volume is there whether or not it was asked for.
    if (mount == anonymous && shape.image["Volumes"].contains(target)) continue;
    fields["Mounts." + target] = std::move(mount);
  }
}

}  // namespace detail
}  // namespace berth::plan
