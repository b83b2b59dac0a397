// Small random projects and their changes, for simulation_test.cc.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "compose/project_world_test.h"

namespace berth::compose::testing {

/// Chance from a seed: the same in every run and on every machine.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : engine_(seed) {}
  /// 0 .. count - 1. REQUIRES: count > 0.
  int below(int count) { return static_cast<int>(engine_() % static_cast<std::uint64_t>(count)); }
  bool percent(int often) { return below(100) < often; }

 private:
  std::mt19937_64 engine_;
};

/// One service. Whoever changes a field sees it in an engine's inspect.
struct RandomService {
  std::string name{};
  bool present = false;
  int scale = 1;
  int version = 0;                                   ///< DEBUG in its environment
  bool healthy = false;                              ///< has a health check
  bool named = false;                                ///< container_name; with a scale of 1 at most
  bool front = true, back = false, outside = false;  ///< its networks
  bool data = false;                                 ///< the named volume
  bool anonymous = false;                            ///< an anonymous volume
  bool secret = false;                               ///< one that is copied in
  bool newer_image = false;
  bool read_only = false;  ///< its root: what is copied in lies in volumes
  bool routed = false;     ///< edges send requests to it
  bool probed = false;     ///< has an x-berth.ready
  bool hooked = false;     ///< has post_start and pre_stop hooks
  int prepared = 0;        ///< pre_start containers: 1 for the service, 2 for each replica

  std::string container(int number) const {
    return named ? "shop-my-" + name : "shop-" + name + "-" + std::to_string(number);
  }
};

/// A project: "db", "job" that ends by itself and that "web" waits for, "web" that depends on both, "side" in the
/// namespace of "db", "extra" on its own.
class RandomProject {
 public:
  explicit RandomProject(Chance& chance) : chance_(chance) {
    for (std::size_t i = 0; i < services.size(); ++i) services[i].name = kNames[i];
    for (RandomService& service : services) {
      service.present = chance_.percent(80);
      service.routed = chance_.percent(50);
      for (int i = 0; i < 4; ++i) change(service);
    }
    settle();
  }

  /// One or more changes, told in `said`.
  void mutate() {
    said.clear();
    for (RandomService& service : services)
      if (service.present && service.routed && chance_.percent(30)) {
        ++service.version;
        said += " " + service.name;
      }
    for (int i = 1 + chance_.below(3); i > 0; --i) {
      if (const int what = chance_.below(10); what == 0) {
        ++options_[static_cast<std::size_t>(chance_.below(2))];
        said += " network-options";
      } else if (what == 1) {
        ++volume_option_;
        said += " volume-options";
      } else {
        change(services[static_cast<std::size_t>(chance_.below(static_cast<int>(services.size())))]);
      }
    }
    settle();
  }

  Project project() const {
    Json document = Json::object({{"services", Json::object()}});
    for (const RandomService& service : services)
      if (service.present) document.slot("services").set(service.name, config_of(service));
    Json networks = Json::object({{"outside", Json::object({{"name", "outside"}, {"external", true}})}});
    for (std::size_t i = 0; i < options_.size(); ++i)
      networks.set(i ? "back" : "front",
                   Json::object({{"name", i ? "shop_back" : "shop_front"},
                                 {"driver_opts", Json::object({{"mtu", std::to_string(1400 + options_[i])}})}}));
    document.set("networks", std::move(networks));
    document.set("volumes", Json::object({{"data", Json::object({{"name", "shop_data"}})}}));
    if (volume_option_ > 0)
      document.slot("volumes").slot("data").set("driver_opts", Json::object({{"o", std::to_string(volume_option_)}}));
    document.set("secrets", Json::object({{"key", Json::object({{"environment", "KEY"}})}}));
    document.set("environment", Json::object({{"KEY", "value"}}));
    return project_of(document);
  }

  bool shares_namespace(const RandomService& service) const { return service.name == "side"; }

  std::array<RandomService, 5> services{};
  std::string said{};

 private:
  static constexpr std::array<std::string_view, 5> kNames = {"db", "job", "web", "side", "extra"};
  enum Index : std::size_t { kDb, kJob, kWeb, kSide };

  void change(RandomService& service) {
    said += " " + service.name;
    switch (chance_.below(17)) {
      case 0:
        service.scale = chance_.below(4);
        break;
      case 1:
        service.healthy = !service.healthy;
        break;
      case 2:
        service.named = !service.named;
        break;
      case 3:
        service.front = !service.front;
        break;
      case 4:
        service.back = !service.back;
        break;
      case 5:
        service.outside = !service.outside;
        break;
      case 6:
        service.data = !service.data;
        break;
      case 7:
        service.anonymous = !service.anonymous;
        break;
      case 8:
        service.secret = !service.secret;
        break;
      case 9:
        service.newer_image = !service.newer_image;
        break;
      case 10:
        service.present = !service.present;
        break;
      case 11:
        service.read_only = !service.read_only;
        break;
      case 12:
        service.routed = !service.routed;
        break;
      case 13:
        service.probed = !service.probed;
        break;
      case 14:
        service.hooked = !service.hooked;
        break;
      case 15:
        service.prepared = chance_.below(3);
        break;
      default:
        ++service.version;
    }
  }

  // Takes back what no project can have.
  void settle() {
    RandomService &db = services[kDb], &job = services[kJob], &web = services[kWeb], &side = services[kSide];
    job.present = job.present && web.present && web.scale > 0;
    job.healthy = job.routed = job.probed = job.hooked = false;
    job.scale = job.scale > 0 ? 1 : 0;
    if (job.scale == 0) job.present = false;
    side.present = side.present && db.present;
    side.front = side.back = side.outside = side.routed = false;
    if (side.present && db.scale == 0) db.scale = 1;
    for (RandomService& service : services) {
      if (service.named && service.scale > 1) service.scale = 1;
      if (&service != &side && !service.front && !service.back && !service.outside) service.front = true;
    }
  }

  Json config_of(const RandomService& service) const {
    Json config = Json::object({{"image", service.newer_image ? "app:2" : "app:1"}, {"scale", service.scale}});
    config.set("environment", Json::object({{"DEBUG", std::to_string(service.version)}}));
    if (service.named) config.set("container_name", service.container(1));
    if (service.healthy)
      config.set("healthcheck", Json::object({{"test", Json::array({"CMD", "true"})}, {"interval", "1s"}}));
    for (const auto& [key, member] :
         {std::pair("front", service.front), std::pair("back", service.back), std::pair("outside", service.outside)})
      if (member) config.slot("networks").set(key, Json());
    if (service.data) config.slot("volumes").push(volume("data", "/data"));
    if (service.anonymous) config.slot("volumes").push(volume("", "/anonymous"));
    if (service.secret) config.slot("secrets").push(Json::object({{"source", "key"}, {"target", "/run/secrets/key"}}));
    if (service.read_only) config.set("read_only", true);
    if (service.routed) config.slot("labels").set("traefik.enable", "true");
    if (service.routed && service.version % 2 == 1) config.slot("labels").set("berth.rollout", "start-first");
    // 0: all replicas at once.
    if (service.version % 3 != 0)
      config.set("deploy", Json::object({{"update_config", Json::object({{"parallelism", service.version % 3 - 1}})}}));
    if (service.probed) config.set("x-berth.ready", Json::object({{"exec", Json::array({"ready"})}}));
    add_hooks(config, service);
    if (service.name == "side") config.set("network_mode", "service:db");
    if (Json needs = dependencies_of(service); !needs.is_null()) config.set("depends_on", std::move(needs));
    return config;
  }

  static void add_hooks(Json& config, const RandomService& service) {
    for (const char* when : {"post_start", "pre_stop"})
      if (service.hooked) config.slot(when).push(Json::object({{"command", Json::array({"hook", when})}}));
    if (service.prepared == 0) return;
    Json hook = Json::object({{"command", Json::array({"prepare"})}});
    if (service.prepared == 2) hook.set("per_replica", true);
    config.slot("pre_start").push(std::move(hook));
  }

  static Json volume(std::string_view source, std::string_view target) {
    Json out = Json::object({{"type", "volume"}});
    if (!source.empty()) out.set("source", source);
    out.set("target", target);
    return out;
  }

  Json dependencies_of(const RandomService& service) const {
    const RandomService &db = services[kDb], &job = services[kJob];
    Json out;
    if (service.name == "side") out.set("db", Json::object({{"condition", "service_started"}, {"restart", true}}));
    if (service.name != "web") return out;
    if (db.present && db.scale > 0)
      out.set("db", Json::object({{"condition", db.healthy || db.probed ? "service_healthy" : "service_started"},
                                  {"restart", db.version % 2 == 1}}));
    if (job.present) out.set("job", Json::object({{"condition", "service_completed_successfully"}}));
    return out;
  }

  Chance& chance_;
  std::array<int, 2> options_{};
  int volume_option_ = 0;
};

}  // namespace berth::compose::testing
