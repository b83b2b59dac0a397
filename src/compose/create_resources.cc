#include <array>
#include <cmath>

#include "compose/create_parts.h"

namespace berth::compose::detail {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kSizes = {
    {{"mem_limit", "Memory"},
     {"mem_reservation", "MemoryReservation"},
     {"memswap_limit", "MemorySwap"},
     {"shm_size", "ShmSize"}}};
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kSame = {
    {{"cpu_count", "CpuCount"},
     {"cpu_percent", "CpuPercent"},
     {"cpu_quota", "CpuQuota"},
     {"cpu_period", "CpuPeriod"},
     {"cpu_shares", "CpuShares"},
     {"cpuset", "CpusetCpus"},
     {"pids_limit", "PidsLimit"},
     {"oom_kill_disable", "OomKillDisable"},
     {"cpu_rt_runtime", "CpuRealtimeRuntime"}}};
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kRates = {
    {{"device_read_bps", "BlkioDeviceReadBps"},
     {"device_write_bps", "BlkioDeviceWriteBps"},
     {"device_read_iops", "BlkioDeviceReadIOps"},
     {"device_write_iops", "BlkioDeviceWriteIOps"}}};

Result<std::int64_t> nano_cpus(const Draft& draft, std::string_view attribute, const Json& value) {
  return std::llround(TRY(number_of(draft, attribute, value)) * 1e9);
}

Result<void> add_deploy(Draft& draft) {
  const Json& resources = draft.config["deploy"]["resources"];
  const Json& limits = resources["limits"];
  put(draft.host, "NanoCpus", TRY(nano_cpus(draft, "deploy.resources.limits.cpus", limits["cpus"])));
  put(draft.host, "Memory", TRY(bytes_of(draft, "deploy.resources.limits.memory", limits["memory"])));
  put(draft.host, "PidsLimit", limits["pids"]);
  put(draft.host, "MemoryReservation",
      TRY(bytes_of(draft, "deploy.resources.reservations.memory", resources["reservations"]["memory"])));
  return {};
}

void add_ulimits(Draft& draft) {
  Json out = Json::array();
  for (const auto& [name, value] : draft.config["ulimits"].members()) {
    const Json& single = value.is_object() ? value["single"] : value;
    const Json& soft = single.is_null() ? value["soft"] : single;
    const Json& hard = single.is_null() ? value["hard"] : single;
    out.push(Json::object({{"Name", name}, {"Soft", soft}, {"Hard", hard}}));
  }
  put(draft.host, "Ulimits", std::move(out));
}

void add_devices(Draft& draft) {
  Json out = Json::array();
  for (const Json& item : draft.config["devices"].items())
    out.push(Json::object({{"PathOnHost", item["source"]},
                           {"PathInContainer", item["target"].is_empty() ? item["source"] : item["target"]},
                           {"CgroupPermissions", item["permissions"].text("rwm")}}));
  put(draft.host, "Devices", std::move(out));
}

Json device_request(const Json& item, bool gpu) {
  Json capabilities = item["capabilities"].is_array() ? item["capabilities"] : Json::array();
  if (gpu) capabilities.push("gpu");
  Json out = Json::object();
  put(out, "Driver", item["driver"]);
  const Json& count = item["count"];
  if (count.text() == "all" || (count.is_null() && item["device_ids"].is_empty()))
    out.set("Count", -1);
  else
    put(out, "Count", count);
  put(out, "DeviceIDs", item["device_ids"]);
  out.set("Capabilities", Json::array({capabilities}));
  put(out, "Options", item["options"]);
  return out;
}

void add_device_requests(Draft& draft) {
  Json out = Json::array();
  for (const Json& item : draft.config["deploy"]["resources"]["reservations"]["devices"].items())
    out.push(device_request(item, false));
  for (const Json& item : draft.config["gpus"].items()) out.push(device_request(item, true));
  put(draft.host, "DeviceRequests", std::move(out));
}

const Json& either(const Json& object, std::string_view a, std::string_view b) {
  return object.contains(a) ? object[a] : object[b];
}

Result<void> add_block_io(Draft& draft) {
  const Json& io = draft.config["blkio_config"];
  put(draft.host, "BlkioWeight", io["weight"]);
  Json weights = Json::array();
  for (const Json& item : io["weight_device"].items())
    weights.push(Json::object({{"Path", either(item, "path", "Path")}, {"Weight", either(item, "weight", "Weight")}}));
  put(draft.host, "BlkioWeightDevice", std::move(weights));
  for (const auto& [attribute, key] : kRates) {
    Json rates = Json::array();
    for (const Json& item : io[attribute].items()) {
      const auto rate = TRY(bytes_of(draft, "blkio_config." + std::string(attribute), either(item, "rate", "Rate")));
      rates.push(Json::object({{"Path", either(item, "path", "Path")}, {"Rate", rate}}));
    }
    put(draft.host, key, std::move(rates));
  }
  return {};
}

}  // namespace

Result<void> add_resources(Draft& draft) {
  for (const auto& [attribute, key] : kSizes)
    put(draft.host, key, TRY(bytes_of(draft, attribute, draft.config[attribute])));
  for (const auto& [attribute, key] : kSame) put(draft.host, key, draft.config[attribute]);
  // 0 is a value of its own here: never swap.
  const Json& swappiness = draft.config["mem_swappiness"];
  if (!swappiness.is_null()) draft.host.set("MemorySwappiness", TRY(bytes_of(draft, "mem_swappiness", swappiness)));
  put(draft.host, "CpuRealtimePeriod", draft.config["cpu_rt_period"]);
  put(draft.host, "NanoCpus", TRY(nano_cpus(draft, "cpus", draft.config["cpus"])));
  add_ulimits(draft);
  add_devices(draft);
  add_device_requests(draft);
  TRY(add_block_io(draft));
  return add_deploy(draft);
}

}  // namespace berth::compose::detail
