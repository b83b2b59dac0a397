// The part of the desk that changes something: what is asked becomes an Undertaking, which a job carries out.
#include <algorithm>

#include "api/project_desk.h"
#include "api/project_show.h"
#include "base/hash.h"
#include "base/text.h"
#include "compose/rollback.h"
#include "engine/network.h"
#include "io/seal.h"
#include "io/temporary.h"
#include "plan/lock.h"
#include "plan/observe.h"

namespace berth::api {
namespace {

constexpr std::size_t kMostPromises = 200;
constexpr auto kProgressPause = std::chrono::milliseconds(500);

Result<compose::Build> build_of(std::string_view text) {
  if (text.empty() || text == "missing") return compose::Build::missing;
  if (text == "always") return compose::Build::always;
  if (text == "never") return compose::Build::never;
  return fail(Code::invalid, "options.build is missing, always or never");
}

Result<compose::Pull> pull_of(std::string_view text) {
  if (text.empty() || text == "policy") return compose::Pull::policy;
  if (text == "always") return compose::Pull::always;
  if (text == "missing") return compose::Pull::missing;
  if (text == "never") return compose::Pull::never;
  return fail(Code::invalid, "options.pull is policy, always, missing or never");
}

Result<compose::UpOptions> up_options(const std::vector<std::string>& services, const Json& options) {
  compose::UpOptions out{.services = services,
                         .build = TRY(build_of(options["build"].text())),
                         .pull = TRY(pull_of(options["pull"].text()))};
  const std::pair<std::string_view, bool*> flags[] = {{"forceRecreate", &out.force_recreate},
                                                      {"noRecreate", &out.no_recreate},
                                                      {"removeOrphans", &out.remove_orphans},
                                                      {"renewAnonVolumes", &out.renew_anon_volumes},
                                                      {"wait", &out.wait},
                                                      {"rolling", &out.rolling}};
  for (const auto& [name, value] : options.members()) {
    if (name == "build" || name == "pull") continue;
    const auto flag = std::ranges::find(flags, name, [](const auto& one) { return one.first; });
    if (flag == std::end(flags) || !value.is_bool())
      return fail(Code::invalid, "options." + name +
                                     " is no option; there are build, pull, forceRecreate, noRecreate, "
                                     "removeOrphans, renewAnonVolumes, wait and rolling");
    *flag->second = value.boolean();
  }
  return out;
}

Result<void> check_services(const compose::Project& project, const std::vector<std::string>& services) {
  for (const auto& name : services)
    if (!project.find(name)) return fail(Code::not_found, "no such service: " + name);
  return {};
}

// One line of a job's log for what happens to a node.
void tell_progress(const Tell& tell, const plan::Progress& event) {
  const auto what = event.node->subject + ": " + plan::describe(event.node->op);
  switch (event.phase) {
    case plan::Phase::started:
    case plan::Phase::cancelled:
      return tell("info", what + " " + std::string(plan::to_text(event.phase)));
    case plan::Phase::done:
      return tell("info", what + " done");
    case plan::Phase::failed:
      return tell(event.node->best_effort ? "warning" : "error", what + " failed: " + event.detail);
    case plan::Phase::skipped:
      return tell("warning", what + " skipped: what it depends on failed");
    case plan::Phase::progress:
      return tell("progress", event.node->subject + ": " + event.detail);
    case plan::Phase::passed:
      return;
  }
}

// Layers of pulls come a hundred times a second: of each node one line in a while is enough.
plan::ProgressFn progress_of(const Tell& tell, plan::ProgressFn journal, io::Loop& loop) {
  return [&tell, journal = std::move(journal), &loop, told = std::map<int, io::Time>()](const auto& event) mutable {
    journal(event);
    if (event.phase == plan::Phase::progress && !event.message.is_null()) {
      auto& last = told[event.node->id];
      if (last != io::Time() && loop.now() - last < kProgressPause) return;
      last = loop.now();
    }
    tell_progress(tell, event);
  };
}

}  // namespace

// One change of one project, from the request to the end of its job.
struct ProjectDesk::Undertaking {
  compose::Project project{};
  compose::Source source{};
  compose::Files files = compose::memory_files({});
  compose::UpOptions up{};
  compose::Planner planner{};
  std::string owner{};    ///< verb
  std::string command{};  ///< as the command line has it
  std::string who{};
  std::string note{};
  int back = 0;                                     ///< the generation to which it leads; 0: another change
  bool keeps = false;                               ///< a generation
  bool rolls = false;                               ///< asks who sends requests
  std::optional<std::set<std::string>> accepted{};  ///< risks that may be taken; none: all, they were confirmed
  std::function<Result<void>(const plan::Plan&)> expect{};
  std::function<io::Task<Result<void>>(const Tell&)> after{};
  std::shared_ptr<void> claim{};  ///< of the project, given up when the job ends or is never begun
};

Result<std::vector<GrantNeeded>> ProjectDesk::grants_of(const compose::Project& project) const {
  const auto policy = TRY(world_.policy ? world_.policy() : broker::named_policy("core"));
  const bool own = !world_.folders.adopted(project.name).has_value();
  return grants_needed(project, {world_.folders.path_of(project.name), own}, policy);
}

io::Task<Result<ProjectDesk::Shared>> ProjectDesk::undertake(std::string name, PlanWish wish,
                                                             const auth::Principal& who) {
  if (!world_.folders.has(name))
    co_return fail(Code::conflict, "berth does not manage project " + name + "; adopt it first");
  auto loaded = CO_TRY(co_await load(name));
  CO_TRY(check_services(loaded.project, wish.services));
  auto what = std::make_shared<Undertaking>();
  what->up = CO_TRY(up_options(wish.services, wish.options));
  what->files = std::move(loaded.files);
  what->project = std::move(loaded.project);
  what->source = std::move(loaded.source);
  what->planner = [it = what.get()](const plan::Observed& observed, bool settled) {
    return compose::plan_of_round(it->project, observed, it->up, settled);
  };
  what->owner = "up";
  what->command = "berth -p " + name + " up -d" + (wish.services.empty() ? "" : " " + join(wish.services, " "));
  what->who = who.name;
  what->keeps = what->rolls = true;
  co_return what;
}

// A project of which only the label is known.
io::Task<Result<ProjectDesk::Shared>> ProjectDesk::by_label(std::string name, const auth::Principal& who) {
  auto what = std::make_shared<Undertaking>();
  const auto subject = CO_TRY(co_await subject_of(name));
  if (subject.loaded) {
    what->project = subject.loaded->project;
    what->source = subject.loaded->source;
    what->files = subject.loaded->files;
  } else {
    const auto client = CO_TRY(co_await world_.engine());
    const auto seen = CO_TRY(co_await plan::observe(*client, {.project = name}));
    const bool nothing = seen.containers.empty() && seen.networks.empty() && seen.volumes.empty();
    if (nothing && !subject.managed)
      co_return fail(Code::not_found, "there is no project " + name + ", neither here nor on the engine");
    what->project.name = name;
    what->project.working_dir = world_.folders.path_of(name);
  }
  what->who = who.name;
  co_return what;
}

io::Task<Result<compose::Planned>> ProjectDesk::first_look(Shared what, engine::Client& client) {
  const Tell quiet = [](std::string_view, std::string_view) {};
  const auto site = site_of(*what, client, quiet);
  const auto change = carry_out_of(*what, client, quiet);
  co_return co_await compose::make_plan(site, change, false);
}

io::Task<Result<Json>> ProjectDesk::plan(std::string name, PlanWish wish, auth::Principal who) {
  auto what = CO_TRY(co_await undertake(name, wish, who));
  co_return co_await promise(std::move(what), {.project = name, .wish = wish});
}

io::Task<Result<Json>> ProjectDesk::promise(Shared what, Promise promise) {
  const auto client = CO_TRY(co_await world_.engine());
  const auto planned = CO_TRY(co_await first_look(what, *client));
  const auto state = CO_TRY(compose::open_state({world_.data}));
  const auto risks = data_at_risk(planned.plan);
  promise.id = "plan_" + to_hex(io::random_bytes(16));
  promise.saved =
      compose::saved_plan(what->project, what->source.texts, planned.plan, to_hex(io::random_bytes(16)), state.key);
  promise.risks = {risks.begin(), risks.end()};
  promise.saved.made = compose::time_text(world_.now());
  Json out = show_plan(planned);
  out.set("plan", promise.id);
  Json grants = Json::array();
  for (const auto& grant : CO_TRY(grants_of(what->project))) grants.push(to_json(grant));
  out.set("grantsNeeded", std::move(grants));
  out.set("command", what->command);
  if (promises_.size() == kMostPromises) promises_.pop_front();
  promises_.push_back(std::move(promise));
  co_return out;
}

Result<ProjectDesk::Promise> ProjectDesk::promised(const std::string& name, const std::string& plan) const {
  const auto at = std::ranges::find(promises_, plan, &Promise::id);
  if (at == promises_.end() || at->project != name)
    return fail(Code::moved,
                "plan " + plan.substr(0, 40) + " of project " + name + " is not known any more; plan again");
  return *at;
}

Result<void> ProjectDesk::bind(Undertaking& what, const Promise& promise) const {
  what.accepted = promise.risks;
  auto key = TRY(compose::open_state({world_.data})).key;
  what.expect = [it = &what, saved = promise.saved, key = std::move(key)](const plan::Plan& now) -> Result<void> {
    const auto moved = plan::moved(saved, compose::saved_plan(it->project, it->source.texts, now, saved.salt, key));
    if (moved.empty()) return {};
    return fail(Code::moved, "the plan is of " + saved.made + ", and something moved since; plan again",
                join(moved, "\n"));
  };
  return {};
}

io::Task<Result<std::string>> ProjectDesk::apply(std::string name, std::string plan, auth::Principal who) {
  std::optional<Promise> promise;
  if (!plan.empty()) promise = CO_TRY(promised(name, plan));
  if (promise && promise->back != 0)
    co_return fail(Code::invalid,
                   "plan " + plan.substr(0, 40) + " is one of rolling back, and not of what the files say");
  auto what = CO_TRY(co_await undertake(name, promise ? promise->wish : PlanWish(), who));
  CO_TRY(check_granted(what->project, CO_TRY(grants_of(what->project))));
  what->accepted.emplace();
  if (promise) {
    what->note = "plan of " + promise->saved.made;
    CO_TRY(bind(*what, *promise));
  }
  const auto client = CO_TRY(co_await world_.engine());
  const auto planned = CO_TRY(co_await first_look(what, *client));
  if (const auto risks = data_at_risk(planned.plan); !promise && !risks.empty())
    co_return fail(Code::conflict, "data is at risk; make a plan, read it, and apply that plan", join(risks, "\n"));
  co_return co_await begin(std::move(what), "project.apply", who);
}

io::Task<Result<std::string>> ProjectDesk::begin(Shared what, std::string kind, const auth::Principal& who) {
  const std::string name = what->project.name;
  if (!busy_.insert(name).second)
    co_return fail(Code::busy, "another change of project " + name + " is under way; follow it, or wait for its end");
  what->claim = std::shared_ptr<void>(nullptr, [this, name](void*) { busy_.erase(name); });
  co_return co_await world_.start({.kind = std::move(kind), .project = name, .by = who.id, .name = who.name},
                                  [this, what](Tell tell) { return carry(what, std::move(tell)); });
}

io::Task<Result<void>> ProjectDesk::carry(Shared what, Tell tell) {
  auto done = co_await carry_on(*what, tell);
  what->claim.reset();
  drift_.touch(what->project.name);
  if (!done) tell("error", done.error().text());
  co_return done;
}

io::Task<Result<void>> ProjectDesk::carry_on(Undertaking& what, const Tell& tell) {
  const auto client = CO_TRY(co_await world_.engine());
  const auto site = site_of(what, *client, tell);
  const auto change = carry_out_of(what, *client, tell);
  const auto done = CO_TRY(co_await compose::carry_out(site, change));
  if (!done.changed) tell("info", "nothing to do: project " + what.project.name + " is as wanted");
  if (done.generation > 0) tell("info", "kept as generation " + std::to_string(done.generation));
  if (what.after) CO_TRY(co_await what.after(tell));
  co_return Result<void>{};
}

compose::Site ProjectDesk::site_of(Undertaking& what, engine::Client& client, const Tell& tell) const {
  return {.client = client,
          .traffic = world_.traffic,
          .runtime_folder = world_.runtime_folder,
          .keeping = {.folders = {world_.data},
                      .files = what.files,
                      .who = what.who,
                      .command = what.command,
                      .time = world_.now()},
          .note = [&tell](std::string_view text) { tell("info", text); },
          .warning = [&tell](std::string_view text) { tell("warning", text); }};
}

namespace {

io::Task<Result<void>> check_risks(const compose::Planned& round, const std::set<std::string>& accepted) {
  for (const auto& risk : data_at_risk(round.plan))
    if (!accepted.contains(risk))
      co_return fail(Code::conflict, "data is at risk, which the plan did not show: " + risk + "; plan again");
  co_return Result<void>{};
}

io::Task<Result<compose::Made>> apply_round(engine::Client& client, const ProjectWorld& world, const Tell& tell,
                                            const compose::Planned& round, plan::ProgressFn journal) {
  const io::Context context = co_await io::here();
  plan::ApplyOptions options{.progress = progress_of(tell, std::move(journal), *context.loop),
                             .registry_auth = world.registry_auth,
                             .login = "berth registry login",
                             .traffic = world.traffic};
  auto outcome = CO_TRY(co_await plan::apply(client, round.plan, std::move(options)));
  for (const auto& warning : outcome.warnings) tell("warning", warning);
  if (!outcome.ok()) co_return fail(outcome.error());
  co_return std::move(outcome.results);
}

}  // namespace

compose::CarryOut ProjectDesk::carry_out_of(Undertaking& what, engine::Client& client, const Tell& tell) const {
  compose::CarryOut out{.project = what.project,
                        .planner = what.planner,
                        .owner = what.owner,
                        .expect = what.expect,
                        .traffic = what.rolls && world_.traffic ? &what.up.traffic : nullptr,
                        .keep = what.keeps ? &what.source : nullptr,
                        .note = what.note};
  if (what.accepted) out.check = [&what](const compose::Planned& round) { return check_risks(round, *what.accepted); };
  out.apply = [this, &client, &tell](const compose::Planned& round, plan::ProgressFn journal) {
    return apply_round(client, world_, tell, round, std::move(journal));
  };
  return out;
}

namespace {

using Planner = std::function<Result<plan::Plan>(const compose::Project&, const plan::Observed&)>;

Result<Planner> planner_of(std::string_view verb, std::vector<std::string> services, bool by_label) {
  compose::VerbOptions options{.services = services, .adopt = by_label, .by_label = by_label};
  if (verb == "start")
    return [options](const auto& project, const auto& observed) {
      return compose::plan_start(project, observed, options);
    };
  if (verb == "stop")
    return
        [options](const auto& project, const auto& observed) { return compose::plan_stop(project, observed, options); };
  if (verb == "restart")
    return [options](const auto& project, const auto& observed) {
      return compose::plan_restart(project, observed, options);
    };
  if (verb == "down")
    return [down =
                compose::DownOptions{
                    .services = services, .remove_orphans = true, .adopt = by_label, .by_label = by_label}](
               const auto& project, const auto& observed) { return compose::plan_down(project, observed, down); };
  if (verb == "pull" && !by_label)
    return [images = compose::ImageOptions{.services = services, .include_buildable = false}](
               const auto& project, const auto& observed) { return compose::plan_images(project, observed, images); };
  return fail(Code::invalid,
              "a project can be started, stopped, restarted, taken down and, where berth manages it, pulled");
}

}  // namespace

io::Task<Result<std::string>> ProjectDesk::verb(std::string name, std::string verb, std::vector<std::string> services,
                                                auth::Principal who) {
  auto what = CO_TRY(co_await by_label(name, who));
  const bool labels_only = what->source.load.project_name.empty();
  const auto planner = CO_TRY(planner_of(verb, services, labels_only));
  what->owner = verb;
  what->command = "berth -p " + name + " " + verb;
  what->planner = [it = what.get(), planner](const plan::Observed& observed, bool settled) -> Result<plan::Plan> {
    if (settled) return plan::Plan{.project = it->project.name};
    return planner(it->project, observed);
  };
  // What cannot be is said at once.
  const auto client = CO_TRY(co_await world_.engine());
  CO_TRY(co_await first_look(what, *client));
  co_return co_await begin(std::move(what), "project." + verb, who);
}

io::Task<Result<Json>> ProjectDesk::removal(std::string name) {
  auto what = CO_TRY(co_await by_label(name, {}));
  const bool labels_only = what->source.load.project_name.empty();
  const auto client = CO_TRY(co_await world_.engine());
  compose::Planned down{.observed = CO_TRY(co_await plan::observe(*client, compose::wanted(what->project)))};
  down.plan = CO_TRY(
      compose::plan_down(what->project, down.observed,
                         {.remove_orphans = true, .volumes = true, .adopt = labels_only, .by_label = labels_only}));
  Json out = show_removal(down, co_await volume_usage());
  Json files = Json::array();
  if (world_.folders.has(name) && !world_.folders.adopted(name)) {
    const auto listed =
        CO_TRY(co_await off_loop<std::vector<ProjectFile>>([this, name]() { return world_.folders.files(name); }));
    for (const auto& file : listed) files.push(file.path);
  }
  out.set("files", std::move(files));
  const auto heads = co_await history(name);
  out.set("generations", heads ? heads->size() : std::size_t{0});
  co_return out;
}

namespace {

io::Task<Result<void>> remove_rest(ProjectWorld& world, std::string name, const Tell& tell) {
  const auto client = CO_TRY(co_await world.engine());
  CO_TRY(co_await compose::drop_kept_images(*client, name));
  // Its generations hold what its files and secrets were.
  if (const auto history = co_await compose::open_history(*client, {world.data}, name))
    co_await io::on_pool([&] { io::remove_tree(history->store.folder()); });
  if (!world.folders.has(name)) co_return Result<void>{};
  CO_TRY(co_await off_loop<void>([&world, name]() { return world.folders.remove(name); }));
  tell("info", "the files of project " + name + " are removed");
  co_return Result<void>{};
}

}  // namespace

io::Task<Result<std::string>> ProjectDesk::remove(std::string name, bool volumes, auth::Principal who) {
  auto what = CO_TRY(co_await by_label(name, who));
  const bool labels_only = what->source.load.project_name.empty();
  what->owner = "down";
  what->command = "berth -p " + name + " down" + (volumes ? " --volumes" : "");
  what->planner = [it = what.get(), volumes, labels_only](const plan::Observed& observed, bool) {
    return compose::plan_down(
        it->project, observed,
        {.remove_orphans = true, .volumes = volumes, .adopt = labels_only, .by_label = labels_only});
  };
  what->after = [this, name](const Tell& tell) { return remove_rest(world_, name, tell); };
  co_return co_await begin(std::move(what), "project.remove", who);
}

io::Task<Result<void>> ProjectDesk::clear_locks() {
  const auto client = CO_TRY(co_await world_.engine());
  const auto volumes = CO_TRY(co_await engine::list_volumes(*client, {{"name", std::string(plan::kLockPrefix)}}));
  for (const Json& volume : volumes.items()) {
    const std::string_view text = volume["Name"].text();
    if (!text.starts_with(plan::kLockPrefix)) continue;
    const std::string name(text.substr(plan::kLockPrefix.size()));
    if (!world_.folders.has(name) || busy_.contains(name)) continue;
    const auto done = CO_TRY(
        co_await plan::clear_dead_lock(*client, {.project = name, .owner = "core", .folder = world_.runtime_folder}));
    static_cast<void>(done);  // what it says is for people who wait
  }
  co_return Result<void>{};
}

io::Task<Result<ProjectDesk::Shared>> ProjectDesk::going_back(std::string name, int generation,
                                                              const auth::Principal& who) {
  const auto client = CO_TRY(co_await world_.engine());
  const auto history = CO_TRY(co_await compose::open_history(*client, {world_.data}, name));
  const int number = CO_TRY(compose::generation_to(history.store.numbers(), generation));
  const auto then = CO_TRY(history.store.read(number, history.key));
  auto what = std::make_shared<Undertaking>();
  what->project = CO_TRY(compose::project_of(then));
  what->source = {.load = then.load, .texts = then.texts, .remotes = then.remotes};
  // Secret files are the user's and are not written back.
  if (world_.folders.has(name))
    what->files = files_of(
        {.name = name,
         .folder = world_.folders.path_of(name),
         .texts = CO_TRY(co_await off_loop<FileTexts>([this, name]() { return world_.folders.texts(name); }))});
  const auto observed = CO_TRY(co_await plan::observe(*client, compose::wanted(what->project)));
  const auto missing = compose::missing_for(then, what->project, observed, what->files);
  if (!missing.empty()) co_return fail(compose::cannot_go_back(number, missing));
  what->up = compose::rollback_options();
  what->planner = [it = what.get()](const plan::Observed& seen, bool settled) {
    return compose::plan_of_round(it->project, seen, it->up, settled);
  };
  what->owner = "rollback";
  what->command = "berth -p " + name + " rollback " + std::to_string(number);
  what->note = "rollback to " + std::to_string(number);
  what->who = who.name;
  what->keeps = what->rolls = true;
  what->back = number;
  co_return what;
}

io::Task<Result<Json>> ProjectDesk::plan_back(std::string name, int generation, auth::Principal who) {
  auto what = CO_TRY(co_await going_back(name, generation, who));
  const int number = what->back;
  Json out = CO_TRY(co_await promise(std::move(what), {.project = name, .back = number}));
  out.set("generation", std::int64_t{number});
  co_return out;
}

io::Task<Result<std::string>> ProjectDesk::roll_back(std::string name, BackWish wish, auth::Principal who) {
  std::optional<Promise> promise;
  if (!wish.plan.empty()) promise = CO_TRY(promised(name, wish.plan));
  if (promise && (promise->back == 0 || (wish.generation != 0 && wish.generation != promise->back)))
    co_return fail(Code::invalid, "plan " + wish.plan.substr(0, 40) + " does not lead to that generation");
  auto what = CO_TRY(co_await going_back(name, promise ? promise->back : wish.generation, who));
  CO_TRY(check_granted(what->project, CO_TRY(grants_of(what->project))));
  if (!wish.confirmed) what->accepted.emplace();
  if (promise) CO_TRY(bind(*what, *promise));
  const auto client = CO_TRY(co_await world_.engine());
  const auto planned = CO_TRY(co_await first_look(what, *client));
  if (const auto risks = data_at_risk(planned.plan); !promise && !wish.confirmed && !risks.empty())
    co_return fail(Code::conflict, "data is at risk; confirm it to go back all the same", join(risks, "\n"));
  co_return co_await begin(std::move(what), "project.rollback", who);
}

}  // namespace berth::api
