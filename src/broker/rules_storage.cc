// The rules about volumes, mounts and networks.
#include <algorithm>

#include "base/text.h"
#include "broker/bind.h"
#include "broker/operation.h"
#include "broker/rules.h"

namespace berth::broker::rule {
namespace {

void find(Findings& findings, std::string_view rule, std::string_view value, const std::string& where) {
  findings.push_back({std::string(rule), std::string(value), where});
}

// The text goes on in its one spelling.
void bind_source(Json& value, const std::string& where, Findings& findings) {
  if (auto path = canonical_path(value.text())) {
    value = *path;
    find(findings, "binds", *path, where);
  } else {
    find(findings, "bind-spelling", value.text().substr(0, 128), where);
  }
}

// tmpfs needs no device; every other file system of the local driver is something of the host or of another one.
bool is_tmpfs(const Json& options) {
  constexpr std::string_view kKnown[] = {"size", "uid", "gid", "mode", "nr_inodes", "nodev", "noexec", "nosuid", "ro"};
  if (options["type"].text() != "tmpfs") return false;
  if (const auto device = options["device"].text(); device != "tmpfs" && device != "none") return false;
  const auto parts = split(options["o"].text(), ',');
  return std::all_of(parts.begin(), parts.end(), [&](std::string_view part) {
    return part.empty() || std::find(std::begin(kKnown), std::end(kKnown), cut(part, '=').before) != std::end(kKnown);
  });
}

bool is_bind(const Json& options) {
  const std::string_view type = options["type"].text();
  if (type != "none" && !type.empty()) return false;
  const auto parts = split(options["o"].text(), ',');
  const auto allowed = [](std::string_view part) {
    return part == "bind" || part == "rbind" || part == "ro" || part == "rw" || part == "nodev" || part == "nosuid" ||
           part == "noexec";
  };
  return std::all_of(parts.begin(), parts.end(), allowed) &&
         std::any_of(parts.begin(), parts.end(), [](auto part) { return part == "bind" || part == "rbind"; });
}

bool is_local(std::string_view driver) {
  return driver.empty() || driver == "local";
}

constexpr std::string_view kNetworkOptions[] = {"com.docker.network.driver.mtu",
                                                "com.docker.network.bridge.enable_icc",
                                                "com.docker.network.bridge.enable_ip_masquerade",
                                                "com.docker.network.bridge.host_binding_ipv4",
                                                "com.docker.network.bridge.gateway_mode_ipv4",
                                                "com.docker.network.bridge.gateway_mode_ipv6",
                                                "com.docker.network.enable_ipv4",
                                                "com.docker.network.enable_ipv6",
                                                "encrypted"};

struct Range {
  std::string_view front;
  int bits;
};
// RFC 1918, 6598, 3927, 4193, and what is for examples and tests (5737, 2544, 3849).
constexpr Range kPrivate[] = {{"10.", 8},       {"192.168.", 16},    {"169.254.", 16},
                              {"192.0.2.", 24}, {"198.51.100.", 24}, {"203.0.113.", 24},
                              {"198.18.", 16},  {"198.19.", 16},     {"2001:db8:", 32}};

// Below 1000; -1 for any other text.
int small_number(std::string_view text) {
  if (text.empty() || text.size() > 3 || text.find_first_not_of("0123456789") != std::string_view::npos) return -1;
  int out = 0;
  for (const char c : text) out = out * 10 + (c - '0');
  return out;
}

// The host would send what is meant for such a subnet to the containers: of addresses that are others', it takes them
// away.
bool is_private(std::string_view subnet) {
  if (subnet.empty()) return true;
  const std::string text = lower(subnet);
  const Cut parts = cut(text, '/');
  const int bits = small_number(parts.after);
  for (const Range& each : kPrivate)
    if (parts.before.starts_with(each.front)) return bits >= each.bits;
  const bool unique = parts.before.starts_with("fc") || parts.before.starts_with("fd");
  if (unique && parts.before.find(':') == 4) return bits >= 8;
  const auto octets = split(parts.before, '.');
  const int second = octets.size() == 4 ? small_number(octets[1]) : -1;
  if (octets[0] == "172" && second >= 16 && second < 32) return bits >= 12;
  return octets[0] == "100" && second >= 64 && second < 128 && bits >= 10;
}

bool is_network_option(std::string_view name) {
  return std::find(std::begin(kNetworkOptions), std::end(kNetworkOptions), name) != std::end(kNetworkOptions);
}

}  // namespace

void volume_options(std::string_view driver, const Json& options, const std::string& where, Findings& findings) {
  if (!is_local(driver)) find(findings, "volume-driver", driver, where);
  const auto known = [](const Json::Member& member) {
    return member.first == "type" || member.first == "o" || member.first == "device" || member.first == "size";
  };
  const auto& members = options.members();
  if (members.empty() || is_tmpfs(options)) return;
  const auto device = canonical_path(options["device"].text());
  if (std::all_of(members.begin(), members.end(), known) && is_bind(options) && device) {
    find(findings, "binds", *device, where);
  } else if (options.size() != 1 || !options.contains("size")) {
    find(findings, "volume-options", options["type"].text(), where);
  }
}

void volume(Json& value, const std::string& where, Findings& findings) {
  if (const auto name = value["Name"].text(); !name.empty() && !is_name(name)) find(findings, "names", name, where);
  volume_options(value["Driver"].text(), value["DriverOpts"], where + "DriverOpts", findings);
  // What was judged is what is mounted: without a '/' at its end.
  if (auto device = canonical_path(value.at("DriverOpts.device").text()))
    value.slot("DriverOpts").set("device", *std::move(device));
}

void volume_driver(Json& value, const std::string& where, Findings& findings) {
  if (!is_local(value.text())) find(findings, "volume-driver", value.text(), where);
}

// "/host:/target" as a key would be a bind in some engines.
void container_volumes(Json& value, const std::string& where, Findings& findings) {
  for (const auto& [path, nothing] : value.members())
    if (!canonical_path(path) || path.contains(':')) find(findings, "bind-spelling", path.substr(0, 128), where);
}

void volumes_from(Json& value, const std::string& where, Findings& findings) {
  for (const Json& each : value.items()) find(findings, "volumes-from", cut(each.text(), ':').before, where);
}

// "/run": "size=1m,noexec": what else a mount can be told is no matter of a tmpfs.
void tmpfs(Json& value, const std::string& where, Findings& findings) {
  constexpr std::string_view kKnown[] = {
      "",         "rw",         "ro",       "exec",       "noexec",      "suid",          "nosuid",
      "dev",      "nodev",      "sync",     "async",      "defaults",    "atime",         "noatime",
      "diratime", "nodiratime", "relatime", "norelatime", "strictatime", "nostrictatime", "size",
      "mode",     "uid",        "gid",      "nr_inodes",  "nr_blocks",   "mpol"};
  for (const auto& [path, options] : value.members()) {
    if (!canonical_path(path)) find(findings, "bind-spelling", path.substr(0, 128), where);
    for (const std::string_view each : split(options.text(), ','))
      if (std::find(std::begin(kKnown), std::end(kKnown), cut(each, '=').before) == std::end(kKnown))
        find(findings, "mount-propagation", each.substr(0, 64), where);
  }
}

void binds(Json& value, const std::string& where, Findings& findings) {
  for (Json& each : value.items_mut()) {
    const auto bind = parse_bind(each.text());
    if (!bind) {
      find(findings, "bind-spelling", each.text().substr(0, 128), where);
      continue;
    }
    if (bind->is_path) find(findings, "binds", bind->source, where);
    if (propagates(bind->options)) find(findings, "mount-propagation", bind->options, where);
    each = bind->text();
  }
}

void mount(Json& value, const std::string& where, Findings& findings) {
  const std::string_view type = value["Type"].text();
  const std::string_view source = value["Source"].text();
  if (type == "bind") {
    bind_source(value.slot("Source"), where + "Source", findings);
  } else if (type == "volume") {
    if (!source.empty() && !is_name(source)) find(findings, "bind-spelling", source.substr(0, 128), where + "Source");
    const std::string inside = "VolumeOptions.DriverConfig.Options.device";
    volume_options(value.at("VolumeOptions.DriverConfig.Name").text(), value.at("VolumeOptions.DriverConfig.Options"),
                   where + "VolumeOptions.DriverConfig", findings);
    if (auto device = canonical_path(value.at(inside).text()))
      value.slot("VolumeOptions").slot("DriverConfig").slot("Options").set("device", *std::move(device));
  } else if (type == "tmpfs") {
    if (!source.empty()) find(findings, "bind-spelling", source.substr(0, 128), where + "Source");
  } else if (type != "image" || !is_image_name(source)) {
    find(findings, "mount-types", type, where + "Type");
  }
  if (propagates(value.at("BindOptions.Propagation").text()))
    find(findings, "mount-propagation", value.at("BindOptions.Propagation").text(), where + "BindOptions");
}

void mounts(Json& value, const std::string& where, Findings& findings) {
  for (std::size_t i = 0; i < value.size(); ++i)
    mount(value.items_mut()[i], where + "[" + std::to_string(i) + "].", findings);
}

void network(Json& value, const std::string& where, Findings& findings) {
  constexpr std::string_view kDrivers[] = {"", "bridge", "overlay", "default"};
  const std::string_view driver = value["Driver"].text();
  if (std::find(std::begin(kDrivers), std::end(kDrivers), driver) == std::end(kDrivers))
    find(findings, "network-driver", driver, where + "Driver");
  for (const auto& [name, text] : value["Options"].members())
    if (!is_network_option(name)) find(findings, "network-options", name, where + "Options");
  const std::string_view ipam = value.at("IPAM.Driver").text();
  if (!ipam.empty() && ipam != "default") find(findings, "network-driver", ipam, where + "IPAM.Driver");
  if (!value.at("IPAM.Options").is_empty()) find(findings, "network-options", "ipam", where + "IPAM.Options");
  if (value["Ingress"].boolean()) find(findings, "network-options", "ingress", where + "Ingress");
  for (const Json& each : value.at("IPAM.Config").items())
    if (const auto subnet = each["Subnet"].text(); !is_private(subnet))
      find(findings, "network-options", subnet.substr(0, 64), where + "IPAM.Config");
  if (!is_name(value["Name"].text())) find(findings, "names", value["Name"].text().substr(0, 64), where + "Name");
}

void endpoints(Json& value, const std::string& where, Findings& findings) {
  for (const auto& [name, endpoint] : value.members()) {
    if (name == "host") find(findings, "host-network", name, where);
    if (name != "host" && !is_name(name)) find(findings, "names", name.substr(0, 64), where);
  }
}

void endpoint_options(Json& value, const std::string& where, Findings& findings) {
  for (const auto& [name, text] : value.members())
    if (!name.starts_with("com.docker.network.endpoint.")) find(findings, "network-options", name, where);
}

}  // namespace berth::broker::rule
