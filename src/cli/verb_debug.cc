// debug: a container beside a service's own, with its image, environment, mounts and networks, whose process only
// waits; then a shell, or a command, in it. For a service that keeps dying.
#include "cli/containers.h"
#include "cli/oneoff.h"
#include "cli/oneoff_life.h"
#include "cli/shell.h"
#include "cli/terminal_session.h"
#include "cli/verbs.h"
#include "engine/container.h"
#include "engine/exec.h"

namespace berth::cli {
namespace {

// A shell that reads from an input nobody writes to waits for ever, and the image need not have a `sleep`.
Result<compose::Service> sleeper(const compose::Service& service) {
  auto out = TRY(oneoff_service(service, {}, {}, false));
  out.config.set("entrypoint", Json::array({"sh"}));
  out.config.set("command", Json::array());
  out.config.set("stdin_open", true);
  out.config.set("healthcheck", Json::object({{"disable", true}}));
  return out;
}

std::string words(const Json& list) {
  std::string out;
  for (const auto& item : list.items()) out += " " + quote_json(item.text());
  return out;
}

// What the service itself would run, for the user to try.
io::Task<Result<void>> say_command(Session& session, const OneOff& run) {
  auto& client = *CO_TRY(co_await session.engine());
  const auto list = CO_TRY(co_await list_project(session, run.project.name, {.services = {run.service}}));
  if (list.empty()) co_return Result<void>{};
  const auto inspect = CO_TRY(co_await engine::inspect_container(client, list.front().id));
  const auto command = words(inspect.at("Config.Entrypoint")) + words(inspect.at("Config.Cmd"));
  session.console.note(list.front().name + " is " + std::string(inspect.at("State.Status").text()) + ", status " +
                       std::to_string(inspect.at("State.ExitCode").integer()) + "; it runs" + command);
  co_return Result<void>{};
}

io::Task<Result<int>> look_inside(Session& session, const OneOff& run) {
  auto& client = *CO_TRY(co_await session.engine());
  const auto started = co_await engine::start_container(client, run.id);
  if (!started) co_return fail(started.error().code, "service \"" + run.service + "\": " + started.error().message);
  const auto& arguments = session.options.arguments;
  const auto& flags = session.options.debug;
  Texts command(arguments.begin() + 1, arguments.end());
  if (command.empty()) command.push_back(CO_TRY(co_await find_shell(session, run.id)));
  const bool tty = session.console.in_terminal;
  const auto exec = CO_TRY(co_await engine::create_exec(client, run.id,
                                                        {.command = std::move(command),
                                                         .environment = flags.environment,
                                                         .user = flags.user,
                                                         .working_dir = flags.working_dir,
                                                         .in = true,
                                                         .tty = tty}));
  auto attachment = CO_TRY(co_await engine::start_exec(client, exec, tty));
  const Terminal how{.tty = tty, .input = true, .resize = [&](int width, int height) {
                       return engine::resize_exec(client, exec, width, height);
                     }};
  CO_TRY(co_await connect_terminal(session, attachment, how));
  co_return static_cast<int>(CO_TRY(co_await engine::exec_status(client, exec)));
}

}  // namespace

io::Task<Result<int>> verb_debug(Session& session) {
  const auto& service = session.options.arguments.front();
  OneOff run{.project = CO_TRY(co_await session.load({.targets = {service}, .with_dependencies = false})),
             .service = service};
  run.flags.remove = run.flags.no_deps = true;
  run.input = true;
  CO_TRY(co_await make_oneoff(session, run, CO_TRY(sleeper(*run.project.find(service)))));
  if (session.options.global.dry_run) co_return kDone;
  (void)co_await say_command(session, run);
  auto status = co_await look_inside(session, run);
  const auto removed = co_await io::shielded(end_oneoff(session, run), std::chrono::seconds(30));
  if (!removed) session.console.warning(removed.error().text());
  co_return status;
}

}  // namespace berth::cli
