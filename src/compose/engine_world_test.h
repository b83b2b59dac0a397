// What an engine shows after a project was brought up, for planner tests.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "compose/create.h"
#include "compose/plan.h"

namespace berth::compose::testing {

/// The engine's side of projects that are up.
class EngineWorld {
 public:
  /// `config` is Config of its inspect; the id follows from the reference and `salt`.
  /// `config` is Config of its inspect, `more` what stands beside it; the id follows from the reference and `salt`.
  void add_image(const std::string& name, Json config = Json::object(), const std::string& salt = {}, Json more = {}) {
    Json inspect = Json::object({{"Id", "sha256:" + sha256_hex(name + salt)}, {"Config", std::move(config)}});
    for (const auto& [key, value] : more.members()) inspect.set(key, value);
    std::erase_if(replies_.images, [&](const auto& one) { return one.first == name; });
    replies_.images.emplace_back(name, std::move(inspect));
  }
  void add_network(const std::string& name, Json labels) {
    replies_.networks.push_back(Json::object({{"Name", name},
                                              {"Id", sha256_hex("network " + name)},
                                              {"Driver", "bridge"},
                                              {"Labels", std::move(labels)},
                                              {"Containers", Json::object()}}));
  }
  void add_volume(const std::string& name, Json labels) {
    replies_.volumes.push_back(
        Json::object({{"Name", name}, {"Driver", "local"}, {"Labels", std::move(labels)}, {"Options", Json()}}));
  }

  /// As after `up` of all services.
  void bring_up(const Project& project) {
    for (const auto& [key, network] : project.networks.members()) add_declared_network(project, key, network);
    for (const auto& [key, volume] : project.volumes.members()) {
      if (is_external(volume)) continue;
      const Json body = volume_body(project, key);
      add_volume(std::string(body["Name"].text()), body["Labels"]);
      replies_.volumes.back().set("Options", body["DriverOpts"]);
    }
    std::map<std::string, std::string> ids;
    for (const Service& service : project.services) {
      if (!image(image_name(project, service))) add_image(image_name(project, service));
      ids[service.name] = id_of(container_name(project, service, 1));
    }
    for (const Service& service : project.services)
      for (int number = 1; number <= service.scale; ++number) add_container(project, service, number, ids);
  }

 protected:
  static std::string id_of(const std::string& name) { return sha256_hex("container " + name); }

  plan::Replies replies_{.version = {1, 41}};

 private:
  const Json* image(std::string_view reference) const {
    for (const auto& [name, inspect] : replies_.images)
      if (name == reference) return &inspect;
    return nullptr;
  }

  void add_declared_network(const Project& project, const std::string& key, const Json& network) {
    if (is_external(network)) return;
    const Json body = *network_body(project, key, replies_.version);
    add_network(std::string(body["Name"].text()), body["Labels"]);
    for (const auto& [name, value] : body.members()) replies_.networks.back().set(name, value);
  }

  void add_container(const Project& project, const Service& service, int number,
                     const std::map<std::string, std::string>& ids) {
    const Json& base = *image(image_name(project, service));
    const auto request = create_request({.project = project,
                                         .service = service,
                                         .number = number,
                                         .version = replies_.version,
                                         .containers = ids,
                                         .image_id = std::string(base["Id"].text())});
    const std::string id = id_of(request->name);
    Json config = request->desired;
    config.erase("HostConfig");
    config.erase("NetworkingConfig");
    for (const auto& [key, value] : base["Config"].members())
      if (config[key].is_null()) config.set(key, value);
    Json inspect = Json::object({{"Id", id}, {"Name", "/" + request->name}, {"Image", base["Id"]}});
    inspect.set("State", Json::object({{"Status", "running"}, {"ExitCode", 0}}));
    inspect.set("Config", std::move(config));
    inspect.set("HostConfig", request->desired["HostConfig"]);
    Json mounts = Json::array();
    for (const Json& mount : request->desired["HostConfig"]["Mounts"].items()) {
      const std::string name = mount["Source"].is_empty() ? sha256_hex(id) : std::string(mount["Source"].text());
      mounts.push(
          Json::object({{"Type", mount["Type"]}, {"Name", name}, {"Destination", mount["Target"]}, {"RW", true}}));
    }
    inspect.set("Mounts", std::move(mounts));
    attach(request->desired["NetworkingConfig"]["EndpointsConfig"], id, inspect);
    replies_.containers.push_back(std::move(inspect));
  }

  void attach(const Json& endpoints, const std::string& id, Json& inspect) {
    Json networks = Json::object();
    for (const auto& [name, endpoint] : endpoints.members()) {
      Json shown = endpoint;
      shown.slot("Aliases").push(id.substr(0, 12));
      for (Json& network : replies_.networks) {
        if (network["Name"].text() != name) continue;
        shown.set("NetworkID", network["Id"]);
        network.slot("Containers").set(id, Json::object());
      }
      networks.set(name, std::move(shown));
    }
    inspect.slot("NetworkSettings").set("Networks", std::move(networks));
  }
};

}  // namespace berth::compose::testing
