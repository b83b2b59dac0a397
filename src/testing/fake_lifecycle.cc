// The routes that start, stop, change and remove containers.
#include <fmt/format.h>

#include "testing/fake_route.h"

namespace berth::testing {
namespace {

constexpr auto kUsualGrace = std::chrono::seconds(10);
constexpr auto kForEver = std::chrono::hours(24 * 365);

using Deed = FakeReply (*)(FakeState&, const FakeArgs&, FakeContainer&);

// A route about one container, which must exist.
template <Deed deed>
FakeReply on_container(FakeState& state, const FakeArgs& args) {
  FakeContainer* container = state.find_container(args.name());
  return container ? deed(state, args, *container) : no_such_container(args.name());
}

FakeReply not_running(const FakeContainer& container) {
  return refuse(409, fmt::format("Container {} is not running", container.id));
}

FakeReply start(FakeState& state, const FakeArgs&, FakeContainer& container) {
  if (container.status == FakeStatus::paused)
    return refuse(409, "cannot start a paused container, try unpause instead");
  if (container.status == FakeStatus::running) return answer(304);
  return start_container(state, container).value_or(answer(204));
}

io::Duration grace_of(const FakeArgs& args, const FakeContainer& container) {
  const std::string_view asked = args.value("t");
  std::int64_t seconds = container.config["StopTimeout"].integer(kUsualGrace.count());
  if (!asked.empty()) seconds = std::atoll(std::string(asked).c_str());
  return seconds < 0 ? io::Duration(kForEver) : std::chrono::seconds(seconds);
}

// Stops it, and after its end does `then`; the time until that.
io::Duration stop_and(FakeState& state, FakeContainer& container, io::Duration grace,
                      std::function<void(FakeContainer&)> then) {
  container.stopped_by_hand = true;
  if (container.status == FakeStatus::restarting) {
    container.status = FakeStatus::exited;
    end_output(container, false);
  }
  if (container.up()) {
    const std::string signal(container.config["StopSignal"].text());
    kill_process(state, container, signal.empty() ? "TERM" : signal);
  }
  if (!container.up()) {
    then(container);
    return {};
  }
  state.agenda.in(grace, [&state, id = container.id, run = container.run, then = std::move(then)] {
    FakeContainer* now = state.container_by_id(id);
    if (!now || now->run != run) return;
    if (now->up()) kill_process(state, *now, "KILL");
    then(*now);
  });
  return grace;
}

FakeReply stop(FakeState& state, const FakeArgs& args, FakeContainer& container) {
  if (!container.up() && container.status != FakeStatus::restarting) return answer(304);
  FakeReply reply = answer(204);
  reply.wait =
      stop_and(state, container, grace_of(args, container), [&state](FakeContainer& now) { state.emit(now, "stop"); });
  return reply;
}

FakeReply restart(FakeState& state, const FakeArgs& args, FakeContainer& container) {
  const auto refusal = std::make_shared<std::optional<FakeReply>>();
  FakeReply reply = answer(204);
  const bool ran = container.up();
  reply.wait = stop_and(state, container, grace_of(args, container), [&state, refusal, ran](FakeContainer& now) {
    if (ran) state.emit(now, "stop");
    *refusal = start_container(state, now);
    if (!*refusal) state.emit(now, "restart");
  });
  return refusal->value_or(reply);
}

FakeReply kill(FakeState& state, const FakeArgs& args) {
  FakeContainer* container = state.find_container(args.name());
  if (!container)
    return refuse(404, fmt::format("Cannot kill container: {}: No such container: {}", args.name(), args.name()));
  const std::string_view signal = args.value("signal");
  if (!signal.empty() && !signal_number(signal)) return refuse(400, fmt::format("Invalid signal: {}", signal));
  if (!container->up())
    return refuse(409,
                  fmt::format("Cannot kill container: {}: Container {} is not running", args.name(), container->id));
  kill_process(state, *container, signal.empty() ? "KILL" : signal);
  return answer(204);
}

FakeReply pause(FakeState& state, const FakeArgs&, FakeContainer& container) {
  if (container.status == FakeStatus::paused)
    return refuse(409, fmt::format("Container {} is already paused", container.id));
  if (!container.up()) return not_running(container);
  container.status = FakeStatus::paused;
  state.emit(container, "pause");
  return answer(204);
}

FakeReply unpause(FakeState& state, const FakeArgs&, FakeContainer& container) {
  if (container.status != FakeStatus::paused)
    return refuse(500, fmt::format("Container {} is not paused", container.id));
  container.status = FakeStatus::running;
  state.emit(container, "unpause");
  return answer(204);
}

FakeReply remove(FakeState& state, const FakeArgs& args, FakeContainer& container) {
  if (container.up() && !args.flag("force")) {
    const bool paused = container.status == FakeStatus::paused;
    return refuse(409,
                  fmt::format("You cannot remove a {} container {}. {} the container before attempting removal or "
                              "force remove",
                              paused ? "paused" : "running", container.id, paused ? "Unpause and then stop" : "Stop"));
  }
  if (container.status == FakeStatus::restarting && !args.flag("force"))
    return refuse(409, fmt::format("You cannot remove a restarting container {}. Stop the container before attempting "
                                   "removal or force remove",
                                   container.id));
  if (container.up()) kill_process(state, container, "KILL");
  remove_container(state, container, args.flag("v"));
  return answer(204);
}

FakeReply rename(FakeState& state, const FakeArgs& args, FakeContainer& container) {
  std::string name(args.value("name"));
  if (name.starts_with('/')) name.erase(0, 1);
  if (name.empty()) return refuse(400, "Neither old nor new names may be empty");
  if (name == container.name) return refuse(400, "Renaming a container with the same name as its current name");
  if (auto refusal = name_conflict(state, name))
    return refuse(409, "Error when allocating new name: " + std::string(refusal->json()["message"].text()));
  const std::string old = "/" + std::exchange(container.name, name);
  state.emit(container, "rename", Json::object({{"oldName", old}}));
  return answer(204);
}

FakeReply wait(FakeState&, const FakeArgs& args, FakeContainer& container) {
  FakeReply reply{.headers = {{"Content-Type", "application/json"}}};
  std::string condition(args.value("condition"));
  if (condition != "next-exit" && condition != "removed") condition = "not-running";
  const bool runs = container.up() || container.status == FakeStatus::restarting;
  if (condition == "not-running" && !runs)
    return answer(200, Json::object({{"Error", nullptr}, {"StatusCode", container.exit_code}}));
  reply.feed = std::make_shared<FakeFeed>();
  container.waiters.push_back({reply.feed, condition});
  return reply;
}

FakeReply update(FakeState& state, const FakeArgs& args, FakeContainer& container) {
  for (const auto& [key, value] : args.body.members())
    if (!value.is_null()) container.host.set(key, value);
  container.host = complete_host(state, container.host);
  state.emit(container, "update");
  return answer(200, Json::object({{"Warnings", nullptr}}));
}

FakeReply top(FakeState&, const FakeArgs&, FakeContainer& container) {
  if (!container.up()) return not_running(container);
  std::string command;
  for (const std::string_view key : {"Entrypoint", "Cmd"})
    for (const Json& word : container.config[key].items())
      command += (command.empty() ? "" : " ") + std::string(word.text());
  const std::string pid = std::to_string(container.pid);
  return answer(
      200, Json::object({{"Titles", Json::array({"UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"})},
                         {"Processes",
                          Json::array({Json::array({"root", pid, "1", "0", "00:00", "?", "00:00:00", command})})}}));
}

FakeReply changes(FakeState&, const FakeArgs&, FakeContainer&) {
  return answer(200, Json());
}

FakeReply resize(FakeState&, const FakeArgs& args, FakeContainer& container) {
  if (args.value("h").empty()) return refuse(400, "strconv.Atoi: parsing \"\": invalid syntax");
  return container.up() ? answer(200) : not_running(container);
}

Json sample(FakeState& state, const FakeContainer& container) {
  const Json cpu = Json::object({{"cpu_usage", Json::object({{"total_usage", 1'000'000}})},
                                 {"system_cpu_usage", 1'000'000'000},
                                 {"online_cpus", 2}});
  return Json::object({{"read", time_text(state.now())},
                       {"name", "/" + container.name},
                       {"id", container.id},
                       {"pids_stats", Json::object({{"current", container.up() ? 1 : 0}})},
                       {"cpu_stats", cpu},
                       {"precpu_stats", cpu},
                       {"memory_stats", Json::object({{"usage", 1 << 20}, {"limit", 1 << 30}})},
                       {"networks", Json::object()}});
}

void sample_each_second(FakeState& state, const std::string& id, const std::weak_ptr<FakeFeed>& to) {
  const auto feed = to.lock();
  if (!feed) return;
  const FakeContainer* container = state.container_by_id(id);
  if (!container) return feed->end();
  feed->push(sample(state, *container).dump() + "\n");
  state.agenda.in(std::chrono::seconds(1), [&state, id, to] { sample_each_second(state, id, to); });
}

FakeReply stats(FakeState& state, const FakeArgs& args, FakeContainer& container) {
  if (args.has("stream") && !args.flag("stream")) return answer(200, sample(state, container));
  FakeReply reply{.headers = {{"Content-Type", "application/json"}}, .feed = std::make_shared<FakeFeed>()};
  sample_each_second(state, container.id, reply.feed);
  return reply;
}

FakeReply prune(FakeState& state, const FakeArgs& args) {
  const auto filters = read_filters(args, {"label", "label!", "until"});
  if (!filters) return filters.error();
  std::vector<std::string> ids;
  for (const FakeContainer& container : state.containers)
    if (!container.up() && container.status != FakeStatus::restarting &&
        has_labels(container.config["Labels"], *filters))
      ids.push_back(container.id);
  Json removed;
  for (const std::string& id : ids) {
    removed.push(id);
    remove_container(state, *state.container_by_id(id), false);
  }
  return answer(200, Json::object({{"ContainersDeleted", std::move(removed)}, {"SpaceReclaimed", 0}}));
}

}  // namespace

const std::vector<FakeRoute>& lifecycle_routes() {
  static const std::vector<FakeRoute> routes{
      {"POST", "/containers/prune", prune},
      {"POST", "/containers/{}/start", on_container<start>},
      {"POST", "/containers/{}/stop", on_container<stop>},
      {"POST", "/containers/{}/restart", on_container<restart>},
      {"POST", "/containers/{}/kill", kill},
      {"POST", "/containers/{}/pause", on_container<pause>},
      {"POST", "/containers/{}/unpause", on_container<unpause>},
      {"POST", "/containers/{}/rename", on_container<rename>},
      {"POST", "/containers/{}/wait", on_container<wait>},
      {"POST", "/containers/{}/update", on_container<update>},
      {"POST", "/containers/{}/resize", on_container<resize>},
      {"GET", "/containers/{}/top", on_container<top>},
      {"GET", "/containers/{}/changes", on_container<changes>},
      {"GET", "/containers/{}/stats", on_container<stats>},
      {"DELETE", "/containers/{}", on_container<remove>},
  };
  return routes;
}

}  // namespace berth::testing
