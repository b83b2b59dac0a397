#include "cli/containers.h"
#include "cli/terminal_session.h"
#include "cli/verbs.h"
#include "engine/container.h"

namespace berth::cli {
namespace {

// Signals go to the container's process in place of ending us; one after the other, in the order they came.
io::Task<void> hand_on_signals(Session& session, std::string id) {
  auto client = co_await session.engine();
  if (!client) co_return;
  for (;;) {
    if (!co_await session.signalled.wait()) co_return;
    session.signalled.reset();
    for (const int signal : std::exchange(session.signals, {}))
      (void)co_await engine::kill_container(**client, id, std::to_string(signal));
  }
}

io::Task<Result<void>> talk(Session& session, engine::Attachment& attachment, Terminal how, std::string id) {
  if (!session.options.one.sig_proxy) co_return co_await connect_terminal(session, attachment, std::move(how));
  session.hands_on_signals = true;
  io::Scope scope(co_await io::here());
  scope.spawn(hand_on_signals(session, id));
  auto done = co_await connect_terminal(session, attachment, std::move(how));
  session.hands_on_signals = false;
  scope.cancel();
  co_await scope.join();
  co_return done;
}

// Its status when it ended; 0 when we were detached from it.
io::Task<Result<int>> status_of(Session& session, std::string id) {
  auto& client = *CO_TRY(co_await session.engine());
  const auto state = CO_TRY(co_await engine::inspect_container(client, id))["State"];
  if (state["Running"].boolean()) {
    session.console.note("detached; the container runs on");
    co_return kDone;
  }
  co_return static_cast<int>(state["ExitCode"].integer());
}

}  // namespace

io::Task<Result<int>> verb_attach(Session& session) {
  const auto& flags = session.options.one;
  const auto& service = session.options.arguments.front();
  const auto target =
      CO_TRY(co_await session.load_or_name({.targets = {service}, .with_dependencies = false, .every_profile = true}));
  const auto container = CO_TRY(co_await pick_container(session, target.project, service, flags.index));
  auto& client = *CO_TRY(co_await session.engine());
  const auto inspect = CO_TRY(co_await engine::inspect_container(client, container.id));
  const bool tty = inspect.at("Config.Tty").boolean();
  const bool input = !flags.no_stdin && inspect.at("Config.OpenStdin").boolean();
  auto attachment = CO_TRY(co_await engine::attach_container(
      client, container.id, {.in = input, .tty = tty, .detach_keys = flags.detach_keys}));
  Terminal how{.tty = tty, .input = input, .resize = [&](int width, int height) {
                 return engine::resize_container(client, container.id, width, height);
               }};
  CO_TRY(co_await talk(session, attachment, std::move(how), container.id));
  co_return co_await status_of(session, container.id);
}

}  // namespace berth::cli
