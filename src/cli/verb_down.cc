#include "cli/carry_out.h"
#include "cli/up_options.h"
#include "cli/verbs.h"

namespace berth::cli {

io::Task<Result<int>> verb_down(Session& session) {
  auto options = CO_TRY(down_options(session));
  const auto target = CO_TRY(
      co_await session.load_or_name({.targets = options.services, .with_dependencies = false, .every_profile = true}));
  options.by_label = target.by_label;
  const CarryOut what{.project = target.project,
                      .planner = [&](const plan::Observed& observed,
                                     bool) { return compose::plan_down(target.project, observed, options); },
                      .owner = "down"};
  const auto done = CO_TRY(co_await carry_out(session, what));
  if (options.images != compose::RemoveImages::none && options.services.empty() && !session.options.global.dry_run)
    CO_TRY(co_await compose::drop_kept_images(*CO_TRY(co_await session.engine()), target.project.name));
  if (!done.changed && !session.options.global.dry_run)
    session.console.note("nothing to do: there is nothing of " + target.project.name);
  co_return kDone;
}

}  // namespace berth::cli
