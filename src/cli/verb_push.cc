// push: the images of services that are built here, with their further tags.
#include "cli/push.h"
#include "cli/verbs.h"

namespace berth::cli {

io::Task<Result<int>> verb_push(Session& session) {
  const auto& flags = session.options.push;
  const auto project =
      CO_TRY(co_await session.load({.targets = session.options.arguments, .with_dependencies = flags.include_deps}));
  const auto list = pushed_references(session, project, flags.include_deps ? Texts{} : session.options.arguments);
  if (list.empty()) session.console.note("nothing to push: no service has both an image name and a build section");
  for (const auto& reference : list) {
    if (session.options.global.dry_run) {
      session.console.print("push " + reference + "\n");
      continue;
    }
    auto pushed = co_await push(session, reference, flags.quiet);
    if (pushed) continue;
    if (!flags.ignore_failures || pushed.error().code == Code::cancelled) co_return fail(std::move(pushed).error());
    session.console.warning(pushed.error().text());
  }
  co_return kDone;
}

}  // namespace berth::cli
