// rollback: a whole project as an earlier generation had it, by the same planner.
#include "cli/carry_out.h"
#include "cli/consent.h"
#include "cli/port_holder.h"
#include "cli/up_options.h"
#include "cli/verbs.h"
#include "compose/rollback.h"

namespace berth::cli {
namespace {

Result<int> number_of(const Session& session, const History& history) {
  const auto& words = session.options.arguments;
  return compose::generation_to(history.store.numbers(), words.empty() ? 0 : TRY(generation_number(words.front())));
}

io::Task<Result<void>> check_rollback(Session& session, const compose::Project& project, const plan::Plan& plan,
                                      const plan::Observed& observed) {
  CO_TRY(co_await check_ports(session, project, plan, observed));
  co_return ask_for_risks(session, plan, session.options.history.yes);
}

compose::UpOptions options_of(const Session& session) {
  auto out = compose::rollback_options();
  out.timeout = session.options.history.timeout;
  out.wait = session.options.history.wait;
  out.adopt = session.options.global.adopt;
  return out;
}

}  // namespace

io::Task<Result<int>> verb_rollback(Session& session) {
  const auto name = CO_TRY(co_await history_project(session));
  const auto history = CO_TRY(co_await open_history(session, name));
  const auto number = CO_TRY(number_of(session, history));
  const auto generation = CO_TRY(history.store.read(number, history.key));
  const auto project = CO_TRY(compose::project_of(generation));
  const auto observed = CO_TRY(co_await observe_project(session, project));
  const auto missing = compose::missing_for(generation, project, observed, session.world.files);
  if (!missing.empty()) co_return fail(compose::cannot_go_back(number, missing));
  for (const auto& text : compose::changed_since(generation, project, session.world.files))
    session.console.warning(text);
  auto options = options_of(session);
  const Source source{.load = generation.load, .texts = generation.texts, .remotes = generation.remotes};
  const CarryOut what{.project = project,
                      .planner = [&](const plan::Observed& seen,
                                     bool settled) { return plan_of_round(project, seen, options, settled); },
                      .owner = "rollback",
                      .traffic = &options.traffic,
                      .check = check_rollback,
                      .keep = &source,
                      .note = "rollback to " + std::to_string(number)};
  const auto done = CO_TRY(co_await carry_out(session, what));
  if (!done.changed && !session.options.global.dry_run)
    session.console.note("nothing to do: " + name + " is as in generation " + std::to_string(number));
  co_return kDone;
}

}  // namespace berth::cli
