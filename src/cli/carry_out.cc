#include "cli/carry_out.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/plan_text.h"
#include "cli/port_holder.h"
#include "compose/plan.h"
#include "engine/credentials.h"
#include "io/scope.h"
#include "plan/apply.h"
#include "plan/lock.h"
#include "plan/observe.h"

namespace berth::cli {
namespace {

void print_warnings(const Session& session, const plan::Plan& plan) {
  for (const auto& warning : plan.warnings) session.console.warning(warning);
  for (const auto& foreign : plan.foreign)
    session.console.note("left alone: " + foreign.subject + ", " + foreign.reason);
}

io::Task<Result<std::string>> auth_for(engine::DockerConfig config, std::string reference) {
  co_return engine::registry_auth(CO_TRY(co_await engine::find_credentials(std::move(config), std::move(reference))));
}

// What happened, for a generation.
struct Journal {
  Json events = Json::array();
  std::map<int, std::string> results{};
};

void note(Journal& journal, const plan::Progress& event, std::chrono::milliseconds at) {
  if (event.phase == plan::Phase::progress) return;
  Json entry = Json::object({{"op", event.node->id}, {"phase", plan::to_text(event.phase)}, {"ms", at.count()}});
  if (!event.detail.empty()) entry.set("detail", event.detail);
  journal.events.push(std::move(entry));
}

plan::ProgressFn progress_of(const Session& session, Reporter& reporter, bool quiet_images, Journal& journal) {
  return [sink = reporter.sink(), quiet_images, &journal, &loop = session.loop,
          begin = session.loop.now()](const plan::Progress& event) {
    note(journal, event, std::chrono::duration_cast<std::chrono::milliseconds>(loop.now() - begin));
    if (!quiet_images || event.message.is_null()) sink(event);
  };
}

Result<plan::ApplyOptions> apply_options(const Session& session, plan::ProgressFn progress) {
  const auto config = TRY(engine::parse_docker_config(TRY(session.docker_config())));
  return plan::ApplyOptions{
      .parallel = TRY(session.parallel()),
      .progress = std::move(progress),
      .registry_auth = [config](std::string reference) { return auth_for(config, std::move(reference)); },
      .registry_config = engine::registry_config(config.stored)};
}

io::Task<Result<void>> check_round(Session& session, const CarryOut& what, const Planned& round) {
  if (!what.check) co_return Result<void>{};
  co_return co_await what.check(session, what.project, round.plan, round.observed);
}

io::Task<Result<void>> apply_round(Session& session, const CarryOut& what, const Planned& round, Journal& journal) {
  auto& client = *CO_TRY(co_await session.engine());
  const auto kind = what.quiet ? ProgressKind::quiet : CO_TRY(session.progress_kind());
  Reporter reporter(session.console, kind, session.loop, round.plan);
  session.interrupt_note = "interrupted: finishing what was begun (Ctrl-C again leaves at once)";
  auto options = CO_TRY(apply_options(session, progress_of(session, reporter, what.quiet_images, journal)));
  journal = {};  // of the last round
  options.traffic = CO_TRY(co_await session.traffic());
  auto outcome = co_await plan::apply(client, round.plan, std::move(options));
  session.interrupt_note.clear();
  reporter.finish();
  if (!outcome) {
    session.console.note(fmt::format("{} of {} objects are done; `berth {}` does the rest", reporter.board().finished(),
                                     reporter.board().total(), what.owner));
    co_return fail(std::move(outcome).error());
  }
  for (const auto& warning : outcome->warnings) session.console.warning(warning);
  journal.results = outcome->results;
  if (outcome->ok()) co_return Result<void>{};
  const auto* node = round.plan.find(outcome->failures.front().node);
  if (!node) co_return fail(outcome->error());
  if (std::holds_alternative<plan::PullImage>(node->op)) session.failed_in(Stage::pull);
  co_return fail(co_await explain_port(session, what.project, *node, outcome->error()));
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

io::Task<Result<Applied>> apply_rounds(Session& session, const CarryOut& what) {
  Applied done{.round = CO_TRY(co_await make_plan(session, what, false))};
  print_warnings(session, done.round.plan);
  CO_TRY(co_await apply_round(session, what, done.round, done.journal));
  if (!done.round.plan.again) co_return done;
  auto second = CO_TRY(co_await make_plan(session, what, true));
  CO_TRY(co_await check_round(session, what, second));
  done.round.observed = std::move(second.observed);
  // What was done in the first round is told when there was nothing to do in the second.
  if (second.plan.empty()) co_return done;
  done.round.plan = std::move(second.plan);
  CO_TRY(co_await apply_round(session, what, done.round, done.journal));
  co_return done;
}

io::Task<void> fill_shelf(Session& session, std::string project, Result<Shelf>& shelf) {
  shelf = co_await open_shelf(session, std::move(project));
}

io::Task<void> keep(Session& session, const CarryOut& what, Applied& done, Result<Shelf> shelf) {
  if (!what.keep || !touches_project(done.round.plan)) co_return;
  Change change{.project = what.project,
                .plan = done.round.plan,
                .observed = done.round.observed,
                .results = done.journal.results,
                .events = std::move(done.journal.events)};
  co_await keep_generation(session, *what.keep, std::move(change), what.note, std::move(shelf));
}

io::Task<void> release(plan::Lock& lock, engine::Client& client, Result<void>& released) {
  released = co_await io::shielded(lock.release(client));
}

plan::LockOptions lock_options(const Session& session, const CarryOut& what) {
  return {.project = what.project.name, .owner = what.owner, .folder = session.world.runtime_folder};
}

// Who was killed after its last change left nothing but its lock. Where that stays, the next change takes it over.
io::Task<void> clear_lock(Session& session, const CarryOut& what) {
  const auto client = co_await session.engine();
  if (!client) co_return;
  const auto done = co_await plan::clear_dead_lock(**client, lock_options(session, what));
  if (done && !done->empty()) session.console.note(*done);
}

// The slow calls for the lock and the generation run beside others: what a generation needs is asked while the plan is
// applied, and the engine's lock goes while it is written. The lock's file keeps others of this host away to the end.
io::Task<Result<CarriedOut>> apply_locked(Session& session, const CarryOut& what) {
  auto& client = *CO_TRY(co_await session.engine());
  auto lock = CO_TRY(co_await plan::lock_project(client, lock_options(session, what)));
  if (!lock.message().empty()) session.console.note(lock.message());
  const auto context = co_await io::here();
  Result<Shelf> shelf = fail(Code::internal, "nobody asked where");
  io::Scope asking(context);
  if (what.keep && !session.world.state_folders.empty()) asking.spawn(fill_shelf(session, what.project.name, shelf));
  auto done = co_await apply_rounds(session, what);
  co_await asking.join();
  Result<void> released;
  io::Scope leaving(context);
  leaving.spawn(release(lock, client, released));
  if (done) co_await keep(session, what, *done, std::move(shelf));
  co_await leaving.join();
  if (!done) co_return fail(std::move(done).error());
  if (!released) session.console.warning(released.error().text());
  co_return CarriedOut{.changed = true, .plan = std::move(done->round.plan)};
}

}  // namespace

io::Task<Result<plan::Observed>> observe_project(Session& session, const compose::Project& project) {
  auto& client = *CO_TRY(co_await session.engine());
  co_return co_await plan::observe(client, compose::wanted(project));
}

io::Task<Result<Planned>> make_plan(Session& session, const CarryOut& what, bool images_settled) {
  Planned out;
  out.observed = CO_TRY(co_await observe_project(session, what.project));
  out.plan = CO_TRY(what.planner(out.observed, images_settled));
  if (what.traffic && out.plan.changes()) {
    *what.traffic = co_await CO_TRY(co_await session.traffic())->view();
    out.plan = CO_TRY(what.planner(out.observed, images_settled));
  }
  if (plan::makes_volumes(out.plan)) {
    auto& client = *CO_TRY(co_await session.engine());
    plan::mark_neighbours(out.plan, CO_TRY(co_await plan::observe_neighbours(client, what.project.working_dir)));
  }
  if (what.expect && !images_settled) CO_TRY(what.expect(out.plan));
  co_return out;
}

io::Task<Result<CarriedOut>> carry_out(Session& session, const CarryOut& what) {
  auto first = CO_TRY(co_await make_plan(session, what, false));
  if (session.options.global.dry_run) {
    print_warnings(session, first.plan);
    session.console.print(plan_text(first.plan, first.observed, session.console.out));
    co_return CarriedOut{.plan = std::move(first.plan)};
  }
  if (first.plan.changes()) {
    // Before the lock: a question may stay open for long.
    CO_TRY(co_await check_round(session, what, first));
    co_return co_await apply_locked(session, what);
  }
  print_warnings(session, first.plan);
  co_await clear_lock(session, what);
  Journal journal;
  if (!first.plan.empty()) CO_TRY(co_await apply_round(session, what, first, journal));
  co_return CarriedOut{.plan = std::move(first.plan)};
}

}  // namespace berth::cli
