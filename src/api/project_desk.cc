#include "api/project_desk.h"

#include <algorithm>

#include "api/container_view.h"
#include "api/project_show.h"
#include "api/project_urls.h"
#include "compose/create.h"
#include "engine/container.h"
#include "engine/system.h"
#include "plan/observe.h"

namespace berth::api {
namespace {

std::int64_t milliseconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

Result<ProjectFiles> files_on_disk(const ProjectFolders& folders, const std::string& name) {
  ProjectFiles out{.name = name, .folder = folders.path_of(name), .texts = TRY(folders.texts(name))};
  if (const auto adopted = folders.adopted(name)) {
    out.compose = adopted->compose;
    out.env_files = adopted->env_files;
  }
  return out;
}

Json services_of(const compose::Project& project) {
  Json out = Json::array();
  for (const auto& service : project.services)
    out.push(Json::object({{"name", service.name},
                           {"image", compose::image_name(project, service)},
                           {"build", service.config["build"].is_object()},
                           {"replicas", service.scale}}));
  return out;
}

Json verdict(const ProjectFiles& files, std::int64_t now) {
  const auto loaded = load_project(files, now);
  Json problems = Json::array();
  if (!loaded) problems.push(problem_of(loaded.error(), files.folder));
  for (const auto& warning : loaded ? loaded->project.warnings : std::vector<std::string>())
    problems.push(warning_of(warning));
  return Json::object({{"ok", loaded.has_value()},
                       {"problems", std::move(problems)},
                       {"services", loaded ? services_of(loaded->project) : Json::array()}});
}

std::vector<std::string> paths_of(const ProjectFolders& folders, const std::string& name) {
  std::vector<std::string> out;
  if (const auto files = folders.files(name))
    for (const auto& file : *files) out.push_back(file.path);
  return out;
}

const Running& running_of(const std::vector<Running>& all, std::string_view name) {
  static const Running nothing;
  const auto at = std::ranges::find(all, name, &Running::name);
  return at == all.end() ? nothing : *at;
}

// What of the engine decides whether it differs from the files.
std::string print_of(const Running& running) {
  std::string out;
  for (const Json& container : running.containers)
    out.append(container["Id"].text()).append(" ").append(container["ImageID"].text()).append("\n");
  return out;
}

Json urls_json(const Running& running, const Json& edge) {
  std::set<std::string, std::less<>> names;
  for (const Json& container : running.containers) names.insert(container_item(container).name);
  Json out = Json::array();
  for (const auto& url : urls_of(edge, names)) out.push(url);
  return out;
}

io::Task<Result<Json>> list_labelled(const ProjectWorld& world) {
  const auto client = CO_TRY(co_await world.engine());
  co_return co_await engine::list_containers(*client, {.filters = {{"label", std::string(plan::label::kProject)}}});
}

}  // namespace

ProjectDesk::ProjectDesk(ProjectWorld world)
    : world_(std::move(world)),
      drift_({.look = [this](std::string name) { return look_for_drift(std::move(name)); },
              .now = [this] { return milliseconds(world_.now()); },
              .changed = world_.drifted}) {}

io::Task<Result<Json>> ProjectDesk::look_for_drift(std::string name) {
  const auto loaded = co_await load(name);
  if (!loaded) co_return Json();  // what is wrong with its files is shown
  const auto client = CO_TRY(co_await world_.engine());
  compose::Planned planned{.observed = CO_TRY(co_await plan::observe(*client, compose::wanted(loaded->project)))};
  auto plan = compose::plan_up(loaded->project, planned.observed, drift_options());
  if (!plan) co_return Json::object({{"count", nullptr}, {"why", plan.error().message}});
  planned.plan = std::move(*plan);
  co_return drift_of(planned);
}

io::Task<Result<LoadedProject>> ProjectDesk::load(std::string name) {
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(world_.now().time_since_epoch()).count();
  co_return co_await off_loop<LoadedProject>([this, name, now]() -> Result<LoadedProject> {
    return load_project(TRY(files_on_disk(world_.folders, name)), now);
  });
}

io::Task<Result<Json>> ProjectDesk::validate(std::string name, std::optional<FileTexts> files) {
  CO_TRY(check_project_name(name));
  co_return co_await off_loop<Json>([this, name, files]() -> Result<Json> {
    ProjectFiles subject{.name = name, .folder = world_.folders.path_of(name), .texts = {}};
    if (world_.folders.has(name)) subject = TRY(files_on_disk(world_.folders, name));
    // What is being edited stands over what is kept.
    for (const auto& [path, text] : files.value_or(FileTexts())) subject.texts[path] = text;
    return verdict(subject, 0);
  });
}

io::Task<Result<Subject>> ProjectDesk::subject_of(std::string name) {
  Subject out{.name = name, .managed = world_.folders.has(name)};
  if (!out.managed) co_return out;
  auto loaded = co_await load(name);
  if (loaded)
    out.loaded = std::move(*loaded);
  else
    out.broken = std::move(loaded).error();
  out.paths = CO_TRY(co_await off_loop<std::vector<std::string>>(
      [this, name]() -> Result<std::vector<std::string>> { return paths_of(world_.folders, name); }));
  co_return out;
}

io::Task<Result<ProjectDesk::Listed>> ProjectDesk::list(auth::Principal who) {
  Listed out;
  if (auto containers = co_await list_labelled(world_)) {
    last_containers_ = std::move(*containers);
    last_at_ = milliseconds(world_.now());
  } else {
    out.stale = Json::object({{"since", last_at_}, {"why", containers.error().message}});
  }
  const auto running = running_projects(last_containers_);
  const auto managed = CO_TRY(co_await off_loop<std::vector<std::string>>([this]() { return world_.folders.names(); }));
  const Json edge = world_.edge_status ? world_.edge_status() : Json();
  std::set<std::string> names(managed.begin(), managed.end());
  for (const auto& project : running) names.insert(project.name);
  for (const auto& name : names) {
    if (!auth::may(who, auth::Permission::view, name)) continue;
    const bool ours = std::ranges::binary_search(managed, name);
    const auto paths =
        ours ? CO_TRY(co_await off_loop<std::vector<std::string>>(
                   [this, name]() -> Result<std::vector<std::string>> { return paths_of(world_.folders, name); }))
             : std::vector<std::string>();
    Running one = running_of(running, name);
    one.name = name;
    Json& item = out.items.emplace_back(project_item(one, ours, paths));
    item.set("urls", urls_json(one, edge));
    if (ours && !one.containers.empty()) item.set("drift", drift_.of(name, print_of(one)));
  }
  co_return out;
}

io::Task<Result<Json>> ProjectDesk::show(std::string name) {
  const auto subject = CO_TRY(co_await subject_of(name));
  auto containers = co_await list_labelled(world_);
  if (containers) {
    last_containers_ = *containers;
    last_at_ = milliseconds(world_.now());
  }
  const auto running = running_projects(last_containers_);
  Running one = running_of(running, name);
  if (one.containers.empty() && !subject.managed)
    co_return fail(Code::not_found, "there is no project " + name + ", neither here nor on the engine");
  one.name = name;
  Json out = subject.loaded ? project_detail(one, subject.loaded->project, subject.paths)
                            : project_item(one, subject.managed, subject.paths);
  out.set("urls", urls_json(one, world_.edge_status ? world_.edge_status() : Json()));
  if (subject.loaded && !one.containers.empty()) out.set("drift", co_await drift_.settled(name, print_of(one)));
  if (subject.broken) out.set("problem", problem_of(*subject.broken, world_.folders.path_of(name)));
  if (!containers)
    out.set("stale", Json::object({{"since", last_at_}, {"why", containers.error().message}}));
  else
    out.set("stale", nullptr);
  out.set("busy", busy_.contains(name));
  Json grants = Json::array();
  if (const auto needed = subject.loaded ? grants_of(subject.loaded->project) : std::vector<GrantNeeded>())
    for (const auto& grant : *needed) grants.push(to_json(grant));
  out.set("grantsNeeded", std::move(grants));
  co_return out;
}

io::Task<Json> ProjectDesk::volume_usage() {
  const auto client = co_await world_.engine();
  if (!client) co_return Json();
  const auto usage = co_await engine::disk_usage(**client);
  co_return usage ? (*usage)["Volumes"] : Json();
}

io::Task<Result<std::vector<compose::GenerationHead>>> ProjectDesk::history(std::string name) {
  const auto client = CO_TRY(co_await world_.engine());
  const auto history = CO_TRY(co_await compose::open_history(*client, {world_.data}, name));
  co_return co_await off_loop<std::vector<compose::GenerationHead>>(
      [&history]() -> Result<std::vector<compose::GenerationHead>> { return history.store.heads(); });
}

}  // namespace berth::api
