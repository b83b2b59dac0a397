// Adopting: a project that somebody else brought up is managed from now on, where it is and without touching it.
#include "api/project_desk.h"
#include "api/project_show.h"
#include "compose/adopt.h"
#include "io/beneath.h"
#include "io/ownership.h"
#include "io/socket_options.h"
#include "plan/lock.h"
#include "plan/observe.h"

namespace berth::api {
namespace {

// The path within the folder; Code::conflict for what lies elsewhere, which berth could not keep together.
Result<std::string> inside(const std::string& folder, const std::string& path, std::string_view name) {
  if (path != folder && lies_beneath(folder, path)) {
    auto inner = path.substr(folder.size() + 1);
    TRY(check_file_path(inner));
    return inner;
  }
  return fail(Code::conflict, "project " + std::string(name) + " was made from " +
                                  (path == "-" ? "standard input" : path) + ", which is not in its folder " + folder +
                                  "; berth adopt on the command line takes it");
}

bool is_yaml(std::string_view path) {
  return path.ends_with(".yaml") || path.ends_with(".yml");
}

Result<AdoptedProject> labelled_project(const plan::Observed& observed, std::string_view data) {
  const auto& name = observed.project;
  const auto sources = compose::labelled_sources(observed);
  if (sources.empty())
    return fail(Code::not_found, "the containers of " + name + " do not say which files they were made from");
  const auto& source = sources.front();
  AdoptedProject out{.folder = source.folder};
  if (out.folder.size() < 2 || out.folder.ends_with('/') || lies_beneath(out.folder, data) ||
      lies_beneath(data, out.folder))
    return fail(Code::conflict, "project " + name + " lies in " + out.folder + ", which berth cannot manage");
  for (const auto& path : source.files) {
    out.compose.push_back(TRY(inside(out.folder, path, name)));
    if (!is_yaml(path)) return fail(Code::conflict, path + " of project " + name + " is no Compose file by its name");
  }
  for (const auto& path : source.env_files) out.env_files.push_back(TRY(inside(out.folder, path, name)));
  return out;
}

// Reads beneath the folder and nothing else; what is read belongs to the project.
compose::Files reading(const std::shared_ptr<io::Beneath>& folder, const std::string& root,
                       std::set<std::string>& read) {
  const auto inner = [root](const std::string& path) { return path.substr(root.size() + 1); };
  const auto text = [=, &read](const std::string& path) -> Result<std::string> {
    if (path == root || !lies_beneath(root, path))
      return fail(Code::not_found, path + " is not in the project's folder");
    auto found = folder->read(inner(path), kMostFileBytes);
    if (found && check_file_path(inner(path))) read.insert(inner(path));
    return found;
  };
  return {.read = text,
          .kind =
              [=](const std::string& path) {
                if (path == root) return compose::Files::Kind::folder;
                if (!lies_beneath(root, path)) return compose::Files::Kind::absent;
                const auto found = folder->read(inner(path), kMostFileBytes);
                if (found) return compose::Files::Kind::file;
                return found.error().code == Code::invalid ? compose::Files::Kind::folder
                                                           : compose::Files::Kind::absent;
              },
          .real = [](const std::string& path) { return path; },
          .remote = nullptr};
}

// Files of others are theirs: core runs as its own account and reads what it may.
Error with_way_out(Error error, const std::string& folder) {
  if (error.code != Code::denied || io::own_user() == 0) return error;
  const std::string account = io::own_account();
  error.message += "; berth runs as " + account +
                   ": let it read the project, for example by: setfacl -R -m u:" + account + ":rX " + folder;
  return error;
}

// The project as its files say, which adopts them; blocking.
Result<LoadedProject> load_labelled(std::string name, AdoptedProject& project, std::int64_t now) {
  auto opened = io::Beneath::open(project.folder);
  if (!opened) return fail(with_way_out(std::move(opened.error()), project.folder));
  const auto folder = std::make_shared<io::Beneath>(std::move(*opened));
  ProjectFiles files{
      .name = std::move(name), .folder = project.folder, .compose = project.compose, .env_files = project.env_files};
  auto first = load_from(files, reading(folder, project.folder, project.files), now);
  if (!first) return fail(with_way_out(std::move(first.error()), project.folder));
  for (const auto& path : project.files) {
    auto text = folder->read(path, kMostFileBytes);
    if (!text) return fail(with_way_out(std::move(text.error()), project.folder));
    files.texts[path] = std::move(*text);
  }
  // Once more, from what will be kept: it must do without the rest.
  return load_project(files, now);
}

Json labels_json(const compose::Project& project, const plan::Observed& observed) {
  Json out = Json::array();
  for (const auto& label : compose::foreign_labels(project, observed))
    out.push(Json::object(
        {{"name", label.name}, {"value", label.value}, {"here", label.here}, {"containers", label.containers}}));
  return out;
}

io::Task<Result<void>> keep_first(engine::Client& client, const ProjectWorld& world, compose::Keeping keeping,
                                  const LoadedProject& loaded, const compose::Planned& planned) {
  const auto& name = loaded.project.name;
  const auto history = co_await compose::open_history(client, {world.data}, name);
  if (history && !history->store.numbers().empty()) co_return Result<void>{};
  auto lock =
      CO_TRY(co_await plan::lock_project(client, {.project = name, .owner = "adopt", .folder = world.runtime_folder}));
  // Nothing is done: the images are those that run.
  const plan::Plan nothing{.project = name};
  const compose::Made no_results;
  const auto shelf = co_await compose::open_shelf(client, {world.data}, name);
  compose::Change change{.project = loaded.project,
                         .plan = nothing,
                         .observed = planned.observed,
                         .results = no_results,
                         .events = Json::array(),
                         .note = planned.plan.changes() ? "adopted; what ran differed from the files" : "adopted"};
  const auto kept = shelf ? co_await compose::keep_generation(client, keeping, loaded.source, std::move(change), *shelf)
                          : Result<int>(fail(shelf.error()));
  CO_TRY(co_await io::shielded(lock.release(client)));
  if (!kept) co_return fail(kept.error());
  co_return Result<void>{};
}

}  // namespace

io::Task<Result<Json>> ProjectDesk::adopt(std::string name, bool confirmed, auth::Principal who) {
  CO_TRY(check_project_name(name));
  if (world_.folders.has(name)) co_return fail(Code::conflict, "berth manages project " + name + " already");
  const auto client = CO_TRY(co_await world_.engine());
  const auto observed = CO_TRY(co_await plan::observe(*client, {.project = name}));
  if (observed.containers.empty())
    co_return fail(Code::not_found, "no container of the engine belongs to a project " + name);
  auto project = CO_TRY(labelled_project(observed, world_.data));
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(world_.now().time_since_epoch()).count();
  const auto loaded = CO_TRY(
      co_await off_loop<LoadedProject>([&]() -> Result<LoadedProject> { return load_labelled(name, project, now); }));
  compose::Planned planned{.observed = CO_TRY(co_await plan::observe(*client, compose::wanted(loaded.project)))};
  planned.plan = CO_TRY(compose::plan_up(loaded.project, planned.observed, {.adopt = true}));
  Json out = show_plan(planned);
  Json files = Json::array();
  for (const auto& path : project.files) files.push(path);
  out.set("folder", project.folder);
  out.set("files", std::move(files));
  out.set("labels", labels_json(loaded.project, planned.observed));
  Json grants = Json::array();
  const auto policy = CO_TRY(world_.policy ? world_.policy() : broker::named_policy("core"));
  for (const auto& grant : CO_TRY(grants_needed(loaded.project, {project.folder, false}, policy)))
    grants.push(to_json(grant));
  out.set("grantsNeeded", std::move(grants));
  out.set("adopted", confirmed);
  if (!confirmed) co_return out;
  CO_TRY(co_await keep_first(*client, world_,
                             {.folders = {world_.data},
                              .files = loaded.files,
                              .who = who.name,
                              .command = "berth adopt " + name,
                              .time = world_.now()},
                             loaded, planned));
  CO_TRY(co_await off_loop<void>([&] { return world_.folders.adopt(name, project); }));
  co_return out;
}

}  // namespace berth::api
