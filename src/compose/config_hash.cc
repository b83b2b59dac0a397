#include "compose/config_hash.h"

#include <algorithm>
#include <charconv>
#include <span>

#include "base/hash.h"
#include "base/text.h"
#include "compose/load_rules.h"

namespace berth::compose {
namespace {

// Members in the order of Go's structs; objects at other places are maps, which Go sorts by key.
using Order = std::initializer_list<std::string_view>;
using Orders = PathRules<std::vector<std::string_view>>;

constexpr Order kMembers = {"profiles",
                            "annotations",
                            "attach",
                            "develop",
                            "blkio_config",
                            "cap_add",
                            "cap_drop",
                            "cgroup_parent",
                            "cgroup",
                            "cpu_count",
                            "cpu_percent",
                            "cpu_period",
                            "cpu_quota",
                            "cpu_rt_period",
                            "cpu_rt_runtime",
                            "cpus",
                            "cpuset",
                            "cpu_shares",
                            "command",
                            "configs",
                            "container_name",
                            "credential_spec",
                            "depends_on",
                            "deploy",
                            "device_cgroup_rules",
                            "devices",
                            "dns",
                            "dns_opt",
                            "dns_search",
                            "domainname",
                            "entrypoint",
                            "environment",
                            "env_file",
                            "expose",
                            "extends",
                            "external_links",
                            "extra_hosts",
                            "group_add",
                            "gpus",
                            "hostname",
                            "healthcheck",
                            "image",
                            "init",
                            "ipc",
                            "isolation",
                            "labels",
                            "links",
                            "logging",
                            "mem_limit",
                            "mem_reservation",
                            "memswap_limit",
                            "mem_swappiness",
                            "mac_address",
                            "network_mode",
                            "networks",
                            "oom_kill_disable",
                            "oom_score_adj",
                            "pid",
                            "pids_limit",
                            "platform",
                            "ports",
                            "privileged",
                            "read_only",
                            "restart",
                            "runtime",
                            "secrets",
                            "security_opt",
                            "shm_size",
                            "stdin_open",
                            "stop_grace_period",
                            "stop_signal",
                            "storage_opt",
                            "sysctls",
                            "tmpfs",
                            "tty",
                            "ulimits",
                            "user",
                            "userns_mode",
                            "uts",
                            "volumes",
                            "volumes_from",
                            "working_dir",
                            "post_start",
                            "pre_stop"};
constexpr Order kBlkio = {"weight",           "weight_device",    "device_read_bps",
                          "device_read_iops", "device_write_bps", "device_write_iops"};
constexpr Order kFile = {"source", "target", "uid", "gid", "mode"};
constexpr Order kUpdate = {"parallelism", "delay", "failure_action", "monitor", "max_failure_ratio", "order"};
constexpr Order kDeploy = {"mode",      "labels",         "update_config", "rollback_config",
                           "resources", "restart_policy", "placement",     "endpoint_mode"};
constexpr Order kResource = {"cpus", "memory", "pids", "devices", "generic_resources"};
constexpr Order kRequest = {"capabilities", "driver", "count", "device_ids", "options"};
constexpr Order kHealth = {"test", "timeout", "interval", "retries", "start_period", "start_interval", "disable"};
constexpr Order kNetwork = {"priority",       "aliases",     "ipv4_address", "ipv6_address",
                            "link_local_ips", "mac_address", "driver_opts"};
constexpr Order kPort = {"name", "mode", "host_ip", "target", "published", "protocol", "app_protocol"};
constexpr Order kVolume = {"type", "source", "target", "read_only", "consistency", "bind", "volume", "tmpfs"};
constexpr Order kHook = {"command", "user", "privileged", "working_dir", "environment"};

const Orders& orders() {
  static const Orders kOrders = {
      {"", kMembers},
      {"blkio_config", kBlkio},
      {"blkio_config.*.*", Order{"Path", "Rate", "Weight"}},
      {"configs.*", kFile},
      {"secrets.*", kFile},
      {"credential_spec", Order{"config", "file", "registry"}},
      {"depends_on.*", Order{"condition", "restart", "required"}},
      {"deploy", kDeploy},
      {"deploy.update_config", kUpdate},
      {"deploy.rollback_config", kUpdate},
      {"deploy.resources", Order{"limits", "reservations"}},
      {"deploy.resources.*", kResource},
      {"deploy.resources.*.devices.*", kRequest},
      {"deploy.resources.*.generic_resources.*.discrete_resource_spec", Order{"kind", "value"}},
      {"deploy.restart_policy", Order{"condition", "delay", "max_attempts", "window"}},
      {"deploy.placement", Order{"constraints", "preferences", "max_replicas_per_node"}},
      {"develop.watch.*", Order{"path", "action", "target", "exec", "ignore"}},
      {"develop.watch.*.exec", kHook},
      {"devices.*", Order{"source", "target", "permissions"}},
      {"env_file.*", Order{"path", "required", "format"}},
      {"gpus.*", kRequest},
      {"healthcheck", kHealth},
      {"logging", Order{"driver", "options"}},
      {"networks.*", kNetwork},
      {"ports.*", kPort},
      {"post_start.*", kHook},
      {"pre_stop.*", kHook},
      {"ulimits.*", Order{"soft", "hard"}},
      {"volumes.*", kVolume},
      {"volumes.*.bind", Order{"selinux", "propagation", "create_host_path", "recursive"}},
      {"volumes.*.volume", Order{"nocopy", "subpath"}},
      {"volumes.*.tmpfs", Order{"size", "mode"}}};
  return kOrders;
}

Json ordered(const Json& value, Orders::At at);

Json sorted_map(const Json& value, Orders::At at) {
  std::vector<const Json::Member*> members;
  for (const auto& member : value.members()) members.push_back(&member);
  std::ranges::sort(members, {}, [](const Json::Member* member) { return std::string_view(member->first); });
  Json out = Json::object();
  for (const auto* member : members)
    out.members_mut().emplace_back(member->first, ordered(member->second, at.below(member->first)));
  return out;
}

Json ordered(const Json& value, Orders::At at) {
  if (value.is_array()) {
    Json out = Json::array();
    for (const Json& item : value.items()) out.push(ordered(item, at.below("")));
    return out;
  }
  if (!value.is_object()) return value;
  const auto* order = at.rule();
  if (order == nullptr) return sorted_map(value, at);
  Json out = Json::object();
  const Json::Object& members = value.members();
  for (const std::string_view name : *order) {
    const auto found = std::ranges::find(members, name, &Json::Member::first);
    if (found != members.end()) out.members_mut().emplace_back(name, ordered(found->second, at.below(name)));
  }
  return out;
}

// The newer model writes file modes as octal text.
void write_modes(Json& service) {
  for (const std::string_view kind : {"secrets", "configs"}) {
    if (!service.contains(kind)) continue;
    for (Json& item : service.slot(kind).items_mut()) {
      const std::string_view text = item["mode"].text();
      int mode = 0;
      if (std::from_chars(text.data(), text.data() + text.size(), mode, 8).ec == std::errc() && !text.empty())
        item.set("mode", mode);
    }
  }
}

// The newer model leaves out create_host_path where it is true.
void write_host_paths(Json& service, const Json& extensions) {
  if (!service.contains("volumes")) return;
  std::size_t index = 0;
  for (Json& volume : service.slot("volumes").items_mut()) {
    const Json& implied = extensions["volumes"][std::to_string(index++)]["bind"][kImpliedKey];
    if (!volume.contains("bind")) continue;
    Json& bind = volume.slot("bind");
    if (bind["create_host_path"].is_null() && !implied.boolean())
      bind.set("create_host_path", true);
    else
      bind.erase("create_host_path");
  }
}

// A required file in the default format is its path alone.
void write_env_files(Json& service) {
  if (!service.contains("env_file")) return;
  for (Json& item : service.slot("env_file").items_mut()) {
    const bool required = item["required"].boolean(true);
    if (required && !item.contains("format"))
      item = Json(item["path"]);
    else
      item.set("required", required);
  }
}

// Names of services give way to ids of containers, as when the container is made.
void write_references(Json& service, const std::map<std::string, std::string>& containers) {
  for (const std::string_view space : {"network_mode", "ipc", "pid"}) {
    const std::string_view value = service[space].text();
    if (!value.starts_with("service:")) continue;
    const auto known = containers.find(std::string(value.substr(8)));
    if (known != containers.end()) service.set(space, "container:" + known->second);
  }
  if (!service.contains("volumes_from") || containers.empty()) return;
  for (Json& item : service.slot("volumes_from").items_mut()) {
    const auto parts = split(item.text(), ':');
    const auto known = containers.find(std::string(parts[0]));
    if (parts[0] == "container" && parts.size() > 1)
      item = Json(parts[1]);
    else if (known != containers.end())
      item = Json(known->second);
  }
}

// What Go escapes so that JSON may stand in HTML.
std::string escaped(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    const std::string_view rest = json.substr(i);
    if (rest[0] == '<')
      out += "\\u003c";
    else if (rest[0] == '>')
      out += "\\u003e";
    else if (rest[0] == '&')
      out += "\\u0026";
    else if (rest.starts_with("\xE2\x80\xA8") || rest.starts_with("\xE2\x80\xA9")) {
      out += rest[2] == '\xA8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += rest[0];
    }
  }
  return out;
}

}  // namespace

std::string config_hash_text(const Project& project, const Service& service,
                             const std::map<std::string, std::string>& containers) {
  Json config = service.config;
  write_modes(config);
  write_host_paths(config, project.extensions["services"][service.name]);
  write_env_files(config);
  write_references(config, containers);
  // Both are always there; a service of a test may lack them.
  for (const std::string_view name : {"command", "entrypoint"})
    if (!config.contains(name)) config.set(name, Json());
  return escaped(ordered(config, orders().root()).dump());
}

std::string config_hash(const Project& project, const Service& service,
                        const std::map<std::string, std::string>& containers) {
  return sha256_hex(config_hash_text(project, service, containers));
}

}  // namespace berth::compose
