#include <fmt/format.h>

#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/text.h"
#include "compose/load_finish.h"

namespace berth::compose {
namespace {

constexpr std::string_view kServicePrefix = "service:";

std::vector<std::string_view> keys_of(const Json& map) {
  std::vector<std::string_view> keys;
  for (const auto& [key, value] : map.members()) keys.emplace_back(key);
  return keys;
}

using Names = std::unordered_set<std::string_view>;

Names names_of(const Json& map) {
  const auto keys = keys_of(map);
  return {keys.begin(), keys.end()};
}

class Checker {
 public:
  Checker(const Context& context, const Node& model, const Project& project)
      : context_(context),
        model_(model),
        project_(project),
        networks_(names_of(project.networks)),
        volumes_(names_of(project.volumes)),
        secrets_(names_of(project.secrets)),
        configs_(names_of(project.configs)) {
    for (const Service& service : project.services) enabled_.emplace(service.name, &service);
    for (const Service& service : project.disabled) disabled_.emplace(service.name, &service);
  }

  Result<void> run() const {
    for (const Service& service : project_.services) {
      TRY(check_source(service));
      TRY(check_networks(service));
      TRY(check_dependencies(service));
      TRY(check_references(service));
      TRY(check_limits(service));
      TRY(check_scale(service));
      TRY(check_mounts(service));
    }
    for (const auto& [name, secret] : project_.secrets.members())
      if (!secret["external"].boolean() && !secret.contains("file") && !secret.contains("environment"))
        return context_.fail_at(mark_of(model_, {"secrets", name}),
                                fmt::format("secret \"{}\" must declare either `file` or `environment`", name));
    return check_cycles();
  }

 private:
  std::unexpected<Error> refuse(const Service& service, std::string_view key, std::string_view why) const {
    return context_.fail_at(mark_of(model_, {"services", service.name, key}),
                            fmt::format("service \"{}\" {}", service.name, why));
  }

  Result<void> check_source(const Service& service) const {
    const Json& config = service.config;
    const Json& build = config["build"];
    if (build.is_null() && !config.contains("image") && !config.contains("provider"))
      return refuse(service, "", "has neither an image nor a build context specified");
    if (build.is_null()) return {};
    if (build.contains("dockerfile_inline") && build.contains("dockerfile"))
      return refuse(service, "build", "declares mutualy exclusive dockerfile and dockerfile_inline");
    for (const auto& [name, value] : build["additional_contexts"].members()) {
      if (!value.text().starts_with(kServicePrefix)) continue;
      const std::string_view target = value.text().substr(kServicePrefix.size());
      const auto found = enabled_.find(target);
      if (found == enabled_.end())
        return refuse(service, "build",
                      fmt::format("declares unknown service \"{}\" as additional contexts {}", target, name));
      if (!found->second->config.contains("build"))
        return refuse(service, "build",
                      fmt::format("declares non-buildable service \"{}\" as additional contexts {}", target, name));
    }
    const Json& platform = config["platform"];
    const auto& platforms = build["platforms"].items();
    if (!platforms.empty() && !platform.is_null() && std::ranges::find(platforms, platform) == platforms.end())
      return refuse(service, "build",
                    fmt::format("must include its platform \"{}\" in build.platforms", platform.text()));
    return {};
  }

  Result<void> check_networks(const Service& service) const {
    const Json& networks = service.config["networks"];
    const std::string_view mode = service.config["network_mode"].text();
    if (!mode.empty() && networks.size() > 0)
      return refuse(service, "network_mode", "declares mutually exclusive `network_mode` and `networks`");
    TRY(check_declared(service, "networks", keys_of(networks), networks_));
    if (!mode.starts_with(kServicePrefix)) return {};
    const std::string_view shared = mode.substr(kServicePrefix.size());
    if (!enabled_.contains(shared))
      return refuse(service, "network_mode", fmt::format("shares the network of \"{}\", which is not found", shared));
    return {};
  }

  Result<void> check_declared(const Service& service, std::string_view key, const std::vector<std::string_view>& names,
                              const Names& declared) const {
    for (const std::string_view name : names)
      if (!declared.contains(name))
        return refuse(service, key,
                      fmt::format("refers to undefined {} {}{}", key.substr(0, key.size() - 1), name,
                                  suggestion(name, std::vector<std::string_view>(declared.begin(), declared.end()))));
    return {};
  }

  Result<void> check_dependencies(const Service& service) const {
    for (const auto& [name, dependency] : service.config["depends_on"].members()) {
      const auto off = disabled_.find(name);
      if (enabled_.contains(name) || (off != disabled_.end() && !dependency["required"].boolean())) continue;
      if (off != disabled_.end())
        return refuse(service, "depends_on",
                      fmt::format("depends on undefined service \"{}\": it is disabled, and enabled by the profiles {}",
                                  name, off->second->config["profiles"].dump()));
      std::vector<std::string_view> names;
      for (const auto& [other, unused] : enabled_) names.push_back(other);
      return refuse(service, "depends_on",
                    fmt::format("depends on undefined service \"{}\"{}", name, suggestion(name, names)));
    }
    return {};
  }

  Result<void> check_references(const Service& service) const {
    const auto sources = [](const Json& list, bool volumes) {
      std::vector<std::string_view> names;
      for (const Json& item : list.items())
        if (!volumes || (item["type"].text() == "volume" && item.contains("source")))
          names.push_back(item["source"].text());
      return names;
    };
    const Json& config = service.config;
    const Json& test = config["healthcheck"]["test"];
    const std::string_view kind = test.size() > 0 ? test.items()[0].text() : "NONE";
    if (kind != "CMD" && kind != "CMD-SHELL" && kind != "NONE")
      return refuse(service, "healthcheck",
                    "has a healthcheck.test that must start either by \"CMD\", \"CMD-SHELL\" or \"NONE\"");
    TRY(check_declared(service, "volumes", sources(config["volumes"], true), volumes_));
    TRY(check_declared(service, "secrets", sources(config["build"]["secrets"], false), secrets_));
    TRY(check_declared(service, "configs", sources(config["configs"], false), configs_));
    TRY(check_declared(service, "secrets", sources(config["secrets"], false), secrets_));
    const Node* models = model_.find("models");
    for (const auto& [name, unused] : config["models"].members())
      if (models == nullptr || models->find(name) == nullptr)
        return refuse(service, "models", fmt::format("refers to undefined model {}", name));
    return {};
  }

  // One limit may be written in two places, but only with the same value.
  Result<void> check_limits(const Service& service) const {
    struct Pair {
      std::string_view key;
      std::string_view section;
      std::string_view name;
    };
    constexpr std::array kPairs = {Pair{"cpus", "limits", "cpus"}, Pair{"mem_limit", "limits", "memory"},
                                   Pair{"mem_reservation", "reservations", "memory"},
                                   Pair{"pids_limit", "limits", "pids"}};
    for (const Pair& pair : kPairs) {
      const Json& own = service.config[pair.key];
      const Json& section = service.config["deploy"]["resources"][pair.section];
      if (own.is_null() || section.is_null() || own == section[pair.name]) continue;
      return refuse(service, pair.key,
                    fmt::format("can't set distinct values on '{}' and 'deploy.resources.{}.{}'", pair.key,
                                pair.section, pair.name));
    }
    return {};
  }

  Result<void> check_scale(const Service& service) const {
    const Json& scale = service.config["scale"];
    const Json& replicas = service.config["deploy"]["replicas"];
    if (!scale.is_null() && !replicas.is_null() && !(scale == replicas))
      return refuse(service, "scale", "can't set distinct values on 'scale' and 'deploy.replicas'");
    const Json& wanted = scale.is_null() ? replicas : scale;
    const std::string_view key = scale.is_null() ? "deploy" : "scale";
    if (wanted.integer(1) < 0) return refuse(service, key, "has a scale that must be greater than or equal to 0");
    if (wanted.integer(1) > 1 && service.config.contains("container_name"))
      return refuse(service, key,
                    fmt::format("can't set container_name and {} as container name must be unique",
                                scale.is_null() ? "deploy.replicas" : "scale"));
    return {};
  }

  Result<void> check_mounts(const Service& service) const {
    for (const Json& trigger : service.config["develop"]["watch"].items()) {
      const std::string_view action = trigger["action"].text();
      if (!trigger.contains("target") && action != "rebuild" && action != "restart")
        return refuse(service, "develop", "has a develop.watch where target is required for non-rebuild actions");
    }
    std::set<std::string_view> targets;
    for (const std::string_view key : {"tmpfs", "volumes"})
      for (const Json& mount : service.config[key].items()) {
        const std::string_view target = mount.is_text() ? cut(mount.text(), ':').before : mount["target"].text();
        if (!targets.insert(target).second)
          return refuse(service, key, fmt::format("has {} at {}, where something is mounted already", key, target));
      }
    return {};
  }

  // Depth first without recursion: a chain of services may be long.
  Result<void> check_cycles() const {
    enum class State : std::uint8_t { fresh, open, done };
    std::unordered_map<std::string_view, State> states;
    struct Step {
      const Service* service;
      std::size_t next = 0;
    };
    for (const Service& first : project_.services) {
      std::vector<Step> path;
      if (states[first.name] == State::fresh) path.push_back({&first});
      while (!path.empty()) {
        Step& step = path.back();
        states[step.service->name] = State::open;
        const auto& dependencies = step.service->config["depends_on"].members();
        if (step.next == dependencies.size()) {
          states[step.service->name] = State::done;
          path.pop_back();
          continue;
        }
        const auto next = enabled_.find(dependencies[step.next++].first);
        if (next == enabled_.end() || states[next->first] == State::done) continue;
        if (states[next->first] == State::open) return cycle(path, next->second->name);
        path.push_back({next->second});
      }
    }
    return {};
  }

  std::unexpected<Error> cycle(const auto& path, const std::string& again) const {
    auto from = std::ranges::find(path, again, [](const auto& step) { return step.service->name; });
    std::string text;
    for (; from != path.end(); ++from) text += from->service->name + " -> ";
    return context_.fail_at(mark_of(model_, {"services", again, "depends_on"}),
                            fmt::format("dependency cycle detected: {}{}", text, again));
  }

  const Context& context_;
  const Node& model_;
  const Project& project_;
  Names networks_;
  Names volumes_;
  Names secrets_;
  Names configs_;
  std::map<std::string_view, const Service*> enabled_;
  std::map<std::string_view, const Service*> disabled_;
};

}  // namespace

Mark mark_of(const Node& model, std::initializer_list<std::string_view> path) {
  const Node* node = &model;
  Mark mark;
  for (const std::string_view key : path) {
    node = node->is_map() && !key.empty() ? node->find(key) : nullptr;
    if (node == nullptr) break;
    mark = node->key_mark.line > 0 ? node->key_mark : node->mark;
  }
  return mark;
}

Result<void> check_consistency(const Context& context, const Node& model, const Project& project) {
  return Checker(context, model, project).run();
}

Result<void> check_container_names(const Context& context, const Node& model, const Project& project) {
  std::map<std::string_view, std::string_view> owners;
  for (const Service& service : project.services) {
    const std::string_view name = service.config["container_name"].text();
    if (name.empty()) continue;
    const auto [owner, fresh] = owners.emplace(name, service.name);
    if (!fresh)
      return context.fail_at(mark_of(model, {"services", service.name, "container_name"}),
                             fmt::format("services.{}: container name \"{}\" is already in use by service {}",
                                         service.name, name, owner->second));
  }
  return {};
}

}  // namespace berth::compose
