// A world for planner tests: what an engine would show after a project was brought up, with changes on top.
#pragma once

#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "compose/engine_world_test.h"
#include "compose/project_world_test.h"

namespace berth::compose::testing {

/// The engine's side, changed line by line.
class World : public EngineWorld {
 public:
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
    if (verb == "replaces" && find(value))
      return set_label(what, std::string(plan::label::kReplace) + '=' + std::string((*find(value))["Id"].text()));
    if (verb == "alien") return add_alien(what, value), true;
    if (verb == "detach") return detach(what, value);
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

  // As after a creation that never came to connect a further network.
  bool detach(std::string_view what, std::string_view network) {
    Json* inspect = find(what);
    if (inspect) inspect->slot("NetworkSettings").slot("Networks").erase(network);
    return inspect != nullptr;
  }

  // A second container like `what` under another name and id.
  bool copy(std::string_view what, const std::string& name) {
    const Json* inspect = find(what);
    if (!inspect) return false;
    const std::string_view old = inspect->at("Id").text().substr(0, 12);
    Json second = *parse_json(replace_all(inspect->dump(), old, id_of(name).substr(0, 12)));
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

  // A second network of that name, as two creations that met leave it; `attached` is on that one.
  void add_twin(const Json& network, std::string_view attached) {
    Json twin = network;
    twin.set("Id", sha256_hex("twin of " + std::string(network["Name"].text())));
    twin.set("Containers", Json::object());
    if (Json* inspect = find(attached)) {
      twin.slot("Containers").set((*inspect)["Id"].text(), Json::object());
      inspect->slot("NetworkSettings").slot("Networks").slot(network["Name"].text()).set("NetworkID", twin["Id"]);
    }
    replies_.networks.push_back(std::move(twin));
  }

  // "network NAME Driver=macvlan", "network NAME new-id", "network NAME unlabelled", "network NAME guest",
  // "network NAME twin web:1"
  bool set_network(const std::string& what, std::string_view value) {
    for (Json& network : replies_.networks) {
      if (network["Name"].text() != what) continue;
      const auto [key, text, found] = cut(value, '=');
      if (value == "new-id") network.set("Id", sha256_hex("another " + what));
      if (value == "unlabelled") network.set("Labels", Json::object());
      if (value == "guest") network.slot("Containers").set(id_of("guest"), Json::object());
      if (value == "gone") return std::erase(replies_.networks, network) > 0;
      if (value.starts_with("twin")) return add_twin(Json(network), trim(value.substr(4))), true;
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
    if (value.starts_with("of ") || value == "files") labels.set(plan::label::kProject, "shop");
    if (value == "files") labels.set(plan::kFilesLabel, "shop");  // with what was copied into a container
    return add_volume(what, std::move(labels)), true;
  }
};

}  // namespace berth::compose::testing
