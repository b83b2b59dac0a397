// Edges in memory, for simulation_test.cc: who gets requests, as core and its edge decide it, over a fake engine.
#pragma once

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "io/scope.h"
#include "plan/observed.h"
#include "plan/traffic.h"
#include "testing/fake_engine.h"

namespace berth::compose::testing {

/// Thread: its loop's.
class SimulatedTraffic final : public plan::Traffic {
 public:
  /// What becomes of a question.
  struct Fate {
    bool lost = false;  ///< it is not answered
    bool done = true;   ///< its effect happens
  };
  using Decide = std::function<Fate(const std::string& question)>;
  SimulatedTraffic(const berth::testing::FakeEngine& engine, Decide decide)
      : engine_(engine), decide_(std::move(decide)) {}

  bool edge = true;             ///< a serve with an edge answers
  bool slow = false;            ///< requests outlast every drain
  io::Duration begins_after{};  ///< until a new container accepts connections
  static constexpr auto kLabel = "traefik.enable";

  io::Task<plan::TrafficView> view() override {
    if (decide_("view").lost || !edge) co_return plan::TrafficView{.why = "no berth serve answers"};
    plan::TrafficView out{.edge = true};
    for (const auto& one : serving()) out.routed[one.first] = {8080};
    co_return out;
  }

  io::Task<Result<plan::Routing>> route(std::string id, std::chrono::seconds most) override {
    const Fate fate = decide_("route " + id.substr(0, 12));
    if (fate.done) {
      auto routed = co_await io::within(most, reached(*this, id));
      if (!routed) co_return routed;
      if (!fate.lost) co_return routed;
    }
    co_return lost();
  }

  io::Task<Result<plan::Drained>> drain(std::string id, std::chrono::seconds most) override {
    const Fate fate = decide_("drain " + id.substr(0, 12));
    if (fate.done) {
      leaving_.insert(id);
      if (serving().contains(id)) {
        leaving_.erase(id);
        co_return fail(Code::conflict, "no other container answers its requests");
      }
      CO_TRY(co_await io::sleep_for(slow ? io::Duration(most) : io::Duration(std::chrono::seconds(1))));
    }
    if (fate.lost) co_return lost();
    co_return slow ? plan::Drained::forced : plan::Drained::empty;
  }

  /// Container -> service, of those that get requests now.
  std::map<std::string, std::string> serving() const {
    const std::vector<Json> all = engine_.containers();
    std::set<std::string_view> up;
    for (const Json& one : all)
      if (one.at("State.Running").boolean()) up.insert(one["Id"].text());
    std::vector<const Json*> able;
    for (const Json& one : all)
      if (up.contains(one["Id"].text()) && may_serve(one, up)) able.push_back(&one);
    std::map<std::string, std::string> out;
    for (const Json* one : able)
      if (!leaving_.contains(id_of(*one)) || !somebody_else(able, *one)) out[id_of(*one)] = service_of(*one);
    return out;
  }
  /// core begins anew and knows nothing of what it was asked.
  void restart() {
    admitted_.clear();
    leaving_.clear();
  }

 private:
  static std::string id_of(const Json& container) { return std::string(container["Id"].text()); }
  static std::string_view label(const Json& container, std::string_view name) {
    return container["Config"]["Labels"][name].text();
  }
  static std::string service_of(const Json& container) { return std::string(label(container, plan::label::kService)); }
  static std::unexpected<Error> lost() { return fail(Code::unavailable, "berth serve went away"); }

  bool may_serve(const Json& container, const std::set<std::string_view>& up) const {
    if (label(container, kLabel) != "true") return false;
    if (const std::string_view health = container.at("State.Health.Status").text();
        health != "healthy" && !health.empty())
      return false;
    return !up.contains(label(container, plan::label::kReplace)) || admitted_.contains(id_of(container));
  }
  bool somebody_else(const std::vector<const Json*>& able, const Json& container) const {
    return std::ranges::any_of(able, [&](const Json* one) {
      return service_of(*one) == service_of(container) && !leaving_.contains(id_of(*one));
    });
  }

  static io::Task<Result<plan::Routing>> reached(SimulatedTraffic& self, std::string id) {
    while (true) {
      const std::vector<Json> all = self.engine_.containers();
      const auto found = std::ranges::find(all, std::string_view(id), [](const Json& one) { return one["Id"].text(); });
      if (found == all.end() || !found->at("State.Running").boolean())
        co_return fail(Code::conflict, "the container is gone");
      if (label(*found, kLabel) != "true") co_return plan::Routing::none;
      const std::string_view health = found->at("State.Health.Status").text();
      if (health == "unhealthy") co_return fail(Code::conflict, "the container is unhealthy");
      if (health != "starting") break;
      CO_TRY(co_await io::sleep_for(std::chrono::seconds(1)));
    }
    if (self.begins_after > io::Duration::zero()) CO_TRY(co_await io::sleep_for(self.begins_after));
    self.admitted_.insert(id);
    self.leaving_.erase(id);
    if (!self.serving().contains(id)) co_return fail(Code::conflict, "the container stopped while it was routed");
    co_return plan::Routing::routed;
  }

  const berth::testing::FakeEngine& engine_;
  Decide decide_;
  std::set<std::string> admitted_{}, leaving_{};  // ids
};

}  // namespace berth::compose::testing
