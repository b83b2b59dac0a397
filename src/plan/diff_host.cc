#include <algorithm>
#include <array>

#include "plan/diff_fields.h"

namespace berth::plan::detail {
namespace {

// Values whose zero is the engine's default; sorted.
constexpr std::array<std::string_view, 31> kPlain = {
    "AutoRemove",         "BlkioWeight",     "Cgroup",         "CgroupParent", "CgroupnsMode",
    "CpuCount",           "CpuPercent",      "CpuPeriod",      "CpuQuota",     "CpuRealtimePeriod",
    "CpuRealtimeRuntime", "CpuShares",       "CpusetCpus",     "CpusetMems",   "Dns",
    "DnsOptions",         "DnsSearch",       "Init",           "Isolation",    "Memory",
    "MemoryReservation",  "NanoCpus",        "OomKillDisable", "OomScoreAdj",  "PidMode",
    "Privileged",         "PublishAllPorts", "ReadonlyRootfs", "Runtime",      "UTSMode",
    "UsernsMode"};
static_assert(std::ranges::is_sorted(kPlain));
constexpr std::array<std::string_view, 3> kSets = {"GroupAdd", "ExtraHosts", "DeviceCgroupRules"};
constexpr std::array<std::string_view, 3> kMaps = {"Sysctls", "StorageOpt", "Annotations"};
constexpr std::array<std::string_view, 6> kLists = {"BlkioWeightDevice",    "BlkioDeviceReadBps",
                                                    "BlkioDeviceWriteBps",  "BlkioDeviceReadIOps",
                                                    "BlkioDeviceWriteIOps", "DeviceRequests"};

std::string path(std::string_view key) {
  return "HostConfig." + std::string(key);
}

void put_set(Fields& fields, std::string_view key, const Json& list) {
  if (!list.is_empty()) put(fields, path(key), sorted_texts(list));
}

std::string capability(std::string_view text) {
  std::string name;
  for (const char c : text) name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (name.starts_with("CAP_")) name.erase(0, 4);
  return name;
}

void add_capabilities(const Json& host, Fields& fields) {
  for (const std::string_view key : {"CapAdd", "CapDrop"}) {
    Json names = Json::array();
    for (const Json& item : host[key].items()) names.push(capability(item.text()));
    put_set(fields, key, names);
  }
}

// "no-new-privileges:true" and "no-new-privileges=true" and "no-new-privileges" are one.
std::string security_option(std::string_view text) {
  std::string option(text);
  const std::size_t colon = option.find_first_of(":=");
  if (colon != std::string::npos) option[colon] = '=';
  return option == "no-new-privileges" ? "no-new-privileges=true" : option;
}

void add_security(const Shape& shape, Fields& fields) {
  const Json& host = shape.host;
  const bool shares = host["Privileged"].boolean() || host["PidMode"].text() == "host" ||
                      host["IpcMode"].text() == "host" || host["IpcMode"].text().starts_with("container:");
  Json options = Json::array();
  for (const Json& item : host["SecurityOpt"].items()) {
    const std::string option = security_option(item.text());
    // The engine adds this one itself to containers that share the host's namespaces.
    if (!(shares && option == "label=disable")) options.push(option);
  }
  put_set(fields, "SecurityOpt", options);
}

void add_memory(const Json& host, Fields& fields) {
  const Json& swap = host["MemorySwap"];
  if (swap.integer() != 2 * host["Memory"].integer()) put(fields, path("MemorySwap"), swap);
  const Json& swappiness = host["MemorySwappiness"];
  if (!swappiness.is_null() && swappiness.integer() != -1) fields[path("MemorySwappiness")] = swappiness;
  if (host["PidsLimit"].integer() > 0) fields[path("PidsLimit")] = host["PidsLimit"];
  if (host["ShmSize"].integer() != 64 << 20) put(fields, path("ShmSize"), host["ShmSize"]);
}

void add_restart(const Json& host, Fields& fields) {
  std::string policy(host["RestartPolicy"]["Name"].text());
  const std::int64_t most = host["RestartPolicy"]["MaximumRetryCount"].integer();
  if (policy == "on-failure" && most > 0) policy += ':' + std::to_string(most);
  if (policy != "no") put(fields, path("RestartPolicy"), policy);
}

void add_logging(const Json& host, Fields& fields) {
  const Json& logging = host["LogConfig"];
  put(fields, path("LogConfig.Type"), logging["Type"]);
  for (const auto& [key, value] : logging["Config"].members()) put(fields, path("LogConfig.Config." + key), value);
}

void add_limits_and_devices(const Json& host, Fields& fields) {
  for (const Json& limit : host["Ulimits"].items())
    fields[path("Ulimits." + std::string(limit["Name"].text()))] =
        std::to_string(limit["Soft"].integer()) + ':' + std::to_string(limit["Hard"].integer());
  for (const Json& device : host["Devices"].items())
    fields[path("Devices." + std::string(device["PathInContainer"].text()))] =
        std::string(device["PathOnHost"].text()) + ':' + std::string(device["CgroupPermissions"].text("rwm"));
}

std::string binding(const Json& item) {
  const std::string_view port = item["HostPort"].text();
  return std::string(item["HostIp"].text()) + ':' + std::string(port == "0" ? "" : port);
}

void add_ports(const Json& host, Fields& fields) {
  for (const auto& [port, bindings] : host["PortBindings"].members()) {
    Json texts = Json::array();
    for (const Json& item : bindings.items()) texts.push(binding(item));
    std::sort(texts.items_mut().begin(), texts.items_mut().end(),
              [](const Json& a, const Json& b) { return a.text() < b.text(); });
    put(fields, path("PortBindings." + port), std::move(texts));
  }
}

void add_sources(const Json& host, Fields& fields) {
  Json texts = Json::array();
  for (const Json& item : host["VolumesFrom"].items()) {
    std::string_view source = item.text();
    if (source.ends_with(":rw")) source.remove_suffix(3);
    texts.push(source);
  }
  put_set(fields, "VolumesFrom", texts);
}

}  // namespace

void add_references(const Shape& shape, Fields& fields) {
  const Json& host = shape.host;
  if (!host["PidMode"].is_empty()) put(fields, path("PidMode"), host["PidMode"]);
  if (host["IpcMode"].text() != "private") put(fields, path("IpcMode"), host["IpcMode"]);
  put(fields, path("NetworkMode"), special_mode(host["NetworkMode"].text()));
  add_sources(host, fields);
}

void add_host(const Shape& shape, Fields& fields) {
  const Json& host = shape.host;
  for (const auto& [key, value] : host.members())
    if (!value.is_empty() && std::ranges::binary_search(kPlain, std::string_view(key))) put(fields, path(key), value);
  for (const std::string_view key : kSets) put_set(fields, key, host[key]);
  for (const std::string_view key : kLists)
    if (!host[key].is_empty()) put(fields, path(key), host[key]);
  for (const std::string_view key : kMaps)
    for (const auto& [name, value] : host[key].members()) fields[path(key) + '.' + name] = value;
  add_references(shape, fields);
  add_capabilities(host, fields);
  add_security(shape, fields);
  add_memory(host, fields);
  add_restart(host, fields);
  add_logging(host, fields);
  add_limits_and_devices(host, fields);
  add_ports(host, fields);
}

}  // namespace berth::plan::detail
