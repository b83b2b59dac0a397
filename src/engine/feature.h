// Docker Engine API versions: which one to speak, and what each brought. Pure; the one place that knows them.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::engine {

/// "1.41" as numbers.
struct ApiVersion {
  int major = 0;
  int minor = 0;
  friend auto operator<=>(const ApiVersion&, const ApiVersion&) = default;
  std::string text() const;
};
/// "1.41" exactly (no sign, no space, no leading zero); Code::invalid otherwise.
Result<ApiVersion> parse_api_version(std::string_view text);

/// What we speak at least and at most.
inline constexpr ApiVersion kOldestApi{1, 24};
inline constexpr ApiVersion kNewestApi{1, 48};

/// What an engine says of itself: the Api-Version header of /_ping, and MinAPIVersion of /version where known.
struct EngineRange {
  ApiVersion newest;
  ApiVersion oldest{1, 12};
};
/// The newest version that both sides speak. Code::unavailable says who is too old: the engine (newest below ours
/// oldest) or berth (the engine's oldest above our newest), and what to do.
Result<ApiVersion> negotiate(const EngineRange& engine);
/// The least version from an engine's refusal ("client version 1.24 is too old. Minimum supported API version
/// is 1.44"), or the newest from "client version 1.55 is too new. Maximum supported API version is 1.41".
Result<EngineRange> range_from_refusal(std::string_view message, ApiVersion asked);

enum class Feature {
  exec_environment,            ///< Env at exec create
  stop_timeout_in_config,      ///< Config.StopTimeout at create
  build_cache_from,            ///< cachefrom of a classic build
  container_init,              ///< HostConfig.Init
  build_target,                ///< target of a classic build
  exec_working_dir,            ///< WorkingDir at exec create
  healthcheck_start_period,    ///< Healthcheck.StartPeriod
  recursive_bind_readonly,     ///< BindOptions.ReadOnlyNonRecursive / ReadOnlyForceRecursive
  wait_condition,              ///< condition of POST /containers/ID/wait
  bind_non_recursive,          ///< BindOptions.NonRecursive
  create_platform,             ///< platform of POST /containers/create
  image_platform,              ///< platform of pull and build
  cgroup_namespace,            ///< HostConfig.CgroupnsMode
  bind_create_mountpoint,      ///< BindOptions.CreateMountpoint
  container_annotations,       ///< HostConfig.Annotations
  healthcheck_start_interval,  ///< Healthcheck.StartInterval
  endpoints_at_create,         ///< several networks at container create
  endpoint_mac_address,        ///< MacAddress per endpoint
  volume_subpath,              ///< VolumeOptions.Subpath
  endpoint_driver_options,     ///< EndpointSettings.DriverOpts honoured at create
  endpoint_gateway_priority,   ///< EndpointSettings.GwPriority
  network_enable_ipv4,         ///< EnableIPv4 of a network
};
/// The first version that has it.
ApiVersion since(Feature feature);
/// "a health check's start interval": for messages.
std::string_view name_of(Feature feature);
inline bool has(ApiVersion version, Feature feature) {
  return version >= since(feature);
}

}  // namespace berth::engine
