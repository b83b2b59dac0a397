#include "compose/carry_out.h"

#include <algorithm>

#include "io/scope.h"
#include "plan/lock.h"
#include "plan/observe.h"
#include "plan/risk.h"

namespace berth::compose {
namespace {

void tell_warnings(const Site& site, const plan::Plan& plan) {
  for (const auto& warning : plan.warnings) site.warning(warning);
  for (const auto& foreign : plan.foreign) site.note("left alone: " + foreign.subject + ", " + foreign.reason);
}

// What happened, for a generation.
struct Journal {
  Json events = Json::array();
  Made results{};
};

void note(Journal& journal, const plan::Progress& event, std::chrono::milliseconds at) {
  if (event.phase == plan::Phase::progress) return;
  Json entry = Json::object({{"op", event.node->id}, {"phase", plan::to_text(event.phase)}, {"ms", at.count()}});
  if (!event.detail.empty()) entry.set("detail", event.detail);
  journal.events.push(std::move(entry));
}

io::Task<Result<void>> check_round(const CarryOut& what, const Planned& round) {
  if (!what.check) co_return Result<void>{};
  co_return co_await what.check(round);
}

io::Task<Result<void>> apply_round(const CarryOut& what, const Planned& round, Journal& journal) {
  journal = {};  // of the last round
  const io::Context context = co_await io::here();
  const plan::ProgressFn tell = [&journal, &loop = *context.loop, begin = context.loop->now()](const auto& event) {
    note(journal, event, std::chrono::duration_cast<std::chrono::milliseconds>(loop.now() - begin));
  };
  journal.results = CO_TRY(co_await what.apply(round, tell));
  co_return Result<void>{};
}

// Whether it did more than fetch images that nothing runs.
bool touches_project(const plan::Plan& plan) {
  return std::ranges::any_of(plan.nodes, [](const plan::Node& node) {
    return !std::holds_alternative<plan::PullImage>(node.op) && !std::holds_alternative<plan::BuildImage>(node.op) &&
           !plan::is_wait(node.op);
  });
}

// The last round that did something, and what came of it.
struct Applied {
  Planned round{};
  Journal journal{};
};

io::Task<Result<Applied>> apply_rounds(const Site& site, const CarryOut& what) {
  Applied done{.round = CO_TRY(co_await make_plan(site, what, false))};
  tell_warnings(site, done.round.plan);
  CO_TRY(co_await apply_round(what, done.round, done.journal));
  if (!done.round.plan.again) co_return done;
  auto second = CO_TRY(co_await make_plan(site, what, true));
  CO_TRY(co_await check_round(what, second));
  done.round.observed = std::move(second.observed);
  // What was done in the first round is told when there was nothing to do in the second.
  if (second.plan.empty()) co_return done;
  done.round.plan = std::move(second.plan);
  CO_TRY(co_await apply_round(what, done.round, done.journal));
  co_return done;
}

io::Task<void> fill_shelf(const Site& site, std::string project, Result<Shelf>& shelf) {
  shelf = co_await open_shelf(site.client, site.keeping.folders, std::move(project));
}

// A failure is a warning: the change itself is done.
io::Task<int> keep(const Site& site, const CarryOut& what, Applied& done, Result<Shelf> shelf) {
  if (!what.keep || site.keeping.folders.empty() || !touches_project(done.round.plan)) co_return 0;
  Change change{.project = what.project,
                .plan = done.round.plan,
                .observed = done.round.observed,
                .results = done.journal.results,
                .events = std::move(done.journal.events),
                .note = what.note};
  const auto kept = shelf ? co_await keep_generation(site.client, site.keeping, *what.keep, std::move(change), *shelf)
                          : Result<int>(fail(std::move(shelf).error()));
  if (kept) co_return *kept;
  site.warning("no generation was kept, so this cannot be rolled back to: " + kept.error().message);
  co_return 0;
}

io::Task<void> release(plan::Lock& lock, engine::Client& client, Result<void>& released) {
  released = co_await io::shielded(lock.release(client));
}

plan::LockOptions lock_options(const Site& site, const CarryOut& what) {
  return {.project = what.project.name, .owner = what.owner, .folder = site.runtime_folder};
}

// Who was killed after its last change left nothing but its lock. Where that stays, the next change takes it over.
io::Task<void> clear_lock(const Site& site, const CarryOut& what) {
  const auto done = co_await plan::clear_dead_lock(site.client, lock_options(site, what));
  if (done && !done->empty()) site.note(*done);
}

// The slow calls for the lock and the generation run beside others: what a generation needs is asked while the plan is
// applied, and the engine's lock goes while it is written. The lock's file keeps others of this host away to the end.
io::Task<Result<CarriedOut>> apply_locked(const Site& site, const CarryOut& what) {
  auto lock = CO_TRY(co_await plan::lock_project(site.client, lock_options(site, what)));
  if (!lock.message().empty()) site.note(lock.message());
  const auto context = co_await io::here();
  Result<Shelf> shelf = fail(Code::internal, "nobody asked where");
  io::Scope asking(context);
  if (what.keep && !site.keeping.folders.empty()) asking.spawn(fill_shelf(site, what.project.name, shelf));
  auto done = co_await apply_rounds(site, what);
  co_await asking.join();
  Result<void> released;
  io::Scope leaving(context);
  leaving.spawn(release(lock, site.client, released));
  const int generation = done ? co_await keep(site, what, *done, std::move(shelf)) : 0;
  co_await leaving.join();
  if (!done) co_return fail(std::move(done).error());
  if (!released) site.warning(released.error().text());
  co_return CarriedOut{.changed = true, .plan = std::move(done->round.plan), .generation = generation};
}

}  // namespace

io::Task<Result<Planned>> make_plan(const Site& site, const CarryOut& what, bool images_settled) {
  Planned out;
  out.observed = CO_TRY(co_await plan::observe(site.client, wanted(what.project)));
  out.plan = CO_TRY(what.planner(out.observed, images_settled));
  if (what.traffic && out.plan.changes()) {
    *what.traffic = co_await site.traffic->view();
    out.plan = CO_TRY(what.planner(out.observed, images_settled));
  }
  if (plan::makes_volumes(out.plan))
    plan::mark_neighbours(out.plan, CO_TRY(co_await plan::observe_neighbours(site.client, what.project.working_dir)));
  if (what.expect && !images_settled) CO_TRY(what.expect(out.plan));
  co_return out;
}

io::Task<Result<CarriedOut>> carry_out(const Site& site, const CarryOut& what) {
  auto first = CO_TRY(co_await make_plan(site, what, false));
  if (first.plan.changes()) {
    // Before the lock: a question may stay open for long.
    CO_TRY(co_await check_round(what, first));
    co_return co_await apply_locked(site, what);
  }
  tell_warnings(site, first.plan);
  co_await clear_lock(site, what);
  Journal journal;
  if (!first.plan.empty()) CO_TRY(co_await apply_round(what, first, journal));
  co_return CarriedOut{.plan = std::move(first.plan)};
}

Result<plan::Plan> plan_of_round(const Project& project, const plan::Observed& observed, UpOptions options,
                                 bool images_settled) {
  options.images_settled = images_settled;
  if (images_settled) options.force_recreate = options.always_recreate_deps = false;
  return plan_up(project, observed, options);
}

}  // namespace berth::compose
