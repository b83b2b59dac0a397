// How planning grows with the project: nothing there yet, all as it should be, all changed, and taking it down.
#include "compose/plan.h"

#include <benchmark/benchmark.h>

#include "compose/plan_world_test.h"

namespace berth::compose {
namespace {

// Services with what planners look at: a dependency each, two networks, a volume, environment, a health check.
Project project_of(int services, const std::string& mode, bool own_images = false) {
  Json all = Json::object(), volumes = Json::object();
  Json::Object members;
  for (int i = 0; i < services; ++i) {
    const std::string n = std::to_string(i);
    Json config = Json::object({{"image", own_images ? "web" + n + ":1" : "web:1"},
                                {"environment", Json::object({{"MODE", mode}, {"URL", "http://web" + n + ":80/?a=b"}})},
                                {"restart", "unless-stopped"}});
    config.set("networks", Json::object({{"front", Json()}, {"back", Json()}}));
    config.set("volumes",
               Json::array({Json::object({{"type", "volume"}, {"source", "data" + n}, {"target", "/data"}})}));
    config.set("healthcheck", Json::object({{"test", Json::array({"CMD", "/web", "--health"})}}));
    if (i % 10 != 0)
      config.set("depends_on",
                 Json::object({{"web" + std::to_string(i - 1), Json::object({{"condition", "service_started"}})}}));
    members.emplace_back("web" + n, std::move(config));
    volumes.members_mut().emplace_back("data" + n, Json::object({{"name", "shop_data" + n}}));
  }
  all.members_mut() = std::move(members);
  Json networks = Json::object(
      {{"front", Json::object({{"name", "shop_front"}})}, {"back", Json::object({{"name", "shop_back"}})}});
  return testing::project_of(
      Json::object({{"services", std::move(all)}, {"volumes", std::move(volumes)}, {"networks", std::move(networks)}}));
}

// A project in one mode, and the world as after it was brought up in another ("" for an empty one).
struct Scene {
  Project project;
  plan::Observed observed;
};
Scene scene_of(int services, const std::string& was) {
  Scene scene{.project = project_of(services, "production"), .observed = {}};
  testing::World world;
  world.add_image("web:1");
  if (!was.empty()) world.bring_up(project_of(services, was));
  scene.observed = world.observe(scene.project);
  return scene;
}

template <class Planner>
void measure(benchmark::State& state, const std::string& was, const Planner& planner) {
  const Scene scene = scene_of(static_cast<int>(state.range(0)), was);
  for (auto _ : state) {
    auto plan = planner(scene);
    if (!plan) state.SkipWithError(plan.error().message.c_str());
    benchmark::DoNotOptimize(plan);
  }
  state.SetComplexityN(state.range(0));
}

const auto kUp = [](const Scene& scene) { return plan_up(scene.project, scene.observed); };

void up_first(benchmark::State& state) {
  measure(state, "", kUp);
}
void up_again(benchmark::State& state) {
  measure(state, "production", kUp);
}
void up_changed(benchmark::State& state) {
  measure(state, "development", kUp);
}
// An image to pull for each service.
void up_pulled(benchmark::State& state) {
  const Project project = project_of(static_cast<int>(state.range(0)), "production", true);
  const auto observed = testing::World().observe(project);
  for (auto _ : state) benchmark::DoNotOptimize(plan_up(project, observed));
  state.SetComplexityN(state.range(0));
}
void down(benchmark::State& state) {
  measure(state, "production", [](const Scene& scene) { return plan_down(scene.project, scene.observed); });
}
void down_volumes(benchmark::State& state) {
  measure(state, "production",
          [](const Scene& scene) { return plan_down(scene.project, scene.observed, {.volumes = true}); });
}
#define SIZES RangeMultiplier(10)->Range(10, 10000)->Unit(benchmark::kMicrosecond)->Complexity(benchmark::oN)
BENCHMARK(up_first)->SIZES;
BENCHMARK(up_again)->SIZES;
BENCHMARK(up_changed)->SIZES;
BENCHMARK(up_pulled)->SIZES;
BENCHMARK(down)->SIZES;
BENCHMARK(down_volumes)->SIZES;

}  // namespace
}  // namespace berth::compose
