#include "api/project_grants.h"

#include <algorithm>

#include "api/project_load.h"
#include "broker/body.h"
#include "broker/decide.h"
#include "compose/create.h"

namespace berth::api {
namespace {

// Bodies are made as an engine of this version takes them: the newest that core pins upstream.
constexpr engine::ApiVersion kVersion{1, 41};

// Where a Compose file says what the rule looks at.
std::string_view key_of(std::string_view rule) {
  constexpr std::pair<std::string_view, std::string_view> kKeys[] = {
      {"binds", "volumes"},
      {"bind-spelling", "volumes"},
      {"hidden-paths", "volumes"},
      {"mount-propagation", "volumes"},
      {"mount-types", "volumes"},
      {"capabilities", "cap_add"},
      {"devices", "devices"},
      {"security-options", "security_opt"},
      {"host-network", "network_mode"},
      {"host-pid", "pid"},
      {"host-ipc", "ipc"},
      {"host-uts", "uts"},
      {"host-userns", "userns_mode"},
      {"host-cgroup", "cgroup"},
      {"cgroup-parent", "cgroup_parent"},
      {"log-driver", "logging"},
      {"storage-options", "storage_opt"},
      {"network-attachment", "networks"},
      {"volumes-from", "volumes_from"},
      {"links", "external_links"},
      {"oom", "oom_score_adj"},
      {"names", "container_name"},
  };
  const auto at = std::ranges::find(kKeys, rule, [](const auto& pair) { return pair.first; });
  return at == std::end(kKeys) ? rule : at->second;
}

class Grants {
 public:
  Grants(const compose::Project& project, const ProjectPlace& place, const broker::Policy& policy)
      : project_(project), folder_(place.folder), allowing_(policy) {
    if (place.own) allowing_.roots.push_back(folder_);
    policy_ = allowing_;
    policy_.exceptions.clear();
    for (const auto& service : project_.services) ids_[service.name] = "0000" + service.name;
  }

  Result<void> look_at(const compose::Service& service) {
    auto request = TRY(
        compose::create_request({.project = project_, .service = service, .version = kVersion, .containers = ids_}));
    return take("container", request.body, service.name, "services." + service.name);
  }
  Result<void> look_at_volume(const std::string& key, const Json& declared) {
    if (compose::is_external(declared)) return {};
    return take("volume", compose::volume_body(project_, key), "", "volumes." + key);
  }
  Result<void> look_at_network(const std::string& key, const Json& declared) {
    if (compose::is_external(declared)) return {};
    return take("network", TRY(compose::network_body(project_, key, kVersion)), "", "networks." + key);
  }

  std::vector<GrantNeeded> take_all() { return std::move(out_); }

 private:
  Result<void> take(std::string_view kind, const Json& body, const std::string& service, const std::string& path) {
    const auto examined = TRY(broker::examine(kind, body.dump()));
    const auto left = broker::denied_by(allowing_, examined.findings, project_.name);
    for (const auto& finding : broker::denied_by(policy_, examined.findings, project_.name)) {
      GrantNeeded grant{.service = service,
                        .field = field_of(finding),
                        .value = finding.value,
                        .at = project_.origin(path + '.' + std::string(key_of(finding.rule))).text(),
                        .granted = std::ranges::find(left, finding) == left.end()};
      if (lies_beneath(folder_, grant.at)) grant.at.erase(0, folder_.size() + 1);
      const bool told = std::ranges::any_of(out_, [&](const GrantNeeded& each) {
        return each.service == grant.service && each.field == grant.field && each.granted == grant.granted;
      });
      if (!told) out_.push_back(std::move(grant));
    }
    return {};
  }
  // What lies in the project's folder is opened with the folder.
  std::string field_of(const broker::Finding& finding) const {
    if (finding.value.empty()) return finding.rule;
    const bool inside = finding.rule == "binds" && lies_beneath(folder_, finding.value);
    return finding.rule + '=' + (inside ? folder_ : finding.value);
  }

  const compose::Project& project_;
  std::string folder_;
  broker::Policy policy_;    ///< what needs no grant
  broker::Policy allowing_;  ///< with the grants
  std::map<std::string, std::string> ids_;
  std::vector<GrantNeeded> out_;
};

}  // namespace

Result<std::vector<GrantNeeded>> grants_needed(const compose::Project& project, const ProjectPlace& place,
                                               const broker::Policy& policy) {
  Grants grants(project, place, policy);
  for (const auto& service : project.services) TRY(grants.look_at(service));
  for (const auto& [key, volume] : project.volumes.members()) TRY(grants.look_at_volume(key, volume));
  for (const auto& [key, network] : project.networks.members()) TRY(grants.look_at_network(key, network));
  return grants.take_all();
}

Result<void> check_granted(const compose::Project& project, const std::vector<GrantNeeded>& grants) {
  const auto first = std::ranges::find(grants, false, &GrantNeeded::granted);
  if (first == grants.end()) return {};
  return fail(Code::denied, (first->at.empty() ? "" : first->at + ": ") +
                                (first->service.empty() ? "" : "service " + first->service + " ") + "needs " +
                                first->field + ", which is not granted; root on the host can: berth broker grant " +
                                project.name + " " + first->field);
}

Json to_json(const GrantNeeded& grant) {
  return Json::object({{"service", grant.service},
                       {"field", grant.field},
                       {"value", grant.value},
                       {"at", grant.at},
                       {"granted", grant.granted}});
}

}  // namespace berth::api
