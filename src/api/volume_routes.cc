// Volumes: each belongs to a project by its labels, or to none.
#include <algorithm>
#include <set>

#include "api/engine_world.h"
#include "api/volume_desk.h"
#include "engine/network.h"

namespace berth::api {
namespace {

Json text_or_null(std::string_view text) {
  return text.empty() ? Json() : Json(text);
}

// Names of the containers that mount it.
Json users_of(std::string_view volume, const Json& containers) {
  Json out = Json::array();
  for (const Json& container : containers.items()) {
    if (container["Labels"]["berth.owner"].text() == "backup") continue;  // lends it to a copy for a moment
    for (const Json& mount : container["Mounts"].items())
      if (mount["Type"].text() == "volume" && mount["Name"].text() == volume) {
        std::string_view name = container["Names"].items().empty() ? "" : container["Names"].items()[0].text();
        if (name.starts_with('/')) name.remove_prefix(1);
        out.push(name);
      }
  }
  return out;
}

// Projects of the containers that mount it, its own too.
Json projects_of(const Json& volume, const Json& containers) {
  std::set<std::string> found;
  const std::string_view name = volume["Name"].text();
  for (const Json& container : containers.items())
    for (const Json& mount : container["Mounts"].items())
      if (mount["Type"].text() == "volume" && mount["Name"].text() == name)
        found.insert(project_of(container["Labels"]));
  found.insert(project_of(volume["Labels"]));
  found.erase("");
  Json out = Json::array();
  for (const std::string& project : found) out.push(project);
  return out;
}

Json volume_item(EngineWorld& world, const Call& call, const Json& volume, const Json& containers) {
  const std::string_view name = volume["Name"].text();
  Json used_by = users_of(name, containers);
  const bool unused = used_by.size() == 0;
  const VolumeDesk::Sizes& sizes = world.volumes.sizes();
  const auto size = sizes.bytes.find(name);
  const bool known = !world.elsewhere && size != sizes.bytes.end();
  Json projects = Json::array();
  for (const Json& project : projects_of(volume, containers).items())
    if (may_view(call, project.text())) projects.push(project);
  return Json::object({{"name", name},
                       {"driver", volume["Driver"].text()},
                       {"project", text_or_null(project_of(volume["Labels"]))},
                       {"createdAt", milliseconds_of(volume["CreatedAt"].text())},
                       {"size", known ? Json(size->second) : Json()},
                       {"sizeAt", known ? Json(sizes.at) : Json()},
                       {"usedBy", std::move(used_by)},
                       {"projects", std::move(projects)},
                       {"unused", unused}});
}

io::Task<Result<Reply>> list_all_volumes(EngineWorld& world, Call& call) {
  const auto volumes = CO_TRY(co_await world.desk.list(Kind::volume));
  const auto containers = CO_TRY(co_await world.desk.list(Kind::container));
  if (!world.elsewhere) world.volumes.want_sizes();
  std::vector<Json> items;
  for (const Json& volume : volumes->items())
    if (may_view(call, project_of(volume["Labels"]))) items.push_back(volume_item(world, call, volume, *containers));
  std::ranges::sort(items, {}, [](const Json& item) { return std::string(item["name"].text()); });
  co_return page(call, std::move(items), world.desk.stale());
}

io::Task<Result<Reply>> show_volume(EngineWorld& world, Call& call) {
  const Json volume = CO_TRY(co_await load_volume(world, call, Permission::view));
  const auto containers = CO_TRY(co_await world.desk.list(Kind::container));
  if (!world.elsewhere) world.volumes.want_sizes();
  Json shown = volume_item(world, call, volume, *containers);
  const std::int64_t newest = world.elsewhere ? 0 : co_await newest_backup(world, std::string(volume["Name"].text()));
  shown.set("lastBackupAt", newest > 0 ? Json(newest * 1000) : Json());
  co_return Reply{.body = std::move(shown)};
}

io::Task<Result<Reply>> make_volume(EngineWorld& world, Call& call) {
  const auto client = CO_TRY(world.desk.client());
  const std::string name(call.body["name"].text());
  call.record.subject = "volume:" + name;
  for (const auto& [label, value] : call.body["labels"].members())
    if (label.starts_with("com.docker.compose.") || label.starts_with("berth."))
      co_return fail(Code::invalid, "labels: \"" + label + "\" is not for volumes that are made by hand");
  Json body = Json::object({{"Name", name}});
  if (call.body["labels"].size() > 0) body.set("Labels", call.body["labels"]);
  const Json made = CO_TRY(co_await engine::create_volume(*client, std::move(body)));
  world.desk.changed(Kind::volume);
  co_return Reply{.status = 201, .body = Json::object({{"name", made["Name"].text()}})};
}

io::Task<Result<Reply>> drop_volume(EngineWorld& world, Call& call) {
  const Json volume = CO_TRY(co_await load_volume(world, call, Permission::remove));
  const auto client = CO_TRY(world.desk.client());
  const std::string name(volume["Name"].text());
  co_await world.volumes.until_let_go(name);
  CO_TRY(co_await engine::remove_volume(*client, name));
  world.desk.changed(Kind::volume);
  co_return Reply{.status = 204};
}

// Whoever may open a terminal in the project's containers may read what they hold.
io::Task<Result<Reply>> list_files(EngineWorld& world, Call& call) {
  const Json volume = CO_TRY(co_await load_volume(world, call, Permission::exec));
  auto path = CO_TRY(path_parts(call.option("path")));
  co_return Reply{.body = CO_TRY(co_await world.volumes.list(std::string(volume["Name"].text()), std::move(path)))};
}

io::Task<Result<void>> send_file(EngineWorld& world, Call& call) {
  const Json volume = CO_TRY(co_await load_volume(world, call, Permission::exec));
  auto path = CO_TRY(path_parts(call.option("path")));
  co_return co_await world.volumes.send(call, std::string(volume["Name"].text()), std::move(path));
}

io::Task<Result<void>> measure_job(VolumeDesk& volumes, job::Log& log) {
  log.say("the engine sums up the files of all volumes");
  CO_TRY(co_await volumes.measure());
  log.say(std::to_string(volumes.sizes().bytes.size()) + " volumes measured");
  co_return Result<void>{};
}

io::Task<Result<Reply>> measure(EngineWorld& world, Call& call) {
  call.record.subject = "volume:*";
  co_return co_await order(world, call, "volume.measure",
                           [&volumes = world.volumes](job::Log& log) { return measure_job(volumes, log); });
}

}  // namespace

io::Task<Result<Json>> load_volume(EngineWorld& world, Call& call, Permission needs) {
  const std::string name(call.parameter("name"));
  const auto volumes = CO_TRY(co_await world.desk.list(Kind::volume));
  const auto found =
      std::ranges::find_if(volumes->items(), [&](const Json& each) { return each["Name"].text() == name; });
  if (found == volumes->items().end()) co_return fail(Code::not_found, "there is no volume \"" + name + "\"");
  const std::string project = project_of((*found)["Labels"]);
  call.record.project = project;
  if (!may_view(call, project)) co_return hide(call, "volume \"" + name + "\"");
  if (!auth::may(call.who, needs, project)) co_return lacks(call, needs);
  co_return *found;
}

Routes volume_routes(EngineWorld& world) {
  return {{"GET",
           "/api/v1/volumes",
           Permission::view,
           Where::loaded,
           "Volumes",
           at_engine(world, list_all_volumes),
           {kEngine, kLimit, kCursor}},
          {"GET",
           "/api/v1/volumes/{name}",
           Permission::view,
           Where::loaded,
           "One volume",
           at_engine(world, show_volume),
           {kEngine}},
          {"GET",
           "/api/v1/volumes/{name}/files",
           Permission::exec,
           Where::loaded,
           "What a folder of it holds",
           at_local(world, list_files),
           {kEngine, kPath}},
          {"GET",
           "/api/v1/volumes/{name}/files/content",
           Permission::exec,
           Where::loaded,
           "A file of it, or a folder as tar, to be saved",
           at_local(world, send_file),
           {kEngine, kPath}},
          {.method = "POST",
           .path = "/api/v1/volumes/sizes",
           .needs = Permission::engine,
           .where = Where::whole,
           .summary = "Measure all volumes; a job",
           .handler = at_engine(world, measure),
           .verb = "volume.measure"},
          {.method = "POST",
           .path = "/api/v1/volumes",
           .needs = Permission::engine,
           .where = Where::whole,
           .summary = "Make a volume",
           .handler = at_engine(world, make_volume),
           .fields = {{.name = "name", .required = true}, {.name = "labels", .type = "object"}},
           .verb = "volume.create"},
          {.method = "DELETE",
           .path = "/api/v1/volumes/{name}",
           .needs = Permission::remove,
           .where = Where::loaded,
           .summary = "Remove a volume that no container uses",
           .handler = at_engine(world, drop_volume),
           .verb = "volume.remove"}};
}

}  // namespace berth::api
