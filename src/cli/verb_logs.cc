#include "cli/log_follow.h"
#include "cli/verbs.h"

namespace berth::cli {
namespace {

Result<LogWish> wish_of(Session& session) {
  const auto& flags = session.options.logs;
  const auto now = session.world.now();
  LogWish wish{.services = session.options.arguments,
               .number = flags.index.value_or(0),
               .tail = flags.tail == "all" ? "" : flags.tail,
               .since = TRY(time_parameter(flags.since, now)),
               .until = TRY(time_parameter(flags.until, now)),
               .style = {.prefix = !flags.no_log_prefix, .color = !flags.no_color, .times = flags.timestamps}};
  if (!wish.tail.empty() && wish.tail.find_first_not_of("0123456789") != std::string::npos)
    return session.usage("--tail " + flags.tail + ": a number of lines, or all");
  return wish;
}

}  // namespace

io::Task<Result<int>> verb_logs(Session& session) {
  auto wish = CO_TRY(wish_of(session));
  const auto target =
      CO_TRY(co_await session.load_or_name({.targets = session.options.arguments, .every_profile = true}));
  wish.project = target.project.name;
  if (!session.options.logs.follow) {
    CO_TRY(co_await print_logs(session, std::move(wish)));
  } else {
    session.interrupt_note = " ";
    CO_TRY(co_await follow_logs(session, {.logs = std::move(wish)}));
  }
  co_return kDone;
}

}  // namespace berth::cli
