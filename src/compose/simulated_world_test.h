// What an engine shows after a history of simulation_test.cc, and whether it is what the project says.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "compose/random_project_test.h"
#include "plan/lock.h"
#include "plan/observed.h"
#include "plan/op.h"
#include "testing/fake_engine.h"

namespace berth::compose::testing {

/// What the engine shows at one moment.
class Shown {
 public:
  explicit Shown(const berth::testing::FakeEngine& engine)
      : containers(engine.containers()), networks(engine.networks()), volumes(engine.volumes()) {}

  static std::string_view name_of(const Json& container) { return container["Name"].text().substr(1); }
  static std::string_view label(const Json& labels, std::string_view name) { return labels[name].text(); }
  static std::string_view project_of(const Json& container) {
    return label(container["Config"]["Labels"], plan::label::kProject);
  }
  bool has_volume(std::string_view name) const {
    return std::ranges::any_of(volumes, [&](const Json& one) { return one["Name"].text() == name; });
  }
  bool has_network(std::string_view id) const {
    return std::ranges::any_of(networks, [&](const Json& one) { return one["Id"].text() == id; });
  }
  std::string text() const {
    std::string out;
    for (const Json& one : containers)
      out += "    " + std::string(name_of(one)) + ' ' + std::string(one["Id"].text().substr(0, 12)) + ' ' +
             std::string(one.at("State.Status").text()) + ' ' + std::string(one.at("State.Health.Status").text()) +
             '\n';
    for (const Json& one : networks)
      if (one["Name"].text().starts_with("shop"))
        out += "    network " + std::string(one["Name"].text()) + ' ' + std::string(one["Id"].text().substr(0, 12)) +
               ", " + std::to_string(one["Containers"].size()) + " in it\n";
    for (const Json& one : volumes) out += "    volume " + std::string(one["Name"].text().substr(0, 24)) + '\n';
    return out;
  }

  /// All of what is not the project's, as text.
  std::string others() const {
    std::string out;
    for (const Json& one : containers)
      if (project_of(one) != "shop") out += one.dump() + '\n';
    for (Json one : networks) {
      one.erase("Containers");
      if (label(one["Labels"], plan::label::kProject) != "shop") out += one.dump() + '\n';
    }
    for (const Json& one : volumes)
      if (one["Name"].text() == "shop_data2") out += one.dump() + '\n';
    return out;
  }
  /// Volume by "container target", of the project's containers.
  std::map<std::string, std::string> volumes_of_services() const {
    std::map<std::string, std::string> out;
    for (const Json& one : containers) {
      if (project_of(one) != "shop" || name_of(one).find('_') != std::string_view::npos) continue;
      for (const Json& mount : one["Mounts"].items())
        if (!mount["Name"].text().starts_with(plan::kFilesPrefix))
          out[std::string(name_of(one)) + ' ' + std::string(mount["Destination"].text())] = mount["Name"].text();
    }
    return out;
  }

  std::vector<Json> containers, networks, volumes;
};

/// Looks for the first thing that is not as it should be.
class Verdict {
 public:
  Verdict(const berth::testing::FakeEngine& engine, const RandomProject& project)
      : engine_(engine), project_(project), shown_(engine) {}

  /// "" when the project is up as it says.
  std::string up() {
    std::size_t wanted = 0;
    for (const RandomService& service : project_.services)
      for (int number = 1; service.present && number <= service.scale; ++number, ++wanted)
        check_service(service, number);
    std::size_t there = 0;
    for (const Json& one : shown_.containers) there += Shown::project_of(one) == "shop";
    expect(there == wanted, std::to_string(there) + " containers instead of " + std::to_string(wanted));
    for (const std::string_view name : {"shop_front", "shop_back"})
      expect(std::ranges::count_if(shown_.networks, [&](const Json& one) { return one["Name"].text() == name; }) < 2,
             "there is more than one network " + std::string(name));
    check_leftovers();
    return problem_;
  }
  /// "" when nothing of the project is left but its volumes, and with `volumes` not even those.
  std::string down(bool volumes) {
    for (const Json& one : shown_.containers)
      expect(Shown::project_of(one) != "shop", std::string(Shown::name_of(one)) + " is left");
    for (const Json& one : shown_.networks)
      expect(Shown::label(one["Labels"], plan::label::kProject) != "shop",
             "network " + std::string(one["Name"].text()) + " is left");
    for (const Json& one : shown_.volumes)
      expect(!volumes || Shown::label(one["Labels"], plan::label::kProject) != "shop",
             "volume " + std::string(one["Name"].text()) + " is left");
    check_leftovers();
    return problem_;
  }

 private:
  // Names that only a run under way has.
  void check_leftovers() {
    expect(!shown_.has_volume(std::string(plan::kLockPrefix) + "shop"), "the lock was left behind");
    for (const Json& one : shown_.volumes) {
      const std::string_view name = one["Name"].text();
      if (!name.starts_with(plan::kFilesPrefix)) continue;
      const bool used = std::ranges::any_of(shown_.containers, [&](const Json& container) {
        return std::ranges::any_of(container["Mounts"].items(),
                                   [&](const Json& mount) { return mount["Name"].text() == name; });
      });
      expect(used, "volume " + std::string(name) + " is left and nobody's");
    }
  }

  // The container of that number, whatever number berth gave it: scaled services may have gaps.
  void check_service(const RandomService& service, int number) {
    int seen = 0;
    for (const Json& one : shown_.containers) {
      const Json& labels = one["Config"]["Labels"];
      const bool ours = Shown::project_of(one) == "shop" && Shown::label(labels, plan::label::kService) == service.name;
      if (ours && ++seen == number) check_container(one, service);
    }
    expect(seen >= number, "there are only " + std::to_string(seen) + " of " + service.name);
  }
  void check_container(const Json& one, const RandomService& service) {
    const std::string who(Shown::name_of(one));
    const std::string label(Shown::label(one["Config"]["Labels"], plan::label::kNumber));
    // A name that somebody had chosen stays when the choice is taken back.
    const bool proper = who == "shop-" + service.name + "-" + label && !service.named;
    expect(proper || who == "shop-my-" + service.name, who + " is a strange name for " + service.name + " " + label);
    const std::string_view status = one.at("State.Status").text();
    expect(service.name == "job" ? status == "exited" && one.at("State.ExitCode").integer() == 0 : status == "running",
           who + " is " + std::string(status));
    expect(one["Config"]["Env"].dump().find("DEBUG=" + std::to_string(service.version) + "\"") != std::string::npos,
           who + " is of another version");
    if (service.secret) expect(engine_.file(who, "/run/secrets/key") == "value", who + " runs without its secret");
    check_networks(one, service);
  }
  void check_networks(const Json& container, const RandomService& service) {
    if (service.name == "side") return;
    const Json& networks = container.at("NetworkSettings.Networks");
    const std::string who(Shown::name_of(container));
    for (const auto& [name, member] : {std::pair("shop_front", service.front), std::pair("shop_back", service.back),
                                       std::pair("outside", service.outside)}) {
      // Of a network of others (a proxy's, say) nobody knows who had joined it: the container stays there.
      const bool may_stay = name == std::string_view("outside");
      expect(networks.contains(name) || !member, who + " is not on " + name);
      expect(member || may_stay || !networks.contains(name), who + " is on " + name);
      const std::string_view id = networks[name]["NetworkID"].text();
      if (member && !id.empty()) expect(shown_.has_network(id), who + " is on a network that is gone");
    }
  }
  void expect(bool held, const std::string& what) {
    if (!held && problem_.empty()) problem_ = what;
  }

  const berth::testing::FakeEngine& engine_;
  const RandomProject& project_;
  const Shown shown_;
  std::string problem_{};
};

}  // namespace berth::compose::testing
