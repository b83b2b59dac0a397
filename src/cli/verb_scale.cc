// scale: up for the named services, with these numbers.
#include "cli/carry_out.h"
#include "cli/up_options.h"
#include "cli/verbs.h"

namespace berth::cli {

io::Task<Result<int>> verb_scale(Session& session) {
  auto numbers = parse_scale(session.options.arguments);
  if (!numbers) co_return session.usage(numbers.error().message);
  compose::UpOptions options{
      .no_deps = session.options.scale_no_deps, .scale = *numbers, .adopt = session.options.global.adopt};
  for (const auto& [service, number] : *numbers) options.services.push_back(service);
  const auto project = CO_TRY(co_await session.load(up_wish(options)));
  const auto source = CO_TRY(source_of(session, up_wish(options)));
  const CarryOut what{.project = project,
                      .planner = [&](const plan::Observed& observed,
                                     bool settled) { return plan_of_round(project, observed, options, settled); },
                      .owner = "scale",
                      .keep = &source};
  const auto done = CO_TRY(co_await carry_out(session, what));
  if (!done.changed && !session.options.global.dry_run)
    session.console.note("nothing to do: there are as many already");
  co_return kDone;
}

}  // namespace berth::cli
