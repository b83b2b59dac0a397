#include "cli/oneoff.h"
#include "cli/oneoff_life.h"
#include "cli/terminal_session.h"
#include "cli/verbs.h"
#include "compose/dotenv.h"
#include "engine/container.h"

namespace berth::cli {
namespace {

// The flags with the variables of --env-from-file before those of -e, which win.
Result<RunFlags> with_env_files(const Session& session, const compose::Project& project) {
  RunFlags out = session.options.run;
  compose::Environment variables;
  std::set<std::string> unset;
  const auto lookup = compose::lookup_in(project.environment);
  for (const auto& name : out.env_files) {
    const auto path = name.starts_with('/') ? name : session.world.working_dir + "/" + name;
    const auto text = TRY(session.world.files.read(path));
    TRY(compose::parse_dotenv(compose::without_byte_order_mark(text), {.lookup = lookup, .unset = unset, .name = name},
                              variables));
  }
  Texts texts;
  for (const auto& [name, value] : variables) texts.push_back(name + "=" + value);
  out.environment.insert(out.environment.begin(), texts.begin(), texts.end());
  return out;
}

io::Task<Result<int>> run_attached(Session& session, const OneOff& run) {
  auto& client = *CO_TRY(co_await session.engine());
  auto attachment = CO_TRY(co_await engine::attach_container(client, run.id, {.in = run.input, .tty = run.tty}));
  CO_TRY(co_await engine::start_container(client, run.id));
  const Terminal how{.tty = run.tty, .input = run.input, .resize = [&](int width, int height) {
                       return engine::resize_container(client, run.id, width, height);
                     }};
  CO_TRY(co_await connect_terminal(session, attachment, how));
  co_return static_cast<int>(CO_TRY(co_await engine::wait_container(client, run.id)));
}

}  // namespace

io::Task<Result<int>> verb_run(Session& session) {
  const auto& flags = session.options.run;
  const auto& arguments = session.options.arguments;
  OneOff run{.project = {}, .service = arguments.front()};
  run.project = CO_TRY(co_await session.load({.targets = {run.service}, .with_dependencies = !flags.no_deps}));
  run.input = flags.interactive && !flags.detach;
  run.tty = flags.tty && !flags.no_tty && !flags.detach && session.console.in_terminal;
  const Texts command(arguments.begin() + 1, arguments.end());
  run.flags = CO_TRY(with_env_files(session, run.project));
  auto service = oneoff_service(*run.project.find(run.service), run.flags, command, run.tty);
  if (!service) co_return session.usage(service.error().message);
  CO_TRY(co_await make_oneoff(session, run, std::move(*service)));
  if (run.id.empty()) co_return kDone;
  if (flags.detach) {
    CO_TRY(co_await engine::start_container(*CO_TRY(co_await session.engine()), run.id));
    session.console.print(run.name + "\n");
    co_return kDone;
  }
  auto status = co_await run_attached(session, run);
  const auto cleaned = co_await io::shielded(end_oneoff(session, run), std::chrono::seconds(30));
  if (!cleaned) session.console.warning(cleaned.error().text());
  co_return status;
}

}  // namespace berth::cli
