// The life of a container's main process: start, output, health, exit, restart policy.
#include <fmt/format.h>

#include "base/text.h"
#include "testing/fake_route.h"

namespace berth::testing {
namespace {

constexpr int kStartFailed = 128;
constexpr int kNotFound = 127;
constexpr int kKilled = 137;
constexpr auto kUsualInterval = std::chrono::seconds(30);
constexpr auto kFirstBackoff = std::chrono::milliseconds(100);
constexpr int kMostBackoff = 10;  // doublings

// Runs `what` after a while if the container is still in the run that it is in now.
void later(FakeState& state, const FakeContainer& container, io::Duration after,
           std::function<void(FakeContainer&)> what) {
  state.agenda.in(after, [&state, id = container.id, run = container.run, what = std::move(what)] {
    FakeContainer* now = state.container_by_id(id);
    if (now && now->run == run && now->up()) what(*now);
  });
}

bool is_checked(const FakeContainer& container) {
  const auto& test = container.config["Healthcheck"]["Test"].items();
  return !test.empty() && test.front().text() != "NONE";
}

void plan_health(FakeState& state, FakeContainer& container) {
  container.health.clear();
  container.probes.clear();
  if (!is_checked(container)) return;
  container.health = "starting";
  const std::chrono::nanoseconds interval(container.config["Healthcheck"]["Interval"].integer());
  std::vector<FakeHealth> script = container.process.health;
  if (script.empty()) script.push_back({.after = interval.count() > 0 ? io::Duration(interval) : kUsualInterval});
  for (const FakeHealth& step : script)
    later(state, container, step.after,
          [&state, status = step.status](FakeContainer& now) { set_health(state, now, status); });
}

void plan_output(FakeState& state, FakeContainer& container) {
  for (const FakeOutput& output : container.process.output) {
    if (output.after <= io::Duration::zero()) {
      write_output(state, container, output.text, output.err);
    } else {
      later(state, container, output.after,
            [&state, output](FakeContainer& now) { write_output(state, now, output.text, output.err); });
    }
  }
}

void plan_exit(FakeState& state, FakeContainer& container) {
  if (const auto& after = container.process.exits_after)
    later(state, container, *after, [&state](FakeContainer& now) { end_process(state, now, now.process.exit_code); });
}

std::optional<FakeReply> join_container(FakeState& state, FakeContainer& container) {
  const std::string name(container.host["NetworkMode"].text().substr(10));
  const FakeContainer* other = state.find_container(name);
  if (!other) return no_such_container(name);
  if (!other->up()) return refuse(409, fmt::format("cannot join network of a non running container: {}", other->id));
  for (const std::string_view key : {"Hostname", "Domainname"}) container.config.set(key, other->config[key]);
  return std::nullopt;
}

std::optional<FakeReply> join_networks(FakeState& state, FakeContainer& container) {
  if (container.host["NetworkMode"].text().starts_with("container:")) return join_container(state, container);
  // The one of its network mode first, as dockerd does.
  std::vector<FakeEndpoint*> order;
  std::string_view mode = container.host["NetworkMode"].text();
  if (mode == "default") mode = "bridge";
  for (FakeEndpoint& endpoint : container.endpoints) order.push_back(&endpoint);
  std::ranges::sort(order, {}, [&](const FakeEndpoint* endpoint) {
    return std::pair(endpoint->network != mode, std::string_view(endpoint->network));
  });
  for (FakeEndpoint* endpoint : order)
    if (auto refusal = join_network(state, container, *endpoint)) return refusal;
  return bind_ports(state, container);
}

void emit_mounts(FakeState& state, const FakeContainer& container, bool mounted) {
  for (const Json& mount : container.mounts) {
    if (mount["Type"].text() != "volume") continue;
    Json attributes = Json::object({{"container", container.id}, {"driver", "local"}});
    if (mounted)
      put(attributes, {{"destination", mount["Destination"]},
                       {"propagation", ""},
                       {"read/write", mount["RW"].boolean() ? "true" : "false"}});
    state.emit("volume", mounted ? "mount" : "unmount", mount["Name"].text(), std::move(attributes));
  }
}

FakeReply failed_start(FakeState& state, FakeContainer& container, FakeReply refusal, int code) {
  container.error = refusal.json()["message"].text();
  container.exit_code = code;
  release(state, container);
  if (container.host["AutoRemove"].boolean()) remove_container(state, container, true);
  return refusal;
}

bool restarts(const FakeContainer& container) {
  const Json& policy = container.host["RestartPolicy"];
  const std::string_view name = policy["Name"].text();
  if (container.stopped_by_hand) return false;
  if (name == "always" || name == "unless-stopped") return true;
  const std::int64_t most = policy["MaximumRetryCount"].integer();
  return name == "on-failure" && container.exit_code != 0 && (most == 0 || container.restarts < most);
}

void plan_restart(FakeState& state, FakeContainer& container) {
  container.status = FakeStatus::restarting;
  const auto backoff = kFirstBackoff * (1 << std::min(container.restarts, kMostBackoff));
  state.agenda.in(backoff, [&state, id = container.id, run = container.run] {
    FakeContainer* now = state.container_by_id(id);
    if (!now || now->run != run || now->status != FakeStatus::restarting) return;
    ++now->restarts;
    now->status = FakeStatus::exited;
    static_cast<void>(start_container(state, *now));
  });
}

void tell_waiters(FakeContainer& container, bool removed) {
  std::erase_if(container.waiters, [&](const FakeWaiter& waiter) {
    const auto feed = waiter.feed.lock();
    if (!feed) return true;
    const bool restarting = container.status == FakeStatus::restarting;
    if (!removed && (waiter.condition == "removed" || (restarting && waiter.condition != "next-exit"))) return false;
    feed->push(Json::object({{"Error", nullptr}, {"StatusCode", container.exit_code}}).dump() + "\n");
    feed->end();
    return true;
  });
}

}  // namespace

std::optional<int> signal_number(std::string_view text) {
  constexpr std::pair<std::string_view, int> kSignals[] = {
      {"HUP", 1},   {"INT", 2},   {"QUIT", 3},  {"ABRT", 6},  {"KILL", 9},  {"USR1", 10}, {"SEGV", 11}, {"USR2", 12},
      {"PIPE", 13}, {"ALRM", 14}, {"TERM", 15}, {"CHLD", 17}, {"CONT", 18}, {"STOP", 19}, {"TSTP", 20}, {"WINCH", 28}};
  const int number = std::atoi(std::string(text).c_str());
  if (number > 0 && number < 65) return number;
  if (text.starts_with("SIG")) text.remove_prefix(3);
  for (const auto& [name, value] : kSignals)
    if (equal_fold(name, text)) return value;
  return std::nullopt;
}

std::optional<FakeReply> start_container(FakeState& state, FakeContainer& container) {
  ++container.run;
  container.host.set("Runtime", "runc");
  if (auto refusal = join_networks(state, container)) return failed_start(state, container, *refusal, kStartFailed);
  emit_mounts(state, container, true);
  if (!container.process.start_error.empty())
    return failed_start(state, container, refuse(400, container.process.start_error), kNotFound);
  container.status = FakeStatus::running;
  container.exit_code = 0;
  container.error.clear();
  container.stopped_by_hand = false;
  container.started = state.tick();
  container.pid = state.next_pid++;
  state.emit(container, "start");
  plan_health(state, container);
  plan_output(state, container);
  plan_exit(state, container);
  return std::nullopt;
}

void release(FakeState& state, FakeContainer& container) {
  for (FakeEndpoint& endpoint : container.endpoints) leave_network(state, container, endpoint);
  container.ports.clear();
  emit_mounts(state, container, false);
}

void end_process(FakeState& state, FakeContainer& container, int status) {
  if (!container.up()) return;
  container.status = FakeStatus::exited;
  container.exit_code = status;
  container.finished = state.tick();
  container.execs.clear();
  state.emit(container, "die", Json::object({{"exitCode", std::to_string(status)}}));
  release(state, container);
  if (restarts(container)) plan_restart(state, container);
  end_output(container, container.status == FakeStatus::restarting);
  tell_waiters(container, false);
  if (!container.host["AutoRemove"].boolean() || container.status == FakeStatus::restarting) return;
  state.agenda.in({}, [&state, id = container.id] {
    if (FakeContainer* gone = state.container_by_id(id)) remove_container(state, *gone, true);
  });
}

void kill_process(FakeState& state, FakeContainer& container, std::string_view signal) {
  const int number = signal_number(signal).value_or(9);
  const std::string_view stop_text = container.config["StopSignal"].text();
  const int stop = signal_number(stop_text.empty() ? "TERM" : stop_text).value_or(15);
  state.emit(container, "kill", Json::object({{"signal", std::to_string(number)}}));
  container.stopped_by_hand = container.stopped_by_hand || number == 9 || number == stop;
  if (number == 9) end_process(state, container, kKilled);
  const bool ends = number == stop || number == 15 || number == 2 || number == 3;
  if (ends && !container.process.ignores_stop) end_process(state, container, container.process.stop_code);
}

void set_health(FakeState& state, FakeContainer& container, std::string_view status) {
  const std::string exec = state.new_id("probe");
  std::vector<std::string> words;
  for (const Json& word : container.config["Healthcheck"]["Test"].items()) words.emplace_back(word.text());
  if (!words.empty()) words.erase(words.begin());
  const std::string command = join(words, " ");
  const int code = status == "healthy" ? 0 : 1;
  state.emit(container, "exec_create: " + command, Json::object({{"execID", exec}}));
  state.emit(container, "exec_start: " + command, Json::object({{"execID", exec}}));
  state.emit(container, "exec_die", Json::object({{"execID", exec}, {"exitCode", std::to_string(code)}}));
  container.probes.push_back({state.now(), code});
  if (container.health == status) return;
  container.health = status;
  state.emit(container, fmt::format("health_status: {}", status));
}

void remove_container(FakeState& state, FakeContainer& container, bool volumes) {
  std::vector<std::string> mounted;
  for (const Json& mount : container.mounts) mounted.emplace_back(mount["Name"].text());
  end_output(container, false);
  tell_waiters(container, true);
  state.emit(container, "destroy");
  std::erase_if(state.containers, [&](const FakeContainer& other) { return &other == &container; });
  if (!volumes) return;
  std::erase_if(state.volumes, [&](const FakeVolume& volume) {
    const bool ours = std::ranges::find(mounted, volume.name) != mounted.end();
    const bool used = std::ranges::any_of(state.containers, [&](const FakeContainer& other) {
      return std::ranges::any_of(other.mounts, [&](const Json& mount) { return mount["Name"].text() == volume.name; });
    });
    if (!ours || used || !volume.anonymous) return false;
    state.emit("volume", "destroy", volume.name, Json::object({{"driver", "local"}}));
    return true;
  });
}

}  // namespace berth::testing
