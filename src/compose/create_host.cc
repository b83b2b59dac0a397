#include <array>

#include "base/text.h"
#include "compose/create_parts.h"

namespace berth::compose::detail {
namespace {

// Attribute -> member of HostConfig, taken over as it is.
constexpr std::array<std::pair<std::string_view, std::string_view>, 19> kSame = {
    {{"cap_add", "CapAdd"},
     {"cap_drop", "CapDrop"},
     {"dns", "Dns"},
     {"dns_opt", "DnsOptions"},
     {"dns_search", "DnsSearch"},
     {"group_add", "GroupAdd"},
     {"privileged", "Privileged"},
     {"read_only", "ReadonlyRootfs"},
     {"sysctls", "Sysctls"},
     {"storage_opt", "StorageOpt"},
     {"userns_mode", "UsernsMode"},
     {"uts", "UTSMode"},
     {"isolation", "Isolation"},
     {"runtime", "Runtime"},
     {"cgroup", "CgroupnsMode"},
     {"cgroup_parent", "CgroupParent"},
     {"init", "Init"},
     {"device_cgroup_rules", "DeviceCgroupRules"},
     {"oom_score_adj", "OomScoreAdj"}}};

Json policy(std::string_view name, std::int64_t attempts) {
  Json out = Json::object({{"Name", name}});
  if (name == "on-failure" && attempts > 0) out.set("MaximumRetryCount", attempts);
  return out;
}

Result<void> add_restart(Draft& draft) {
  const std::string_view restart = draft.config["restart"].text();
  if (!restart.empty()) {
    const auto [name, count, counted] = cut(restart, ':');
    const double attempts = counted ? TRY(number_of(draft, "restart", Json(count))) : 0;
    draft.host.set("RestartPolicy", policy(name, static_cast<std::int64_t>(attempts)));
    return {};
  }
  const Json& deploy = draft.config["deploy"]["restart_policy"];
  if (deploy.is_null()) return {};
  const std::string_view condition = deploy["condition"].text("any");
  const std::string_view name = condition == "any" ? "always" : condition == "none" ? "no" : condition;
  draft.host.set("RestartPolicy", policy(name, deploy["max_attempts"].integer()));
  return {};
}

void add_logging(Draft& draft) {
  const Json& logging = draft.config["logging"];
  if (logging.is_empty()) return;
  Json out = Json::object();
  put(out, "Type", logging["driver"]);
  put(out, "Config", logging["options"]);
  put(draft.host, "LogConfig", std::move(out));
}

// Compose writes HOST=ADDRESS, the engine HOST:ADDRESS.
void add_hosts(Draft& draft) {
  Json out = Json::array();
  for (const Json& item : draft.config["extra_hosts"].items()) {
    const auto [name, address, found] = cut(item.text(), '=');
    out.push(found ? std::string(name) + ':' + std::string(address) : std::string(item.text()));
  }
  put(draft.host, "ExtraHosts", std::move(out));
}

Result<void> add_security(Draft& draft) {
  Json out = Json::array();
  for (const Json& item : draft.config["security_opt"].items()) {
    const std::string_view option = item.text();
    const std::size_t value = option.find_first_of(":=");
    const bool seccomp = option.starts_with("seccomp") && value == 7;
    const std::string_view profile = seccomp ? option.substr(8) : std::string_view();
    if (!seccomp || profile == "unconfined" || profile == "builtin" || profile.starts_with('{')) {
      out.push(option);
      continue;
    }
    const auto& contents = draft.input.project.contents;
    const auto found = contents.find("services." + draft.input.service.name + ".security_opt." + std::string(option));
    if (found == contents.end())
      return complain(draft, "security_opt", "the seccomp profile \"" + std::string(profile) + "\" does not exist");
    out.push("seccomp=" + found->second);
  }
  put(draft.host, "SecurityOpt", std::move(out));
  return {};
}

void add_namespaces(Draft& draft) {
  for (const auto& [attribute, key] : {std::pair{"pid", "PidMode"}, std::pair{"ipc", "IpcMode"}})
    put(draft.host, key, namespace_of(draft, draft.config[attribute].text(), {"HostConfig", key}));
}

void add_sources(Draft& draft) {
  Json out = Json::array();
  for (const Json& item : draft.config["volumes_from"].items()) {
    std::string_view source = item.text();
    if (source.starts_with("container:")) {
      out.push(source.substr(10));
      continue;
    }
    const auto [service, mode, found] = cut(source, ':');
    draft.request.references.push_back({.path = {"HostConfig", "VolumesFrom", std::to_string(out.size())},
                                        .service = std::string(service),
                                        .suffix = found ? ":" + std::string(mode) : ""});
    out.push("service:" + std::string(source));
  }
  put(draft.host, "VolumesFrom", std::move(out));
}

}  // namespace

Result<void> add_host(Draft& draft) {
  for (const auto& [attribute, key] : kSame) put(draft.host, key, draft.config[attribute]);
  if (!draft.config["annotations"].is_empty() && may(draft, "annotations", engine::Feature::container_annotations))
    draft.host.set("Annotations", draft.config["annotations"]);
  add_logging(draft);
  add_hosts(draft);
  add_namespaces(draft);
  add_sources(draft);
  TRY(add_security(draft));
  return add_restart(draft);
}

}  // namespace berth::compose::detail
