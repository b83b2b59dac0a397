// Commands run inside the fake engine's containers.
#include <fmt/format.h>

#include "base/text.h"
#include "testing/fake_route.h"

namespace berth::testing {
namespace {

FakeExecRun* find_exec(FakeState& state, std::string_view id) {
  for (FakeExecRun& exec : state.execs)
    if (exec.id == id) return &exec;
  return nullptr;
}

FakeReply no_such_exec(std::string_view id) {
  return refuse(404, fmt::format("No such exec instance: {}", id));
}

std::vector<std::string> command_of(const Json& create) {
  std::vector<std::string> words;
  for (const Json& word : create["Cmd"].items()) words.emplace_back(word.text());
  return words;
}

FakeReply create(FakeState& state, const FakeArgs& args) {
  FakeContainer* container = state.find_container(args.name());
  if (!container) return no_such_container(args.name());
  const auto words = command_of(args.body);
  if (words.empty()) return refuse(400, "No exec command specified");
  if (container->status == FakeStatus::paused)
    return refuse(409, fmt::format("Container {} is paused, unpause the container before exec", args.name()));
  if (!container->up()) return refuse(409, fmt::format("Container {} is not running", container->id));
  FakeExecRun exec{.id = state.new_id("exec"), .container = container->id, .create = args.body};
  const std::string command = join(words, " ");
  for (const FakeExec& script : state.exec_scripts)
    if (glob(script.container, container->name) && glob(script.command, command)) exec.script = script;
  container->execs.push_back(exec.id);
  state.emit(*container, "exec_create: " + command, Json::object({{"execID", exec.id}}));
  const std::string id = exec.id;
  state.execs.push_back(std::move(exec));
  return answer(201, Json::object({{"Id", id}}));
}

void finish(FakeState& state, std::string_view id, const std::shared_ptr<FakeFeed>& feed) {
  FakeExecRun* exec = find_exec(state, id);
  if (!exec || !exec->running) return;
  exec->running = false;
  if (feed) feed->end();
  FakeContainer* container = state.container_by_id(exec->container);
  if (!container) return;
  std::erase(container->execs, exec->id);
  state.emit(*container, "exec_die",
             Json::object({{"execID", exec->id}, {"exitCode", std::to_string(exec->script.exit_code)}}));
}

void run(FakeState& state, FakeExecRun& exec, const std::shared_ptr<FakeFeed>& feed, bool tty) {
  const auto write = [tty](FakeFeed& to, bool err, std::string_view text) {
    if (!text.empty()) to.push(tty ? std::string(text) : frame(err, text));
  };
  if (feed) {
    write(*feed, false, exec.script.out);
    write(*feed, true, exec.script.err);
  }
  const std::string id = exec.id;
  if (feed && exec.script.echoes) {
    feed->on_input([&state, id, write, to = std::weak_ptr<FakeFeed>(feed)](std::string_view bytes) {
      const auto out = to.lock();
      if (!out) return;
      if (bytes.empty()) return finish(state, id, out);
      write(*out, false, bytes);
    });
  } else {
    state.agenda.in(exec.script.takes, [&state, id, feed] { finish(state, id, feed); });
  }
}

// Where it would attach, the engine answers 200 and tells what is wrong in the stream.
FakeReply refuse_again(FakeState& state, const FakeArgs& args, const FakeExecRun& exec) {
  const std::string message =
      fmt::format("Error: Exec command {} {}", exec.id, exec.running ? "is already running" : "has already run");
  if (args.body["Detach"].boolean()) return refuse(409, message);
  const auto feed = std::make_shared<FakeFeed>();
  const bool tty = exec.create["Tty"].boolean();
  feed->push(tty ? message + "\r\n" : frame(false, message + "\r\n"));
  feed->end();
  return hijack(state, args, tty, feed);
}

FakeReply start(FakeState& state, const FakeArgs& args) {
  FakeExecRun* exec = find_exec(state, args.name());
  if (!exec) return no_such_exec(args.name());
  FakeContainer* container = state.container_by_id(exec->container);
  if (exec->started) return refuse_again(state, args, *exec);
  if (!container || !container->up())
    return refuse(409, fmt::format("Container {} is not running: Exited ({})", exec->container,
                                   container ? container->exit_code : 0));
  exec->started = exec->running = true;
  exec->pid = state.next_pid++;
  state.emit(*container, "exec_start: " + join(command_of(exec->create), " "), Json::object({{"execID", exec->id}}));
  const bool detached = args.body["Detach"].boolean(), tty = exec->create["Tty"].boolean();
  const auto feed = detached ? nullptr : std::make_shared<FakeFeed>();
  run(state, *exec, feed, tty);
  return detached ? answer(200) : hijack(state, args, tty, feed);
}

FakeReply inspect(FakeState& state, const FakeArgs& args) {
  const FakeExecRun* exec = find_exec(state, args.name());
  if (!exec) return no_such_exec(args.name());
  Json arguments = Json::array();
  const auto words = command_of(exec->create);
  for (std::size_t i = 1; i < words.size(); ++i) arguments.push(words[i]);
  Json process = Json::object({{"tty", exec->create["Tty"].boolean()},
                               {"entrypoint", words.front()},
                               {"arguments", std::move(arguments)},
                               {"privileged", exec->create["Privileged"].boolean()}});
  if (const std::string_view user = exec->create["User"].text(); !user.empty()) process.set("user", user);
  const bool ended = exec->started && !exec->running;
  return answer(200, Json::object({{"ID", exec->id},
                                   {"Running", exec->running},
                                   {"ExitCode", ended ? Json(exec->script.exit_code) : Json()},
                                   {"ProcessConfig", std::move(process)},
                                   {"OpenStdin", exec->create["AttachStdin"].boolean()},
                                   {"OpenStderr", exec->create["AttachStderr"].boolean()},
                                   {"OpenStdout", exec->create["AttachStdout"].boolean()},
                                   {"CanRemove", false},
                                   {"ContainerID", exec->container},
                                   {"DetachKeys", ""},
                                   {"Pid", exec->pid}}));
}

FakeReply resize(FakeState& state, const FakeArgs& args) {
  return find_exec(state, args.name()) ? answer(200) : no_such_exec(args.name());
}

}  // namespace

const std::vector<FakeRoute>& exec_routes() {
  static const std::vector<FakeRoute> routes{
      {"POST", "/containers/{}/exec", create},
      {"GET", "/exec/{}/json", inspect},
      {"POST", "/exec/{}/start", start},
      {"POST", "/exec/{}/resize", resize},
  };
  return routes;
}

}  // namespace berth::testing
