#include "engine/feature.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace berth::engine {
namespace {

struct Row {
  Feature feature;
  ApiVersion since;
  std::string_view name;
};

// From the published history of the Engine API.
constexpr auto kFeatures = std::to_array<Row>({
    {Feature::build_cache_from, {1, 25}, "cache sources of a build"},
    {Feature::exec_environment, {1, 25}, "environment variables of an exec"},
    {Feature::stop_timeout_in_config, {1, 25}, "a container's own stop timeout"},
    {Feature::container_init, {1, 25}, "an init process in a container"},
    {Feature::build_target, {1, 29}, "a build's target stage"},
    {Feature::healthcheck_start_period, {1, 29}, "a health check's start period"},
    {Feature::wait_condition, {1, 30}, "waiting for a condition other than not running"},
    {Feature::image_platform, {1, 32}, "the platform of a pull or build"},
    {Feature::exec_working_dir, {1, 35}, "the working directory of an exec"},
    {Feature::bind_non_recursive, {1, 40}, "a bind mount without its submounts"},
    {Feature::cgroup_namespace, {1, 41}, "a container's cgroup namespace mode"},
    {Feature::create_platform, {1, 41}, "the platform of a container"},
    {Feature::bind_create_mountpoint, {1, 42}, "creating the source of a bind mount"},
    {Feature::container_annotations, {1, 43}, "annotations of a container"},
    {Feature::healthcheck_start_interval, {1, 44}, "a health check's start interval"},
    {Feature::endpoints_at_create, {1, 44}, "several networks at a container's creation"},
    {Feature::endpoint_mac_address, {1, 44}, "a MAC address per network"},
    {Feature::recursive_bind_readonly, {1, 44}, "recursively read-only bind mounts"},
    {Feature::volume_subpath, {1, 45}, "mounting a folder of a volume"},
    {Feature::endpoint_driver_options, {1, 46}, "driver options of a network endpoint"},
    {Feature::network_enable_ipv4, {1, 47}, "a network without IPv4"},
    {Feature::endpoint_gateway_priority, {1, 48}, "gateway priorities of networks"},
});

const Row& row_of(Feature feature) {
  return *std::find_if(kFeatures.begin(), kFeatures.end(), [&](const Row& row) { return row.feature == feature; });
}

std::optional<int> parse_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool plain = !text.empty() && (text.size() == 1 || text.front() != '0') && text.size() <= 4;
  if (error != std::errc() || end != text.data() + text.size() || !plain || value < 0) return std::nullopt;
  return value;
}

// The version behind the last "`label` version is" or "`label` API version is" of a refusal.
std::optional<ApiVersion> version_after(std::string_view message, std::string_view label) {
  const std::size_t at = message.find(label);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = message.substr(at + label.size());
  rest.remove_prefix(std::min(rest.size(), rest.find_first_of("0123456789")));
  rest = rest.substr(0, rest.find_first_not_of("0123456789."));
  while (rest.ends_with('.')) rest.remove_suffix(1);
  const auto version = parse_api_version(rest);
  return version ? std::optional(*version) : std::nullopt;
}

}  // namespace

std::string ApiVersion::text() const {
  return std::to_string(major) + "." + std::to_string(minor);
}

Result<ApiVersion> parse_api_version(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot != std::string_view::npos) {
    const auto major = parse_number(text.substr(0, dot));
    const auto minor = parse_number(text.substr(dot + 1));
    if (major && minor) return ApiVersion{*major, *minor};
  }
  return fail(Code::invalid, "\"" + std::string(text) + "\" is not an API version like 1.41");
}

Result<ApiVersion> negotiate(const EngineRange& engine) {
  if (engine.newest < kOldestApi)
    return fail(Code::unavailable, "the engine is too old: it speaks API " + engine.newest.text() +
                                       " at most, berth needs " + kOldestApi.text() + "; upgrade the engine");
  if (engine.oldest > kNewestApi)
    return fail(Code::unavailable, "berth is too old for this engine: it speaks API " + engine.oldest.text() +
                                       " at least, berth " + kNewestApi.text() + " at most; upgrade berth");
  return std::min(engine.newest, kNewestApi);
}

Result<EngineRange> range_from_refusal(std::string_view message, ApiVersion asked) {
  if (const auto least = version_after(message, "Minimum supported API version is"))
    return EngineRange{.newest = std::max(*least, asked), .oldest = *least};
  if (const auto most = version_after(message, "Maximum supported API version is")) return EngineRange{.newest = *most};
  // Engines before 17.x: "client is newer than server (client API version: 1.47, server API version: 1.24)".
  if (const auto most = version_after(message, "server API version:")) return EngineRange{.newest = *most};
  return fail(Code::internal, "the engine refuses API " + asked.text() + ": " + std::string(message));
}

ApiVersion since(Feature feature) {
  return row_of(feature).since;
}
std::string_view name_of(Feature feature) {
  return row_of(feature).name;
}

}  // namespace berth::engine
