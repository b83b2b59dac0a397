#include <algorithm>

#include "api/engine_world.h"
#include "engine/container.h"

namespace berth::api {
namespace {

using std::chrono::minutes;

io::Task<Result<Reply>> list(EngineWorld& world, Call& call) {
  const auto containers = CO_TRY(co_await world.desk.containers());
  const std::string_view project = call.option("project"), state = call.option("state"), name = call.option("name");
  std::vector<Json> shown;
  for (const ContainerItem& item : *containers) {
    if (!may_view(call, item.project)) continue;
    if (call.query.contains("project") && item.project != project) continue;
    if (!state.empty() && item.state != state && item.health != state) continue;
    if (!name.empty() && item.name.find(name) == std::string::npos) continue;
    shown.push_back(item.shown);
  }
  co_return page(call, std::move(shown), world.desk.stale());
}

io::Task<Result<Reply>> show(EngineWorld& world, Call& call) {
  const ContainerItem item = CO_TRY(co_await load_container(world, call, Permission::view));
  const auto client = CO_TRY(world.desk.client());
  const Json inspect = CO_TRY(co_await engine::inspect_container(*client, item.id));
  co_return Reply{.body = container_page(inspect, {.values = auth::may(call.who, Permission::reveal, item.project),
                                                   .output = auth::may(call.who, Permission::logs, item.project)})};
}

io::Task<Result<Reply>> inspect(EngineWorld& world, Call& call) {
  const ContainerItem item = CO_TRY(co_await load_container(world, call, Permission::reveal));
  const auto client = CO_TRY(world.desk.client());
  co_return Reply{.body = CO_TRY(co_await engine::inspect_container(*client, item.id))};
}

using Deed = io::Task<Result<void>> (*)(engine::Client& client, std::string id);

// The new state of the container.
io::Task<Result<Reply>> act(EngineWorld& world, Call& call, Deed deed) {
  const ContainerItem item = CO_TRY(co_await load_container(world, call, Permission::act));
  const auto client = CO_TRY(world.desk.client());
  CO_TRY(co_await deed(*client, item.id));
  world.desk.changed(Kind::container);
  const auto containers = CO_TRY(co_await world.desk.containers());
  const auto found = std::ranges::find(*containers, item.id, &ContainerItem::id);
  if (found == containers->end()) co_return Reply{.status = 204};  // --rm
  co_return Reply{.body = found->shown};
}

io::Task<Result<void>> stop_one(engine::Client& client, std::string id) {
  return engine::stop_container(client, std::move(id));
}
io::Task<Result<void>> restart_one(engine::Client& client, std::string id) {
  return engine::restart_container(client, std::move(id));
}

template <Deed deed>
io::Task<Result<Reply>> act_by(EngineWorld& world, Call& call) {
  return act(world, call, deed);
}

io::Task<Result<Reply>> kill(EngineWorld& world, Call& call) {
  const ContainerItem item = CO_TRY(co_await load_container(world, call, Permission::act));
  const std::string signal(call.body["signal"].text());
  call.record.difference = Json::object({{"signal", signal.empty() ? "SIGKILL" : signal}});
  const auto client = CO_TRY(world.desk.client());
  CO_TRY(co_await engine::kill_container(*client, item.id, signal));
  world.desk.changed(Kind::container);
  co_return Reply{.status = 204};
}

io::Task<Result<Reply>> remove(EngineWorld& world, Call& call) {
  const ContainerItem item = CO_TRY(co_await load_container(world, call, Permission::remove));
  const engine::RemoveContainer how{.force = call.flag("force"), .volumes = call.flag("volumes")};
  call.record.difference = Json::object({{"force", how.force}, {"volumes", how.volumes}});
  const auto client = CO_TRY(world.desk.client());
  CO_TRY(co_await engine::remove_container(*client, item.id, how));
  world.desk.changed(Kind::container);
  world.desk.changed(Kind::volume);
  co_return Reply{.status = 204};
}

io::Task<Result<void>> create_job(EngineWorld& world, CreateOrder order, job::Log& log) {
  const TellLine tell = [&log](std::string_view line, const Json& progress) {
    log.say(line, job::Level::info, progress);
  };
  CO_TRY(co_await create_and_start(world, std::move(order), tell));
  co_return Result<void>{};
}

io::Task<Result<Reply>> create(EngineWorld& world, Call& call) {
  CreateOrder wanted = CO_TRY(create_order(call.body, CO_TRY(co_await limits_of(world))));
  call.record.subject = "container:" + wanted.name;
  const Json& host = wanted.body["HostConfig"];
  call.record.difference = Json::object({{"image", wanted.image},
                                         {"ports", call.body["ports"]},
                                         {"memory", host["Memory"]},
                                         {"nanoCpus", host["NanoCpus"]}});
  co_return co_await api::order(world, call, "container.create",
                                [&world, wanted](job::Log& log) { return create_job(world, wanted, log); });
}

io::Task<Result<Reply>> changes(EngineWorld& world, Call& call) {
  const ContainerItem item = CO_TRY(co_await load_container(world, call, Permission::exec));
  const auto client = CO_TRY(world.desk.client());
  const Json listed = CO_TRY(co_await engine::container_changes(*client, item.id));
  std::vector<Json> items;
  constexpr std::string_view kKinds[] = {"changed", "added", "removed"};
  for (const Json& each : listed.items()) {
    const auto kind = static_cast<std::size_t>(std::clamp<std::int64_t>(each["Kind"].integer(), 0, 2));
    items.push_back(Json::object({{"path", each["Path"].text()}, {"kind", kKinds[kind]}}));
  }
  co_return page(call, std::move(items));
}

// Command lines of processes may hold secrets.
io::Task<Result<Reply>> top(EngineWorld& world, Call& call) {
  const ContainerItem item = CO_TRY(co_await load_container(world, call, Permission::reveal));
  const auto client = CO_TRY(world.desk.client());
  const Json listed = CO_TRY(co_await engine::container_top(*client, item.id));
  co_return Reply{.body = Json::object({{"titles", listed["Titles"]}, {"processes", listed["Processes"]}})};
}

// Of all of them.
Routes list_routes(EngineWorld& world) {
  Routes routes;
  routes.push_back({"GET",
                    "/api/v1/containers",
                    Permission::view,
                    Where::loaded,
                    "Containers, also those that do not run",
                    at_engine(world, list),
                    {kEngine,
                     kLimit,
                     kCursor,
                     {.name = "project", .meaning = "of this project; empty: of none"},
                     {.name = "state", .meaning = "running, exited, paused, ... or a health"},
                     {.name = "name", .meaning = "a part of the name"}}});
  routes.push_back({.method = "POST",
                    .path = "/api/v1/containers",
                    .needs = Permission::engine,
                    .where = Where::whole,
                    .summary = "Pull, create and start a container, always with bounds of memory and CPU; a job",
                    .handler = at_engine(world, create),
                    .query = {kEngine},
                    .fields = {{.name = "image", .meaning = "a reference", .required = true},
                               {.name = "name"},
                               {.name = "ports", .type = "array", .meaning = "[ADDRESS:]HOST:CONTAINER[/udp]"},
                               {.name = "env", .type = "object", .meaning = "names and values"},
                               {.name = "command", .type = "array"},
                               {.name = "memory", .type = "integer", .meaning = "bytes; the setting unless said"},
                               {.name = "cpus", .type = "number", .meaning = "the setting unless said"},
                               {.name = "restart", .meaning = "no, always, unless-stopped, on-failure"},
                               {.name = "volumes", .type = "array", .meaning = "NAME:/PATH[:ro]"},
                               {.name = "networks", .type = "array", .meaning = "at most one name"},
                               {.name = "pull", .type = "boolean", .meaning = "where the image is missing; true"}},
                    .verb = "container.create"});
  return routes;
}

}  // namespace

Routes container_routes(EngineWorld& world) {
  const auto one = [&](std::string_view method, std::string_view path, Permission needs, std::string_view summary,
                       EngineAnswer answer) {
    return Route{method, path, needs, Where::loaded, summary, at_engine(world, answer), {kEngine}};
  };
  const auto deed = [&](std::string_view path, std::string_view summary, EngineAnswer answer, std::string_view verb) {
    return Route{.method = "POST",
                 .path = path,
                 .needs = Permission::act,
                 .where = Where::loaded,
                 .summary = summary,
                 .handler = at_engine(world, answer),
                 .query = {kEngine},
                 .verb = verb,
                 .deadline = minutes(11)};
  };
  Routes routes = list_routes(world);
  routes.push_back(one("GET", "/api/v1/containers/{id}", Permission::view, "One container", show));
  routes.push_back(one("GET", "/api/v1/containers/{id}/inspect", Permission::reveal, "As the engine says it", inspect));
  routes.push_back(
      deed("/api/v1/containers/{id}/start", "Start it", act_by<engine::start_container>, "container.start"));
  routes.push_back(deed("/api/v1/containers/{id}/stop", "Stop it", act_by<stop_one>, "container.stop"));
  routes.push_back(deed("/api/v1/containers/{id}/restart", "Restart it", act_by<restart_one>, "container.restart"));
  routes.push_back(
      deed("/api/v1/containers/{id}/pause", "Pause it", act_by<engine::pause_container>, "container.pause"));
  routes.push_back(
      deed("/api/v1/containers/{id}/unpause", "Go on", act_by<engine::unpause_container>, "container.unpause"));
  Route kills = deed("/api/v1/containers/{id}/kill", "Send a signal", kill, "container.kill");
  kills.fields = {{.name = "signal", .meaning = "SIGKILL unless said"}};
  routes.push_back(std::move(kills));
  Route removes = one("DELETE", "/api/v1/containers/{id}", Permission::remove, "Remove it", remove);
  removes.query.push_back({.name = "force", .type = "boolean", .meaning = "kill it first"});
  removes.query.push_back({.name = "volumes", .type = "boolean", .meaning = "its anonymous volumes too"});
  removes.verb = "container.remove";
  routes.push_back(std::move(removes));
  Route changed = one("GET", "/api/v1/containers/{id}/changes", Permission::exec, "Files that differ", changes);
  changed.query.push_back(kLimit);
  changed.query.push_back(kCursor);
  routes.push_back(std::move(changed));
  routes.push_back(one("GET", "/api/v1/containers/{id}/top", Permission::reveal, "Its processes", top));
  return routes;
}

}  // namespace berth::api
