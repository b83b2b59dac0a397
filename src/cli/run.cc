#include "cli/run.h"

#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <iostream>

#include "cli/arguments.h"
#include "cli/flags.h"
#include "cli/verbs.h"
#include "compose/disk_files.h"
#include "io/process.h"
#include "plan/lock.h"

namespace berth::cli {
namespace {

// Writes all of it; a reader that went away ends the program as SIGPIPE would.
void write_fd(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      pollfd waits{.fd = fd, .events = POLLOUT, .revents = 0};
      ::poll(&waits, 1, -1);
      continue;
    }
    if (count < 0 && errno == EPIPE && fd == STDOUT_FILENO) std::exit(128 + SIGPIPE);
    if (count < 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

Sink sink_on(int fd, bool color_wanted) {
  return {.write = [fd](std::string_view text) { write_fd(fd, text); },
          .terminal = io::is_terminal(fd),
          .color = color_wanted && io::is_terminal(fd)};
}

// Nothing runs while a question is open, so that Ctrl-C may end the program as usual.
std::optional<std::string> read_line() {
  sigset_t ends, before;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGINT);
  ::sigaddset(&ends, SIGTERM);
  ::sigprocmask(SIG_UNBLOCK, &ends, &before);
  std::string line;
  const bool read = static_cast<bool>(std::getline(std::cin, line));
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  return read ? std::optional(std::move(line)) : std::nullopt;
}

Console console_of(const World& world) {
  const bool color = world.variable("NO_COLOR").empty() && world.variable("TERM") != "dumb";
  Console console{.out = sink_on(STDOUT_FILENO, color), .err = sink_on(STDERR_FILENO, color)};
  console.in_terminal = io::is_terminal(STDIN_FILENO);
  console.columns = [] { return io::terminal_size(STDERR_FILENO).value_or(io::TerminalSize{}).columns; };
  console.rows = [] { return io::terminal_size(STDERR_FILENO).value_or(io::TerminalSize{}).rows; };
  console.read_line = read_line;
  return console;
}

Texts state_folders(const World& world, const std::string& data) {
  const auto given = data.empty() ? world.variable("BERTH_DATA") : data;
  if (!given.empty()) return {given};
  const auto state = world.variable("XDG_STATE_HOME");
  const auto home = world.variable("HOME");
  Texts out{"/var/lib/berth"};
  if (!state.empty())
    out.push_back(state + "/berth");
  else if (!home.empty())
    out.push_back(home + "/.local/state/berth");
  return out;
}

void apply_ansi(Console& console, std::string_view when) {
  if (when == "never") console.out.color = console.err.color = false;
  if (when == "always") console.out.color = console.err.color = true;
}

io::Task<void> listen(Session& session, io::Signals& signals) {
  bool asked = false;
  for (;;) {
    const auto signal = co_await signals.next();
    if (!signal) co_return;
    if (*signal == SIGWINCH) {
      session.resized.set();
      continue;
    }
    if (session.hands_on_signals) {
      session.signals.push_back(*signal);
      session.signalled.set();
      continue;
    }
    if (asked) std::exit(kInterrupted);
    asked = true;
    session.console.note(session.interrupt_note.empty() ? "interrupted" : session.interrupt_note);
    session.cancel.request();
  }
}

// As a plugin of docker: where docker has no terminal to share, it says by closing this socket that we are to end.
io::Task<void> listen_to_docker(Session& session, std::string path) {
  const auto address = io::Address::unix_path(path);
  if (!address) co_return;
  const auto stream = co_await io::connect(*address);
  if (!stream) co_return;
  char ignored[64];
  for (;;) {
    const auto count = co_await io::read_some(**stream, ignored);
    if (!count && count.error().code == Code::cancelled) co_return;
    if (!count || *count == 0) break;
  }
  session.cancel.request();
}

io::Task<Result<int>> with_signals(Session& session, io::Signals& signals, Verb verb) {
  io::Scope scope(co_await io::here());
  scope.spawn(listen(session, signals));
  const auto docker = session.world.variable("DOCKER_CLI_PLUGIN_SOCKET");
  if (!docker.empty()) scope.spawn(listen_to_docker(session, docker));
  auto result = co_await verb(session).under(session.cancel);
  scope.cancel();
  co_await scope.join();
  co_return result;
}

io::Task<Result<int>> without_signals(Session& session, Verb verb) {
  co_return co_await verb(session).under(session.cancel);
}

// An image that could not be had has a status of its own. Their effects begin their messages so.
int status_of(const Session& session, const Error& error) {
  const bool fails = session.stage() == Stage::engine && error.code != Code::cancelled;
  if (fails && error.message.starts_with("cannot build ")) return kBuildFailed;
  if (fails && error.message.starts_with("cannot pull ")) return kPullFailed;
  return exit_status(error.code, session.stage());
}

int finish(const Session& session, const Result<int>& result) {
  if (result) return *result;
  if (result.error().code != Code::cancelled) session.console.error(result.error());
  return status_of(session, result.error());
}

struct Started {
  Options options;
  Verb verb = nullptr;
  int status = kDone;
};

// Reads the arguments and answers what needs no verb: help, --version, wrong usage.
Started start(const World& world, const std::vector<std::string>& arguments) {
  Texts others;
  for (const auto& other : world.others) others.emplace_back(other.name);
  auto parsed = parse_arguments(arguments, others);
  if (!parsed) {
    world.console.error(parsed.error());
    return {.options = {}, .status = kBadUsage};
  }
  Started out{.options = std::move(*parsed)};
  auto& verb = out.options.verb;
  if (out.options.global.help || (verb.empty() && !out.options.global.version)) {
    world.console.print(verb.empty() ? help_text(world.others) : help_text_of(verb));
    return out;
  }
  if (verb.empty()) verb = "version";
  out.verb = find_verb(out.options.verb);
  return out;
}

}  // namespace

int run_in(const World& world, io::Loop& loop, const std::vector<std::string>& arguments) {
  const auto started = start(world, arguments);
  if (!started.verb) return started.status;
  Session session(started.options, world, loop);
  return finish(session, loop.run(without_signals(session, started.verb)));
}

int run(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment,
        std::span<const OtherVerb> others) {
  World world{.environment = environment, .others = {others.begin(), others.end()}};
  std::error_code error;
  world.working_dir = std::filesystem::current_path(error).string();
  world.runtime_folder = plan::runtime_folder(world.variable("XDG_RUNTIME_DIR"));
  world.console = console_of(world);
  world.files = compose::disk_files();
  if (error) {
    world.console.error(Error{Code::not_found, "the working directory cannot be read: " + error.message() +
                                                   "; it may have been removed, change to another one"});
    return kFailed;
  }
  auto started = start(world, arguments);
  if (!started.verb) return started.status;
  world.state_folders = state_folders(world, started.options.global.data);
  io::Loop loop;
  auto signals = io::Signals::open(loop, {SIGINT, SIGTERM, SIGHUP, SIGWINCH});
  if (!signals) {
    world.console.error(signals.error());
    return kFailed;
  }
  Session session(started.options, world, loop);
  const auto& ansi = started.options.global.ansi;
  apply_ansi(world.console, ansi.empty() ? session.setting("COMPOSE_ANSI") : ansi);
  world.console.status_on_out = compose::is_on(session.setting("COMPOSE_STATUS_STDOUT"));
  return finish(session, loop.run(with_signals(session, **signals, started.verb)));
}

}  // namespace berth::cli
