#include "engine/build_request.h"

#include "base/text.h"

namespace berth::engine {
namespace {

// From the published history of the Engine API: version=2 of a build, and shmsize and ulimits with it.
constexpr ApiVersion kBuildkit{1, 39};
constexpr ApiVersion kLimits{1, 42};

Json object_of(const std::map<std::string, std::string>& map) {
  Json json = Json::object();
  for (const auto& [name, value] : map) json.set(name, value);
  return json;
}

// BuildKit runs steps in its own network, in none or in the host's.
bool is_network_by_name(const std::string& network) {
  return !network.empty() && network != "default" && network != "host" && network != "none";
}

// What this engine's BuildKit would pass over.
std::vector<std::string> lost_with_buildkit(const BuildImage& build, ApiVersion version) {
  std::vector<std::string> out;
  if (is_network_by_name(build.network)) out.emplace_back("network");
  if (!build.isolation.empty()) out.emplace_back("isolation");
  if (build.shm_size > 0 && version < kLimits) out.emplace_back("shm_size");
  if (!build.ulimits.is_empty() && version < kLimits) out.emplace_back("ulimits");
  return out;
}

}  // namespace

Result<BuilderChoice> choose_builder(const BuildImage& build, const Dockerfile& file, ApiVersion version,
                                     const std::string& shown) {
  const bool offered = version >= kBuildkit;
  const auto need = needs_buildkit(file);
  if (build.classic || !offered) {
    if (!need) return BuilderChoice{};
    const std::string why = offered
                                ? "the classic builder was asked for; leave out DOCKER_BUILDKIT=0 or --builder classic"
                                : "this engine speaks API " + version.text() + " and has none; upgrade it";
    return fail(Code::invalid,
                shown + ":" + std::to_string(need->line) + ": " + need->what + " needs BuildKit, but " + why);
  }
  BuilderChoice out{.buildkit = true};
  const auto lost = lost_with_buildkit(build, version);
  const bool either = !need && file.syntax.empty();
  if (either && (file.hidden || !lost.empty())) {
    out.buildkit = false;
    if (!lost.empty())
      out.notes.push_back("built by the classic builder: this engine's BuildKit does not take " + join(lost, ", "));
    return out;
  }
  if (build.memory > 0)
    out.notes.emplace_back("memory: BuildKit has no bound for it; ignored (the classic builder has one)");
  if (lost.empty()) return out;
  if (is_network_by_name(build.network))
    return fail(Code::invalid, "network: BuildKit takes host, none or default, not \"" + build.network +
                                   "\", and the Dockerfile needs BuildKit (line " +
                                   std::to_string(need ? need->line : file.syntax_line) + ")");
  out.notes.push_back(join(lost, ", ") + ": not taken by this engine's BuildKit, which the Dockerfile needs; ignored");
  return out;
}

Query build_query(const BuildImage& build, const std::string& dockerfile, bool buildkit) {
  Query query;
  if (buildkit) query.emplace_back("version", "2");
  query.emplace_back("dockerfile", dockerfile);
  query.emplace_back("rm", "1");
  query.emplace_back("forcerm", "1");
  if (!build.remote.empty()) query.emplace_back("remote", build.remote);
  for (const std::string& tag : build.tags) query.emplace_back("t", tag);
  Json arguments = object_of(build.arguments);
  for (const std::string& name : build.unset_arguments) arguments.set(name, Json());
  if (!arguments.members().empty()) query.emplace_back("buildargs", arguments.dump());
  if (!build.labels.empty()) query.emplace_back("labels", object_of(build.labels).dump());
  Json sources = Json::array();
  for (const std::string& source : build.cache_from) sources.push(source);
  if (!build.cache_from.empty()) query.emplace_back("cachefrom", sources.dump());
  for (const std::string& host : build.extra_hosts) query.emplace_back("extrahosts", host);
  if (!build.ulimits.is_empty()) query.emplace_back("ulimits", build.ulimits.dump());
  if (!build.target.empty()) query.emplace_back("target", build.target);
  if (!build.network.empty()) query.emplace_back("networkmode", build.network);
  if (!build.platform.empty()) query.emplace_back("platform", build.platform);
  if (!build.isolation.empty()) query.emplace_back("isolation", build.isolation);
  if (build.shm_size > 0) query.emplace_back("shmsize", std::to_string(build.shm_size));
  if (build.memory > 0 && !buildkit) {
    query.emplace_back("memory", std::to_string(build.memory));
    query.emplace_back("memswap", std::to_string(build.memory));
  }
  if (build.no_cache) query.emplace_back("nocache", "1");
  if (build.pull) query.emplace_back("pull", "1");
  return query;
}

}  // namespace berth::engine
