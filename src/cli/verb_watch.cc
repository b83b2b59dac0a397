#include "cli/carry_out.h"
#include "cli/up_options.h"
#include "cli/verbs.h"
#include "cli/watch_loop.h"

namespace berth::cli {
namespace {

io::Task<Result<void>> bring_up(Session& session, const compose::Project& project, const WatchWish& wish) {
  const compose::UpOptions options{
      .services = session.options.arguments, .build = compose::Build::always, .adopt = session.options.global.adopt};
  const CarryOut what{.project = project,
                      .planner = [&](const plan::Observed& observed,
                                     bool settled) { return plan_of_round(project, observed, options, settled); },
                      .owner = "watch",
                      .quiet_images = wish.quiet};
  CO_TRY(co_await carry_out(session, what));
  co_return Result<void>{};
}

}  // namespace

io::Task<Result<int>> verb_watch(Session& session) {
  const auto& flags = session.options.watch;
  const auto project = CO_TRY(co_await session.load({.targets = session.options.arguments}));
  WatchWish wish{.project = project,
                 .rules = CO_TRY(rules_of(session, project, session.options.arguments)),
                 .quiet = flags.quiet,
                 .prune = flags.prune};
  if (!flags.no_up) CO_TRY(co_await bring_up(session, project, wish));
  if (session.options.global.dry_run) co_return kDone;
  session.interrupt_note = " ";
  CO_TRY(co_await follow_sources(session, std::move(wish)));
  co_return kDone;
}

}  // namespace berth::cli
