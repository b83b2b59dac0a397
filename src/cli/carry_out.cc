#include "cli/carry_out.h"

#include <fmt/format.h>

#include "cli/plan_text.h"
#include "cli/port_holder.h"
#include "cli/registry.h"
#include "engine/credentials.h"
#include "plan/observe.h"

namespace berth::cli {
namespace {

plan::ProgressFn progress_of(Reporter& reporter, bool quiet_images, plan::ProgressFn journal) {
  return [sink = reporter.sink(), quiet_images, journal = std::move(journal)](const plan::Progress& event) {
    journal(event);
    if (!quiet_images || event.message.is_null()) sink(event);
  };
}

Result<plan::ApplyOptions> apply_options(Session& session, plan::ProgressFn progress) {
  const auto config = TRY(engine::parse_docker_config(TRY(session.docker_config())));
  return plan::ApplyOptions{.parallel = TRY(session.parallel()),
                            .progress = std::move(progress),
                            .registry_auth = auth_by(session),
                            .registry_config = engine::registry_config(config.stored)};
}

io::Task<Result<void>> check_round(Session& session, const CarryOut& what, const Planned& round) {
  co_return co_await what.check(session, what.project, round.plan, round.observed);
}

io::Task<Result<compose::Made>> apply_round(Session& session, const CarryOut& what, const Planned& round,
                                            plan::ProgressFn journal) {
  auto& client = *CO_TRY(co_await session.engine());
  const auto kind = what.quiet ? ProgressKind::quiet : CO_TRY(session.progress_kind());
  Reporter reporter(session.console, kind, session.loop, round.plan);
  session.interrupt_note = "interrupted: finishing what was begun (Ctrl-C again leaves at once)";
  auto options = CO_TRY(apply_options(session, progress_of(reporter, what.quiet_images, std::move(journal))));
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
  if (outcome->ok()) co_return std::move(outcome->results);
  const auto* node = round.plan.find(outcome->failures.front().node);
  if (!node) co_return fail(outcome->error());
  if (std::holds_alternative<plan::PullImage>(node->op)) session.failed_in(Stage::pull);
  co_return fail(co_await explain_port(session, what.project, *node, outcome->error()));
}

io::Task<Result<compose::Site>> site_of(Session& session) {
  co_return compose::Site{.client = *CO_TRY(co_await session.engine()),
                          .traffic = CO_TRY(co_await session.traffic()),
                          .runtime_folder = session.world.runtime_folder,
                          .keeping = keeping_of(session),
                          .note = [&console = session.console](std::string_view text) { console.note(text); },
                          .warning = [&console = session.console](std::string_view text) { console.warning(text); }};
}

// `what` on this console.
compose::CarryOut on_console(Session& session, const CarryOut& what) {
  compose::CarryOut out{.project = what.project,
                        .planner = what.planner,
                        .owner = what.owner,
                        .expect = what.expect,
                        .traffic = what.traffic,
                        .keep = what.keep,
                        .note = what.note};
  if (what.check) out.check = [&](const Planned& round) { return check_round(session, what, round); };
  out.apply = [&](const Planned& round, plan::ProgressFn journal) {
    return apply_round(session, what, round, std::move(journal));
  };
  return out;
}

void print_dry(const Session& session, const Planned& planned) {
  for (const auto& warning : planned.plan.warnings) session.console.warning(warning);
  for (const auto& foreign : planned.plan.foreign)
    session.console.note("left alone: " + foreign.subject + ", " + foreign.reason);
  session.console.print(plan_text(planned.plan, planned.observed, session.console.out));
}

}  // namespace

io::Task<Result<plan::Observed>> observe_project(Session& session, const compose::Project& project) {
  auto& client = *CO_TRY(co_await session.engine());
  co_return co_await plan::observe(client, compose::wanted(project));
}

io::Task<Result<Planned>> make_plan(Session& session, const CarryOut& what, bool images_settled) {
  const auto site = CO_TRY(co_await site_of(session));
  const auto change = on_console(session, what);
  co_return co_await compose::make_plan(site, change, images_settled);
}

io::Task<Result<CarriedOut>> carry_out(Session& session, const CarryOut& what) {
  if (session.options.global.dry_run) {
    auto planned = CO_TRY(co_await make_plan(session, what, false));
    print_dry(session, planned);
    co_return CarriedOut{.plan = std::move(planned.plan)};
  }
  const auto site = CO_TRY(co_await site_of(session));
  const auto change = on_console(session, what);
  co_return co_await compose::carry_out(site, change);
}

}  // namespace berth::cli
