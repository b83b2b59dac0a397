// A world for planner tests: what an engine would show after a project was brought up, with changes on top.
#pragma once

#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/text.h"
#include "compose/create.h"
#include "compose/plan.h"
#include "compose/project_world_test.h"

namespace berth::compose::testing {

/// The engine's side, changed line by line.
class World {
 public:
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

  /// "container web:1 exited 3", "remove web:1", ... (see testdata/plan); false for what is not understood.
  bool change(std::string_view line) {
    std::istringstream words{std::string(line)};
    std::string verb, what, value;
    words >> verb >> what;
    std::getline(words >> std::ws, value);
    if (verb == "container") return set_state(what, value);
    if (verb == "remove") return remove(what);
    if (verb == "rename") return find(what) ? (find(what)->set("Name", "/" + value), true) : false;
    if (verb == "label") return set_label(what, value);
    if (verb == "namespace") return share(what, value);
    if (verb == "user") return find(what) ? (find(what)->slot("Config").set("User", value), true) : false;
    if (verb == "image") return add_image(what, Json::object(), value), true;
    if (verb == "no-image")
      return std::erase_if(replies_.images, [&](const auto& one) { return one.first == what; }) > 0;
    if (verb == "describe") return add_image(what, Json::object(), {}, *parse_json(value)), true;
    if (verb == "copy") return copy(what, value);
    if (verb == "alien") return add_alien(what, value), true;
    if (verb == "network") return set_network(what, value);
    if (verb == "volume") return set_volume(what, value);
    if (verb == "api") return replies_.version = *engine::parse_api_version(what), true;
    return false;
  }
  void forget_hashes() {
    for (Json& inspect : replies_.containers) inspect.slot("Config").slot("Labels").erase("berth.hash");
  }

  plan::Observed observe(const Project& project) const { return plan::observed_from(wanted(project), replies_); }

 private:
  static std::string id_of(const std::string& name) { return sha256_hex("container " + name); }

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

  // "web:1", or a container's name.
  Json* find(std::string_view what) {
    const auto [service, number, numbered] = cut(what, ':');
    for (Json& inspect : replies_.containers) {
      const Json& labels = inspect["Config"]["Labels"];
      const bool same =
          labels[plan::label::kService].text() == service && labels[plan::label::kNumber].text() == number;
      if ((numbered && same) || inspect["Name"].text().substr(1) == what) return &inspect;
    }
    return nullptr;
  }

  bool set_state(std::string_view what, std::string_view value) {
    Json* inspect = find(what);
    if (!inspect) return false;
    const auto [status, code, exited] = cut(value, ' ');
    Json& state = inspect->slot("State");
    if (plan::parse_health(status) != plan::Health::none) {
      state.slot("Health").set("Status", status);
      return true;
    }
    state.set("Status", status);
    state.erase("Health");
    if (exited) state.set("ExitCode", std::stoi(std::string(code)));
    return true;
  }

  bool remove(std::string_view what) {
    Json* inspect = find(what);
    if (!inspect) return false;
    const std::string id((*inspect)["Id"].text());
    for (Json& network : replies_.networks) network.slot("Containers").erase(id);
    std::erase_if(replies_.containers, [&](const Json& one) { return one["Id"].text() == id; });
    return true;
  }

  bool set_label(std::string_view what, std::string_view value) {
    Json* inspect = find(what);
    const auto [name, text, found] = cut(value, '=');
    if (inspect) inspect->slot("Config").slot("Labels").set(name, text);
    return inspect && found;
  }

  // A second container like `what` under another name and id.
  bool copy(std::string_view what, const std::string& name) {
    const Json* inspect = find(what);
    if (!inspect) return false;
    Json second = *inspect;
    second.set("Name", "/" + name);
    second.set("Id", id_of(name));
    second.slot("State").set("Status", "created");
    replies_.containers.push_back(std::move(second));
    return true;
  }

  // As an engine shows `network_mode: container:NAME`: with the alien's id.
  bool share(std::string_view what, const std::string& name) {
    Json* inspect = find(what);
    if (inspect) inspect->slot("HostConfig").set("NetworkMode", "container:" + id_of("alien " + name));
    return inspect != nullptr;
  }

  void add_alien(const std::string& name, const std::string& project) {
    Json labels = Json::object();
    if (!project.empty()) labels.set(plan::label::kProject, project);
    Json inspect = Json::object({{"Id", id_of("alien " + name)}, {"Name", "/" + name}});
    inspect.slot("Config").set("Labels", std::move(labels));
    inspect.slot("State").set("Status", "running");
    replies_.containers.push_back(std::move(inspect));
  }

  // "network NAME Driver=macvlan", "network NAME new-id", "network NAME unlabelled", "network NAME guest"
  bool set_network(const std::string& what, std::string_view value) {
    for (Json& network : replies_.networks) {
      if (network["Name"].text() != what) continue;
      const auto [key, text, found] = cut(value, '=');
      if (value == "new-id") network.set("Id", sha256_hex("another " + what));
      if (value == "unlabelled") network.set("Labels", Json::object());
      if (value == "guest") network.slot("Containers").set(id_of("guest"), Json::object());
      if (value == "gone") return std::erase(replies_.networks, network) > 0;
      if (found) network.set(key, text);
      return true;
    }
    add_network(what, value.empty() ? Json::object() : Json::object({{std::string(plan::label::kProject), value}}));
    return true;
  }
  bool set_volume(const std::string& what, std::string_view value) {
    for (Json& volume : replies_.volumes) {
      if (volume["Name"].text() != what) continue;
      const auto [key, text, found] = cut(value, '=');
      if (value == "unlabelled") volume.set("Labels", Json::object());
      if (value == "gone") return std::erase(replies_.volumes, volume) > 0;
      if (found) volume.set(key, text);
      return true;
    }
    Json labels = Json::object();  // "of KEY": made for that key of the project
    if (value.starts_with("of ")) labels.set(plan::label::kVolume, value.substr(3));
    if (value.starts_with("of ")) labels.set(plan::label::kProject, "shop");
    return add_volume(what, std::move(labels)), true;
  }

  plan::Replies replies_{.version = {1, 41}};
};

}  // namespace berth::compose::testing
