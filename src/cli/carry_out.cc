#include "cli/carry_out.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/plan_text.h"
#include "cli/port_holder.h"
#include "compose/plan.h"
#include "engine/credentials.h"
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
      .parallel = session.parallel(),
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
  const auto kind = what.quiet ? ProgressKind::quiet : session.progress_kind();
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
           !std::holds_alternative<plan::WaitContainer>(node.op);
  });
}

io::Task<Result<CarriedOut>> apply_rounds(Session& session, const CarryOut& what) {
  Planned round = CO_TRY(co_await make_plan(session, what, false));
  print_warnings(session, round.plan);
  Journal journal;
  CO_TRY(co_await apply_round(session, what, round, journal));
  if (round.plan.again) {
    auto second = CO_TRY(co_await make_plan(session, what, true));
    CO_TRY(co_await check_round(session, what, second));
    round.observed = std::move(second.observed);
    // What was done in the first round is told when there was nothing to do in the second.
    if (!second.plan.empty()) {
      round.plan = std::move(second.plan);
      CO_TRY(co_await apply_round(session, what, round, journal));
    }
  }
  if (what.keep && touches_project(round.plan)) {
    Change change{.project = what.project,
                  .plan = round.plan,
                  .observed = round.observed,
                  .results = journal.results,
                  .events = std::move(journal.events)};
    co_await keep_generation(session, *what.keep, std::move(change), what.note);
  }
  co_return CarriedOut{.changed = true, .plan = std::move(round.plan)};
}

io::Task<Result<CarriedOut>> apply_locked(Session& session, const CarryOut& what) {
  auto& client = *CO_TRY(co_await session.engine());
  auto lock = CO_TRY(co_await plan::lock_project(
      client, {.project = what.project.name, .owner = what.owner, .folder = session.world.runtime_folder}));
  if (!lock.message().empty()) session.console.note(lock.message());
  auto result = co_await apply_rounds(session, what);
  const auto released = co_await io::shielded(lock.release(client));
  if (!released && result) session.console.warning(released.error().text());
  co_return result;
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
  Journal journal;
  if (!first.plan.empty()) CO_TRY(co_await apply_round(session, what, first, journal));
  co_return CarriedOut{.plan = std::move(first.plan)};
}

}  // namespace berth::cli
