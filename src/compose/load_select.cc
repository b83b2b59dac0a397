#include <fmt/format.h>

#include <set>

#include "base/text.h"
#include "compose/load_finish.h"

namespace berth::compose {
namespace {

bool has_profile(const Json& service, const std::vector<std::string>& profiles) {
  const auto& own = service["profiles"].items();
  if (own.empty()) return true;
  return std::ranges::any_of(profiles, [&](const std::string& profile) {
    return profile == "*" || std::ranges::find(own, Json(profile)) != own.end();
  });
}

void sort_services(std::vector<Service>& services) {
  std::ranges::sort(services, {}, &Service::name);
}

// Services that a target's own profiles switch on come with it.
void enable_targets(Project& project, const std::vector<std::string>& targets) {
  std::vector<std::string> profiles;
  for (const Service& service : project.disabled)
    if (std::ranges::find(targets, service.name) != targets.end())
      for (const Json& profile : service.config["profiles"].items()) profiles.emplace_back(profile.text());
  const auto on = std::ranges::partition(
      project.disabled, [&](const Service& service) { return !has_profile(service.config, profiles); });
  std::ranges::move(on, std::back_inserter(project.services));
  project.disabled.erase(on.begin(), on.end());
  sort_services(project.services);
}

Result<std::set<std::string>> reach(const Project& project, const LoadOptions& options) {
  std::set<std::string> kept;
  std::vector<std::string> open = options.targets;
  std::vector<std::string_view> names;
  for (const Service& service : project.services) names.emplace_back(service.name);
  for (std::size_t i = 0; i < open.size(); ++i) {
    const Service* service = project.find(open[i]);
    if (service == nullptr)
      return fail(Code::not_found, fmt::format("no such service: {}{}", open[i], suggestion(open[i], names)));
    if (!kept.insert(open[i]).second || !options.with_dependencies) continue;
    for (const auto& [name, dependency] : service->config["depends_on"].members())
      if (dependency["required"].boolean() || project.find(name) != nullptr) open.push_back(name);
  }
  return kept;
}

void keep_used(Json& section, const std::set<std::string_view>& used) {
  if (section.is_object())
    std::erase_if(section.members_mut(), [&](const Json::Member& member) { return !used.contains(member.first); });
}

}  // namespace

Project divide(Json document, const std::vector<std::string>& profiles) {
  Project project;
  project.name = document["name"].text();
  if (!document["services"].is_object()) document.set("services", Json::object());
  for (auto& [name, config] : document.slot("services").members_mut()) {
    const bool on = has_profile(config, profiles);
    (on ? project.services : project.disabled)
        .push_back({.name = name, .config = std::move(config), .dependencies = {}});
  }
  sort_services(project.services);
  sort_services(project.disabled);
  for (auto [section, key] : {std::pair{&project.networks, "networks"}, std::pair{&project.volumes, "volumes"},
                              std::pair{&project.secrets, "secrets"}, std::pair{&project.configs, "configs"}}) {
    *section = Json::object();
    if (document.contains(key)) *section = std::move(document.slot(key));
    document.erase(key);
  }
  document.erase("services");
  project.document = std::move(document);
  return project;
}

Result<void> select_targets(Project& project, const LoadOptions& options) {
  if (options.targets.empty()) return {};
  enable_targets(project, options.targets);
  const std::set<std::string> kept = TRY(reach(project, options));
  const auto off =
      std::ranges::partition(project.services, [&](const Service& service) { return kept.contains(service.name); });
  std::ranges::move(off, std::back_inserter(project.disabled));
  project.services.erase(off.begin(), off.end());
  sort_services(project.disabled);
  for (Service& service : project.services)
    if (service.config.contains("depends_on"))
      std::erase_if(service.config.slot("depends_on").members_mut(),
                    [&](const Json::Member& member) { return !kept.contains(member.first); });
  for (Service& service : project.services)
    if (service.config["depends_on"].size() == 0) service.config.erase("depends_on");
  return {};
}

void drop_unused(Project& project) {
  std::set<std::string_view> networks;
  std::set<std::string_view> volumes;
  std::set<std::string_view> secrets;
  std::set<std::string_view> configs;
  for (const Service& service : project.services) {
    const Json& config = service.config;
    for (const auto& [name, unused] : config["networks"].members()) networks.insert(name);
    for (const Json& mount : config["volumes"].items())
      if (mount["type"].text() == "volume") volumes.insert(mount["source"].text());
    for (const Json* list : {&config["secrets"], &config["build"]["secrets"]})
      for (const Json& secret : list->items()) secrets.insert(secret["source"].text());
    for (const Json& file : config["configs"].items()) configs.insert(file["source"].text());
  }
  keep_used(project.networks, networks);
  keep_used(project.volumes, volumes);
  keep_used(project.secrets, secrets);
  keep_used(project.configs, configs);
}

}  // namespace berth::compose
