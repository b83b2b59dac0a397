#include "cli/attached.h"
#include "cli/carry_out.h"
#include "cli/consent.h"
#include "cli/containers.h"
#include "cli/port_holder.h"
#include "cli/up_options.h"
#include "cli/verbs.h"
#include "cli/watch_loop.h"

namespace berth::cli {
namespace {

// Before anything is changed: is data at risk, and are the ports free?
io::Task<Result<void>> check_up(Session& session, const compose::Project& project, const plan::Plan& plan,
                                const plan::Observed& observed) {
  CO_TRY(co_await check_ports(session, project, plan, observed));
  co_return ask_for_risks(session, plan, session.options.up.yes);
}

}  // namespace

io::Task<Result<int>> verb_up(Session& session) {
  const auto& flags = session.options.up;
  auto options = CO_TRY(up_options(session));
  const auto project = CO_TRY(co_await session.load(up_wish(options)));
  const auto source = CO_TRY(source_of(session, up_wish(options)));
  CO_TRY(check_attached(session, project));
  if (flags.watch) CO_TRY(rules_of(session, project, session.options.arguments));
  const auto since = CO_TRY(time_parameter("0s", session.world.now()));
  const CarryOut what{.project = project,
                      .planner = [&](const plan::Observed& observed,
                                     bool settled) { return plan_of_round(project, observed, options, settled); },
                      .owner = "up",
                      .quiet_images = flags.quiet_pull,
                      .traffic = options.rolling ? &options.traffic : nullptr,
                      .check = check_up,
                      .keep = &source};
  const auto done = CO_TRY(co_await carry_out(session, what));
  if (!done.changed && !session.options.global.dry_run)
    session.console.note("nothing to do: " + project.name + " is as its files say");
  const bool returns = flags.detach || flags.wait || flags.no_start || session.options.global.dry_run;
  if (returns) co_return kDone;
  co_return co_await follow_up(session, project, since);
}

io::Task<Result<int>> verb_create(Session& session) {
  const auto options = CO_TRY(create_options(session));
  const auto project = CO_TRY(co_await session.load(up_wish(options)));
  const CarryOut what{.project = project,
                      .planner = [&](const plan::Observed& observed,
                                     bool settled) { return plan_of_round(project, observed, options, settled); },
                      .owner = "create",
                      .quiet_images = session.options.create.quiet_pull};
  CO_TRY(co_await carry_out(session, what));
  co_return kDone;
}

}  // namespace berth::cli
