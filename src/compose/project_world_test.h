// A project for planner tests, from canonical JSON.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "base/json.h"
#include "compose/project.h"

namespace berth::compose::testing {

inline Condition condition_of(std::string_view text) {
  if (text == "service_healthy") return Condition::healthy;
  return text == "service_completed_successfully" ? Condition::completed_successfully : Condition::started;
}

/// From what `config --format json` prints; depends_on stands in for what the loader would also imply.
inline Service service_of(const std::string& name, Json config, bool default_network) {
  if (default_network && config["network_mode"].is_null() && config["networks"].is_null())
    config.set("networks", Json::object({{"default", Json()}}));
  Service service;
  service.name = name;
  service.scale = static_cast<int>(config["scale"].integer(1));
  for (const auto& [other, how] : config["depends_on"].members())
    service.dependencies.push_back({.service = other,
                                    .condition = condition_of(how["condition"].text()),
                                    .restart = how["restart"].boolean(),
                                    .required = how["required"].boolean(true)});
  service.config = std::move(config);
  return service;
}

/// From what `config --format json` prints; depends_on stands in for what the loader would also imply. A document
/// without networks gets the default one.
inline Project project_of(const Json& document) {
  Project project;
  project.name = document["name"].text("shop");
  project.working_dir = "/srv/" + project.name;
  project.files = {project.working_dir + "/compose.yaml"};
  project.networks = document["networks"];
  if (project.networks.is_null())
    project.networks = Json::object({{"default", Json::object({{"name", project.name + "_default"}})}});
  project.volumes = document["volumes"];
  project.secrets = document["secrets"];
  project.configs = document["configs"];
  for (const auto& [name, value] : document["environment"].members()) project.environment[name] = value.text();
  for (const auto& [name, value] : document["contents"].members()) project.contents[name] = value.text();
  for (const auto& [name, given] : document["services"].members()) {
    Json config = given;
    if (config.contains("x-berth.ready"))
      project.extensions.slot("services").slot(name).set("x-berth.ready", config["x-berth.ready"]);
    config.erase("x-berth.ready");
    project.services.push_back(service_of(name, std::move(config), document["networks"].is_null()));
    const int line = 10 + static_cast<int>(project.services.size());
    project.origins["services." + name] = {.file = "compose.yaml", .line = line, .column = 3};
  }
  std::sort(project.services.begin(), project.services.end(),
            [](const Service& a, const Service& b) { return a.name < b.name; });
  for (const auto& member : project.networks.members())
    project.origins["networks." + member.first] = {.file = "compose.yaml", .line = 3, .column = 5};
  for (const auto& member : project.volumes.members())
    project.origins["volumes." + member.first] = {.file = "compose.yaml", .line = 4, .column = 5};
  return project;
}

}  // namespace berth::compose::testing
