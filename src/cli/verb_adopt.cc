// adopt: a project that another tool or another folder brought up, as berth sees it. Changes no container.
#include <algorithm>

#include "base/text.h"
#include "cli/carry_out.h"
#include "cli/plan_text.h"
#include "cli/up_options.h"
#include "cli/verbs.h"
#include "compose/adopt.h"
#include "plan/lock.h"
#include "plan/observe.h"

namespace berth::cli {
namespace {

std::string counted(std::size_t count, std::string_view what) {
  return std::to_string(count) + ' ' + std::string(what) + (count == 1 ? "" : "s");
}

// The argument or -p, else what the files here say.
io::Task<Result<std::string>> name_of(Session& session) {
  if (!session.options.arguments.empty()) co_return session.options.arguments.front();
  const auto& flag = session.options.global.project_name;
  const auto given = flag.empty() ? session.setting("COMPOSE_PROJECT_NAME") : flag;
  if (!given.empty()) co_return given;
  co_return CO_TRY(co_await session.load({.every_profile = true})).name;
}

// Which of the files are not on this machine.
Texts missing_files(const World& world, const compose::LabelledSource& source) {
  Texts out;
  for (const auto* paths : {&source.files, &source.env_files})
    for (const auto& path : *paths)
      if (path == "-" || world.files.kind(path) != compose::Files::Kind::file)
        out.push_back(path == "-" ? "standard input" : path);
  return out;
}

// The command line as if it stood in the project's folder and named its files.
Result<Options> options_for(const Session& session, const std::string& name, const plan::Observed& observed) {
  Options out = session.options;
  out.arguments.clear();
  out.global.project_name = name;
  out.global.adopt = true;
  if (!out.global.files.empty()) return out;
  const auto sources = compose::labelled_sources(observed);
  if (sources.empty())
    return fail(Code::not_found, "the containers of " + name + " do not say which files they were made from; give -f");
  const auto& source = sources.front();
  if (const auto missing = missing_files(session.world, source); !missing.empty())
    return fail(Code::not_found, "the containers of " + name + " were made from " + join(missing, ", ") +
                                     ", which is not here; give -f and --env-file");
  for (std::size_t i = 1; i < sources.size(); ++i)
    session.console.warning(counted(sources[i].containers, "container") + " came from " + sources[i].folder + " (" +
                            join(sources[i].files, ", ") + ") instead");
  out.global.files = source.files;
  if (out.global.project_directory.empty()) out.global.project_directory = source.folder;
  if (out.global.env_files.empty()) out.global.env_files = source.env_files;
  return out;
}

// One project as it runs beside its files.
struct Findings {
  const compose::Project& project;
  const Planned& planned;
  std::vector<compose::ForeignLabel> labels{};
};

// A profile that was switched on by a command line long ago leaves no trace but its containers.
void warn_of_profiles(const Session& session, const Findings& found) {
  const auto& containers = found.planned.observed.containers;
  for (const auto& service : found.project.disabled) {
    if (std::ranges::find(containers, service.name, &plan::Container::service) == containers.end()) continue;
    const auto& profiles = service.config["profiles"].items();
    session.console.warning("service " + service.name + " has containers, but no profile of it is on" +
                            (profiles.empty() ? "" : ": give --profile " + std::string(profiles.front().text())));
  }
}

std::string report(const Session& session, const Findings& found) {
  const auto& plan = found.planned.plan;
  std::string text = plan.project + ": " + counted(found.planned.observed.containers.size(), "container") + " from " +
                     found.project.working_dir + " (" + join(found.project.files, ", ") + ")\n";
  if (plan.changes())
    text += "what `berth up` would change:\n" + plan_text(plan, found.planned.observed, session.console.out);
  else
    text += "nothing differs from the files: `berth up` recreates nothing\n";
  if (!found.labels.empty()) text += "labels that stay until their container is recreated for another reason:\n";
  for (const auto& label : found.labels)
    text += "  " + label.name + ": \"" + label.value + "\", berth writes \"" + label.here + "\" (" +
            counted(label.containers, "container") + ")\n";
  return text;
}

Json report_json(const Findings& found, int generation) {
  const auto counts = found.planned.plan.counts();
  Json labels = Json::array();
  for (const auto& label : found.labels)
    labels.push(Json::object(
        {{"name", label.name}, {"value", label.value}, {"here", label.here}, {"containers", label.containers}}));
  Json files = Json::array();
  for (const auto& file : found.project.files) files.push(file);
  Json out = Json::object({{"project", found.project.name},
                           {"working_dir", found.project.working_dir},
                           {"files", std::move(files)},
                           {"containers", found.planned.observed.containers.size()},
                           {"create", counts.create},
                           {"recreate", counts.recreate},
                           {"change", counts.change},
                           {"remove", counts.remove},
                           {"labels", std::move(labels)}});
  out.set("generation", generation);
  return out;
}

// 0 where none is kept.
io::Task<int> newest_generation(Session& session, std::string project) {
  const auto history = co_await open_history(session, std::move(project));
  const auto numbers = history ? history->store.numbers() : std::vector<int>();
  co_return numbers.empty() ? 0 : numbers.back();
}

io::Task<Result<void>> keep_adopted(Session& session, const Source& source, compose::Change change) {
  auto& client = *CO_TRY(co_await session.engine());
  const auto keeping = keeping_of(session);
  const auto shelf = co_await compose::open_shelf(client, keeping.folders, change.project.name);
  const auto kept = shelf ? co_await compose::keep_generation(client, keeping, source, std::move(change), *shelf)
                          : Result<int>(fail(shelf.error()));
  if (!kept) session.console.warning("no generation was kept: " + kept.error().message);
  co_return Result<void>{};
}

// The number of the newest generation after this; a project that has some gets no other.
io::Task<Result<int>> keep_first(Session& session, const Findings& found) {
  if (session.options.global.dry_run || session.world.state_folders.empty()) co_return 0;
  const int known = co_await newest_generation(session, found.project.name);
  if (known > 0) co_return known;
  auto& client = *CO_TRY(co_await session.engine());
  auto lock = CO_TRY(co_await plan::lock_project(
      client, {.project = found.project.name, .owner = "adopt", .folder = session.world.runtime_folder}));
  // Nothing is done: the images are those that run.
  const plan::Plan nothing{.project = found.project.name};
  const std::map<int, std::string> no_results;
  const auto source = source_of(session, {});
  compose::Change change{
      .project = found.project,
      .plan = nothing,
      .observed = found.planned.observed,
      .results = no_results,
      .events = Json::array(),
      .note = found.planned.plan.changes() ? "adopted; what ran differed from the files" : "adopted"};
  if (source) CO_TRY(co_await keep_adopted(session, *source, std::move(change)));
  CO_TRY(co_await io::shielded(lock.release(client)));
  co_return co_await newest_generation(session, found.project.name);
}

io::Task<Result<int>> adopt(Session& session) {
  const auto project = CO_TRY(co_await session.load());
  const auto options = CO_TRY(up_options(session));
  const CarryOut what{.project = project,
                      .planner = [&](const plan::Observed& observed,
                                     bool settled) { return plan_of_round(project, observed, options, settled); },
                      .owner = "adopt"};
  const auto planned = CO_TRY(co_await make_plan(session, what, false));
  Findings found{.project = project, .planned = planned};
  found.labels = compose::foreign_labels(project, planned.observed);
  for (const auto& warning : planned.plan.warnings) session.console.warning(warning);
  warn_of_profiles(session, found);
  const int generation = CO_TRY(co_await keep_first(session, found));
  if (session.options.plan.format == "json")
    session.console.print(report_json(found, generation).dump(2) + "\n");
  else
    session.console.print(report(session, found));
  if (generation > 0)
    session.console.note("no container was changed; generation " + std::to_string(generation) +
                         " is kept: berth history");
  const bool differs = session.options.plan.detailed_exitcode && planned.plan.changes();
  co_return differs ? kChanges : kDone;
}

}  // namespace

io::Task<Result<int>> verb_adopt(Session& session) {
  const auto name = CO_TRY(co_await name_of(session));
  auto& client = *CO_TRY(co_await session.engine());
  const auto observed = CO_TRY(co_await plan::observe(client, {.project = name}));
  if (observed.containers.empty())
    co_return fail(Code::not_found,
                   "no container of this engine belongs to a project \"" + name + "\"; berth ls --all lists them");
  const auto options = CO_TRY(options_for(session, name, observed));
  Session inner(options, session.world, session.loop);
  auto status = co_await adopt(inner);
  session.failed_in(inner.stage());
  co_return status;
}

}  // namespace berth::cli
