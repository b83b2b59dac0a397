// start, stop, restart, kill, rm: plans over containers that exist.
#include "cli/carry_out.h"
#include "cli/verbs.h"
#include "compose/plan.h"

namespace berth::cli {
namespace {

using PlanVerb = Result<plan::Plan> (*)(const compose::Project&, const plan::Observed&, const compose::VerbOptions&);

io::Task<Result<Target>> load_named(Session& session, bool with_dependencies) {
  co_return co_await session.load_or_name(
      {.targets = session.options.arguments, .with_dependencies = with_dependencies, .every_profile = true});
}

compose::VerbOptions verb_options(const Session& session, const Target& target) {
  const auto& life = session.options.life;
  return {.services = session.options.arguments,
          .timeout = life.timeout,
          .signal = life.signal,
          .no_deps = life.no_deps,
          .wait = life.wait,
          .wait_timeout = life.wait_timeout,
          .remove_orphans = life.remove_orphans,
          .adopt = session.options.global.adopt,
          .by_label = target.by_label};
}

io::Task<Result<int>> carry_out_verb(Session& session, PlanVerb plan_verb) {
  const auto target = CO_TRY(co_await load_named(session, true));
  const auto options = verb_options(session, target);
  const CarryOut what{
      .project = target.project,
      .planner = [&](const plan::Observed& observed, bool) { return plan_verb(target.project, observed, options); },
      .owner = session.options.verb};
  CO_TRY(co_await carry_out(session, what));
  co_return kDone;
}

// Asks on a terminal, unless --force.
io::Task<Result<void>> ask_rm(Session& session, const compose::Project&, const plan::Plan& plan,
                              const plan::Observed&) {
  if (session.options.life.force || !session.console.in_terminal) co_return Result<void>{};
  for (const auto& node : plan.nodes)
    if (std::holds_alternative<plan::RemoveContainer>(node.op)) session.console.note(plan::describe(node.op));
  session.console.err.write("Go on? [y/N] ");
  const auto answer = session.console.read_line();
  if (answer && (*answer == "y" || *answer == "Y" || *answer == "yes")) co_return Result<void>{};
  co_return fail(Code::cancelled, "nothing was changed");
}

}  // namespace

io::Task<Result<int>> verb_start(Session& session) {
  co_return co_await carry_out_verb(session, compose::plan_start);
}
io::Task<Result<int>> verb_stop(Session& session) {
  co_return co_await carry_out_verb(session, compose::plan_stop);
}
io::Task<Result<int>> verb_restart(Session& session) {
  co_return co_await carry_out_verb(session, compose::plan_restart);
}
io::Task<Result<int>> verb_kill(Session& session) {
  co_return co_await carry_out_verb(session, compose::plan_kill);
}

io::Task<Result<int>> verb_rm(Session& session) {
  const auto& life = session.options.life;
  const auto target = CO_TRY(co_await load_named(session, false));
  const compose::RmOptions options{.services = session.options.arguments,
                                   .stop = life.stop,
                                   .volumes = life.volumes,
                                   .adopt = session.options.global.adopt,
                                   .by_label = target.by_label};
  const CarryOut what{.project = target.project,
                      .planner = [&](const plan::Observed& observed,
                                     bool) { return compose::plan_rm(target.project, observed, options); },
                      .owner = "rm",
                      .check = ask_rm};
  const auto done = CO_TRY(co_await carry_out(session, what));
  if (!done.changed && !session.options.global.dry_run) session.console.note("no stopped containers");
  co_return kDone;
}

}  // namespace berth::cli
