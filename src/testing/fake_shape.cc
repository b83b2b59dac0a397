// The members of Config and HostConfig with their defaults, as dockerd prints them.
#include "testing/fake_route.h"

namespace berth::testing {
namespace {

// Always printed.
constexpr std::string_view kConfig = R"({"Hostname":"","Domainname":"","User":"","AttachStdin":false,
"AttachStdout":false,"AttachStderr":false,"Tty":false,"OpenStdin":false,"StdinOnce":false,"Env":null,"Cmd":null,
"Image":"","Volumes":null,"WorkingDir":"","Entrypoint":null,"OnBuild":null,"Labels":null})";
constexpr std::string_view kHost = R"({"Binds":null,"ContainerIDFile":"","LogConfig":{"Type":"json-file","Config":{}},
"NetworkMode":"default","PortBindings":null,"RestartPolicy":{"Name":"","MaximumRetryCount":0},"AutoRemove":false,
"VolumeDriver":"","VolumesFrom":null,"CapAdd":null,"CapDrop":null,"CgroupnsMode":"host","Dns":null,"DnsOptions":null,
"DnsSearch":null,"ExtraHosts":null,"GroupAdd":null,"IpcMode":"private","Cgroup":"","Links":null,"OomScoreAdj":0,
"PidMode":"","Privileged":false,"PublishAllPorts":false,"ReadonlyRootfs":false,"SecurityOpt":null,"UTSMode":"",
"UsernsMode":"","ShmSize":67108864,"ConsoleSize":[0,0],"Isolation":"","CpuShares":0,"Memory":0,"NanoCpus":0,
"CgroupParent":"","BlkioWeight":0,"BlkioWeightDevice":null,"BlkioDeviceReadBps":null,"BlkioDeviceWriteBps":null,
"BlkioDeviceReadIOps":null,"BlkioDeviceWriteIOps":null,"CpuPeriod":0,"CpuQuota":0,"CpuRealtimePeriod":0,
"CpuRealtimeRuntime":0,"CpusetCpus":"","CpusetMems":"","Devices":null,"DeviceCgroupRules":null,"DeviceRequests":null,
"KernelMemory":0,"KernelMemoryTCP":0,"MemoryReservation":0,"MemorySwap":0,"MemorySwappiness":null,
"OomKillDisable":false,"PidsLimit":null,"Ulimits":null,"CpuCount":0,"CpuPercent":0,"IOMaximumIOps":0,
"IOMaximumBandwidth":0,"MaskedPaths":["/proc/asound","/proc/acpi","/proc/kcore","/proc/keys","/proc/latency_stats",
"/proc/timer_list","/proc/timer_stats","/proc/sched_debug","/proc/scsi","/sys/firmware"],
"ReadonlyPaths":["/proc/bus","/proc/fs","/proc/irq","/proc/sys","/proc/sysrq-trigger"]})";
// Printed where they say something.
constexpr std::string_view kOptionalConfig[] = {"ExposedPorts", "Healthcheck", "ArgsEscaped", "NetworkDisabled",
                                                "MacAddress",   "StopSignal",  "StopTimeout", "Shell"};
constexpr std::string_view kOptionalHost[] = {"Mounts",  "Tmpfs",      "Sysctls",    "Init",
                                              "Runtime", "StorageOpt", "Annotations"};

const Json& shape(std::string_view text) {
  static std::map<std::string_view, Json> parsed;
  Json& json = parsed[text];
  if (json.is_null()) json = parse_json(text).value_or(Json::object());
  return json;
}

template <class Names>
Json overlay(Json shape, const Json& given, const Names& optional) {
  for (auto& [key, value] : shape.members_mut())
    if (!given[key].is_null()) value = given[key];
  for (const std::string_view key : optional)
    if (given.contains(key) && (!given[key].is_empty() || given[key].is_number() || key == "Init"))
      shape.set(key, given[key]);
  return shape;
}

Json complete_bindings(const Json& given) {
  if (!given.is_object()) return {};
  Json bindings = Json::object();
  for (const auto& [port, list] : given.members()) {
    Json complete = Json::array();
    for (const Json& item : list.items())
      complete.push(Json::object({{"HostIp", item["HostIp"].text()}, {"HostPort", item["HostPort"].text()}}));
    bindings.set(port, list.is_null() ? Json() : std::move(complete));
  }
  return bindings;
}

// False, 0 and "" are left out of what a mount was asked with.
Json complete_mounts(const Json& given) {
  Json mounts = Json::array();
  for (const Json& item : given.items()) {
    Json mount = Json::object();
    for (const auto& [key, value] : item.members())
      if (!value.is_empty() || value.is_object()) mount.set(key, value);
    mounts.push(std::move(mount));
  }
  return mounts;
}

void adapt_to_version(const FakeState& state, const Json& given, Json& host) {
  if (state.at_least(42)) {
    host.erase("KernelMemory");
    host.erase("KernelMemoryTCP");
  }
  if (state.at_least(44)) {  // on machines with cgroup v2, as those that run such engines
    if (given["CgroupnsMode"].text().empty()) host.set("CgroupnsMode", "private");
    if (given["OomKillDisable"].is_null()) host.set("OomKillDisable", nullptr);
  }
  if (!state.at_least(40)) host.erase("CgroupnsMode");
}

}  // namespace

Json image_config_defaults() {
  return shape(kConfig);
}

Json complete_config(const Json& given) {
  Json config = overlay(shape(kConfig), given, kOptionalConfig);
  if (config["Labels"].is_null()) config.set("Labels", Json::object());
  return config;
}

Json complete_host(const FakeState& state, const Json& given) {
  Json host = overlay(shape(kHost), given, kOptionalHost);
  const auto default_text = [&](std::string_view key, std::string_view text) {
    if (host[key].text().empty()) host.set(key, text);
  };
  default_text("NetworkMode", state.at_least(45) ? "bridge" : "default");
  default_text("IpcMode", "private");
  default_text("CgroupnsMode", "host");
  if (host["ShmSize"].integer() == 0) host.set("ShmSize", 64 << 20);
  if (host["PidsLimit"].integer() <= 0) host.set("PidsLimit", nullptr);
  if (host["Memory"].integer() > 0 && host["MemorySwap"].integer() == 0)
    host.set("MemorySwap", 2 * host["Memory"].integer());
  host.set("PortBindings", complete_bindings(given["PortBindings"]));
  if (host.contains("Mounts")) host.set("Mounts", complete_mounts(given["Mounts"]));
  Json& policy = host.slot("RestartPolicy");
  policy =
      Json::object({{"Name", policy["Name"].text()}, {"MaximumRetryCount", policy["MaximumRetryCount"].integer()}});
  Json& log = host.slot("LogConfig");
  log = Json::object({{"Type", log["Type"].text().empty() ? "json-file" : log["Type"].text()},
                      {"Config", log["Config"].is_object() ? log["Config"] : Json::object()}});
  if (host["Privileged"].boolean()) {
    put(host, {{"MaskedPaths", nullptr}, {"ReadonlyPaths", nullptr}});
    if (host["SecurityOpt"].size() == 0) host.set("SecurityOpt", Json::array({"label=disable"}));
  }
  adapt_to_version(state, given, host);
  return host;
}

}  // namespace berth::testing
