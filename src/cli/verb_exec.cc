#include "cli/containers.h"
#include "cli/shell.h"
#include "cli/terminal_session.h"
#include "cli/verbs.h"
#include "engine/exec.h"

namespace berth::cli {
namespace {

engine::CreateExec exec_of(const Session& session, Texts command, bool tty) {
  const auto& flags = session.options.exec;
  engine::CreateExec out{.command = std::move(command),
                         .user = flags.user,
                         .working_dir = flags.working_dir,
                         .in = flags.interactive && !flags.detach,
                         .out = !flags.detach,
                         .err = !flags.detach,
                         .tty = tty,
                         .privileged = flags.privileged};
  for (const auto& setting : flags.environment) {
    // A name alone takes the value that it has here.
    const bool alone = !setting.contains('=');
    out.environment.push_back(alone ? setting + "=" + session.world.variable(setting) : setting);
  }
  return out;
}

}  // namespace

io::Task<Result<int>> verb_exec(Session& session) {
  const auto& flags = session.options.exec;
  const auto& service = session.options.arguments.front();
  const auto target =
      CO_TRY(co_await session.load_or_name({.targets = {service}, .with_dependencies = false, .every_profile = true}));
  const auto container = CO_TRY(co_await pick_container(session, target.project, service, flags.index));
  auto& client = *CO_TRY(co_await session.engine());
  const auto& arguments = session.options.arguments;
  Texts command(arguments.begin() + 1, arguments.end());
  if (command.empty()) command.push_back(CO_TRY(co_await find_shell(session, container.id)));
  const bool tty = flags.tty && !flags.no_tty && !flags.detach && session.console.in_terminal;
  const auto id = CO_TRY(co_await engine::create_exec(client, container.id, exec_of(session, std::move(command), tty)));
  if (flags.detach) {
    CO_TRY(co_await engine::start_exec_detached(client, id, tty));
    co_return kDone;
  }
  auto attachment = CO_TRY(co_await engine::start_exec(client, id, tty));
  const Terminal how{.tty = tty, .input = flags.interactive, .resize = [&](int width, int height) {
                       return engine::resize_exec(client, id, width, height);
                     }};
  CO_TRY(co_await connect_terminal(session, attachment, how));
  co_return static_cast<int>(CO_TRY(co_await engine::exec_status(client, id)));
}

}  // namespace berth::cli
