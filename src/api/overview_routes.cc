#include "api/engine_world.h"
#include "engine/system.h"

namespace berth::api {
namespace {

io::Task<Result<Reply>> overview(EngineWorld& world, Call& call) {
  const auto containers = CO_TRY(co_await world.desk.containers());
  std::int64_t running = 0, stopped = 0, unhealthy = 0;
  std::set<std::string> projects;
  for (const ContainerItem& item : *containers) {
    if (!may_view(call, item.project)) continue;
    ++(item.state == "running" ? running : stopped);
    if (item.health == "unhealthy") ++unhealthy;
    if (!item.project.empty()) projects.insert(item.project);
  }
  Json engine = Json::object(), stale = world.desk.stale();
  Json images, volumes;
  if (const auto client = world.desk.client()) {
    const Json info = CO_TRY(co_await engine::engine_info(**client));
    engine = Json::object({{"name", info["Name"].text()},
                           {"version", info["ServerVersion"].text()},
                           {"apiVersion", (*client)->version().text()},
                           {"os", info["OperatingSystem"].text()},
                           {"cpus", info["NCPU"].integer()},
                           {"memory", info["MemTotal"].integer()},
                           {"storage", info["Driver"].text()}});
    images = info["Images"].integer();
    volumes = static_cast<std::int64_t>(CO_TRY(co_await world.desk.list(Kind::volume))->size());
  }
  Json alerts = Json::array();
  if (!stale.is_null())
    alerts.push(Json::object({{"level", "error"}, {"text", stale["why"].text()}, {"subject", "engine"}}));
  if (unhealthy > 0)
    alerts.push(Json::object({{"level", "warning"},
                              {"text", std::to_string(unhealthy) + " of the containers are unhealthy"},
                              {"subject", "containers"}}));
  co_return Reply{
      .body = Json::object(
          {{"engine", std::move(engine)},
           {"containers", Json::object({{"running", running}, {"stopped", stopped}, {"unhealthy", unhealthy}})},
           {"projects", static_cast<std::int64_t>(projects.size())},
           {"images", std::move(images)},
           {"volumes", std::move(volumes)},
           {"alerts", std::move(alerts)},
           {"stale", std::move(stale)}})};
}

}  // namespace

Routes overview_routes(EngineWorld& world) {
  return {{"GET",
           "/api/v1/overview",
           Permission::view,
           Where::loaded,
           "What the first page shows",
           at_engine(world, overview),
           {kEngine}}};
}

Routes engine_routes(EngineWorld& world) {
  Routes all;
  for (auto* part : {overview_routes, container_routes, file_routes, log_routes, project_log_routes, stats_routes,
                     settings_routes, image_routes, image_prune_routes, image_build_routes, network_routes,
                     volume_routes, backup_routes, event_routes, terminal_routes, plain_routes})
    std::ranges::move(part(world), std::back_inserter(all));
  return all;
}

}  // namespace berth::api
