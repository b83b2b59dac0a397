// Effects that wait: for a state, for a probe, for requests, for a command in a container.
#include <charconv>

#include "engine/container.h"
#include "engine/exec.h"
#include "io/scope.h"
#include "io/socket.h"
#include "plan/apply_effects.h"

namespace berth::plan {
namespace {

using Done = io::Task<Result<void>>;

constexpr std::size_t kDetailLines = 20;
constexpr std::size_t kMostDetail = 16384;

// The end of what a container said, for the message about its failure.
io::Task<std::string> last_lines(engine::Client& client, const Container& container) {
  const bool tty = container.inspect.at("Config.Tty").boolean();
  auto logs = co_await engine::container_logs(client, container.id, tty, {.tail = std::to_string(kDetailLines)});
  std::string out;
  while (logs && out.size() < kMostDetail) {
    const auto piece = co_await logs->next();
    if (!piece || !*piece) break;
    out += (*piece)->bytes;
  }
  while (out.ends_with('\n')) out.pop_back();
  co_return out;
}

// Nothing while it is not decided.
std::optional<Result<void>> verdict(const Container& now, const WaitContainer& op) {
  const auto ended = [&](const std::string& what) {
    return fail(Code::conflict, "container " + now.name + " " + what);
  };
  if (op.until == Until::completed) {
    if (now.state != State::exited && now.state != State::dead) return std::nullopt;
    if (now.exit_code == 0) return Result<void>{};
    return ended("ended with status " + std::to_string(now.exit_code));
  }
  if (now.state == State::exited || now.state == State::dead)
    return ended("ended with status " + std::to_string(now.exit_code) + " instead of running");
  if (now.state == State::paused) return ended("is paused");
  const bool runs = now.state == State::running;
  if (op.until == Until::healthy && now.health == Health::none && runs && !op.probe)
    return ended("has no health check, so that it cannot be waited for until it is healthy");
  if (now.health == Health::unhealthy) return ended("is unhealthy");
  if (runs && (now.health == Health::healthy || (now.health == Health::none && !op.probe))) return Result<void>{};
  return std::nullopt;
}

// Probes.

std::vector<std::string> addresses_of(const Container& container) {
  if (container.inspect.at("HostConfig.NetworkMode").text() == "host") return {"127.0.0.1"};
  std::vector<std::string> out;
  for (const auto& [name, network] : container.inspect.at("NetworkSettings.Networks").members())
    for (const std::string_view key : {"IPAddress", "GlobalIPv6Address"})
      if (!network[key].is_empty()) out.emplace_back(network[key].text());
  return out;
}

// Where the container can be reached: with its own addresses, or those of the one whose network it shares.
io::Task<Result<std::vector<std::string>>> reach(engine::Client& client, const Container& container) {
  const std::string_view mode = container.inspect.at("HostConfig.NetworkMode").text();
  if (!mode.starts_with("container:")) co_return addresses_of(container);
  co_return addresses_of(
      parse_container(CO_TRY(co_await engine::inspect_container(client, std::string(mode.substr(10))))));
}

io::Task<Result<std::unique_ptr<io::Stream>>> dial(std::string host, std::uint16_t port) {
  bool ok = false;
  const io::Address address = io::Address::ip(host, port, ok);
  if (!ok) co_return fail(Code::invalid, "\"" + host + "\" is no address");
  co_return co_await io::connect(address);
}

Done probe_tcp(std::string host, const Probe& probe) {
  CO_TRY(co_await dial(std::move(host), probe.port));
  co_return Result<void>{};
}

// "HTTP/1.1 200 OK" -> 200; 0 when it is no status line.
int status_of(std::string_view line) {
  int status = 0;
  if (!line.starts_with("HTTP/1.") || line.size() < 12) return 0;
  std::from_chars(line.data() + 9, line.data() + 12, status);
  return status;
}

Done probe_http(std::string host, const Probe& probe) {
  const auto stream = CO_TRY(co_await dial(host, probe.port));
  const bool six = host.find(':') != std::string::npos;
  CO_TRY(co_await io::write_all(*stream, "GET " + probe.path + " HTTP/1.1\r\nHost: " + (six ? "[" + host + "]" : host) +
                                             ':' + std::to_string(probe.port) +
                                             "\r\nUser-Agent: berth-ready\r\nConnection: close\r\n\r\n"));
  std::string head;
  char bytes[1024];
  while (head.find('\n') == std::string::npos && head.size() < 8192) {
    const std::size_t count = CO_TRY(co_await io::read_some(*stream, bytes));
    if (count == 0) break;
    head.append(bytes, count);
  }
  const int status = status_of(head);
  if (status >= 200 && status < 400) co_return Result<void>{};
  co_return fail(Code::unavailable, status == 0 ? "no HTTP reply" : "status " + std::to_string(status));
}

// One command to its end: its exit status, and the end of what it said.
struct Ended {
  std::int64_t status = 0;
  std::string output{};
};
io::Task<Result<Ended>> execute(engine::Client& client, std::string id, engine::CreateExec command) {
  const std::string exec = CO_TRY(co_await engine::create_exec(client, std::move(id), std::move(command)));
  auto attached = CO_TRY(co_await engine::start_exec(client, exec, false));
  Ended ended;
  while (true) {
    const auto piece = CO_TRY(co_await attached.next());
    if (!piece) break;
    ended.output += piece->bytes;
    if (ended.output.size() > kMostDetail) ended.output.erase(0, ended.output.size() - kMostDetail);
  }
  while (ended.output.ends_with('\n')) ended.output.pop_back();
  ended.status = CO_TRY(co_await engine::exec_status(client, exec));
  co_return ended;
}

Done probe_exec(engine::Client& client, std::string id, const Probe& probe) {
  const Ended ended = CO_TRY(co_await execute(client, std::move(id), {.command = probe.command}));
  if (ended.status == 0) co_return Result<void>{};
  co_return fail(Code::unavailable, "status " + std::to_string(ended.status));
}

Done try_once(engine::Client& client, const Container& container, const Probe& probe) {
  if (probe.kind == Probe::Kind::exec) co_return co_await probe_exec(client, container.id, probe);
  Error last{Code::unavailable, "it has no address that this host reaches"};
  for (const std::string& host : CO_TRY(co_await reach(client, container))) {
    auto done = probe.kind == Probe::Kind::tcp ? co_await probe_tcp(host, probe) : co_await probe_http(host, probe);
    if (done) co_return done;
    last = std::move(done).error();
  }
  co_return fail(std::move(last));
}

// Failures that count, of one wait.
struct Tries {
  io::Time counted_from{};
  std::int64_t failed = 0;
};

// The container runs: is what it offers there? Nothing when that is still open.
io::Task<std::optional<Result<void>>> look(engine::Client& client, const Container& now, const Probe& probe,
                                           Tries& tries) {
  const io::Context context = co_await io::here();
  auto tried = co_await io::within(probe.timeout, try_once(client, now, probe));
  if (tried) co_return std::move(tried);
  if (const auto why = context.cancel->why()) co_return Result<void>(fail(*why, tried.error().message));
  if (context.loop->now() < tries.counted_from) co_return std::nullopt;
  if (probe.retries == 0 || ++tries.failed < probe.retries) co_return std::nullopt;
  co_return Result<void>(fail(
      Code::conflict, "container " + now.name + " is not ready: " + to_text(probe) + ": " + tried.error().message));
}

Done wait_until(EffectContext& context, const Node& node, const WaitContainer& op, std::string id) {
  const io::Context here = co_await io::here();
  Tries tries;
  if (op.probe) tries.counted_from = here.loop->now() + op.probe->start_period;
  std::string told;
  while (true) {
    const Container now = parse_container(CO_TRY(co_await engine::inspect_container(context.client, id)));
    auto decided = verdict(now, op);
    const bool probes = !decided && op.probe && now.health == Health::none && now.state == State::running;
    if (probes) decided = co_await look(context.client, now, *op.probe, tries);
    if (decided) {
      if (!*decided && decided->error().code == Code::conflict)
        decided->error().detail = co_await last_lines(context.client, now);
      co_return std::move(*decided);
    }
    std::string state = now.health != Health::none ? "health: " + std::string(to_text(now.health))
                        : probes                   ? "probing " + to_text(*op.probe)
                                                   : std::string(to_text(now.state));
    if (state != told) tell(context, node, told = state);
    CO_TRY(co_await io::sleep_for(probes ? op.probe->interval : context.options.poll));
  }
}

}  // namespace

Done wait_for(EffectContext& context, const Node& node, const WaitContainer& op, std::string id) {
  if (op.seconds == 0) co_return co_await wait_until(context, node, op, std::move(id));
  auto done = co_await io::within(std::chrono::seconds(op.seconds), wait_until(context, node, op, std::move(id)));
  if (!done && done.error().code == Code::timeout)
    co_return fail(Code::timeout,
                   "container " + op.container.name + " was not ready after " + std::to_string(op.seconds) + " s");
  co_return done;
}

Done route_to(EffectContext& context, const Node& node, const RouteContainer& op, std::string id) {
  if (!context.options.traffic) co_return Result<void>{};
  auto routed = co_await context.options.traffic->route(id, std::chrono::seconds(op.seconds));
  if (routed) {
    if (*routed == Routing::routed) co_return Result<void>{};
    context.unrouted.insert(node.id);
    tell(context, node, "its labels ask for no requests");
    co_return Result<void>{};
  }
  Error error = std::move(routed).error().within("container " + op.container.name + " gets no requests");
  if (error.code != Code::conflict && error.code != Code::timeout) co_return fail(std::move(error));
  if (const auto now = co_await engine::inspect_container(context.client, id))
    error.detail = co_await last_lines(context.client, parse_container(*now));
  co_return fail(std::move(error));
}

Done drain_of(EffectContext& context, const Node& node, const DrainContainer& op, std::string id) {
  if (!context.options.traffic) co_return Result<void>{};
  const auto drained = co_await context.options.traffic->drain(id, std::chrono::seconds(op.seconds));
  // Who takes its place wants no requests: that nobody else answers them is what was asked for.
  const bool given_up = std::ranges::any_of(node.after, [&](int before) { return context.unrouted.contains(before); });
  if (given_up && !drained && drained.error().code == Code::conflict) co_return Result<void>{};
  if (!drained) co_return fail(Error(drained.error()).within("container " + op.container.name + " keeps its requests"));
  if (*drained == Drained::forced)
    context.warnings.push_back("container " + op.container.name + " still had requests after " +
                               std::to_string(op.seconds) + " s; they are cut");
  co_return Result<void>{};
}

Done run_hook(EffectContext& context, const Node&, const ExecHook& op, std::string id) {
  auto ended = co_await execute(context.client, std::move(id),
                                {.command = op.command,
                                 .environment = op.environment,
                                 .user = op.user,
                                 .working_dir = op.working_dir,
                                 .privileged = op.privileged});
  const std::string what = op.hook + " of container " + op.container.name;
  // Who has ended needs nothing before the end.
  const bool gone = !ended && (ended.error().code == Code::not_found || ended.error().code == Code::conflict);
  if (gone && op.hook == "pre_stop") co_return Result<void>{};
  if (!ended) co_return fail(std::move(ended).error().within(what));
  if (ended->status == 0) co_return Result<void>{};
  co_return fail(Code::conflict, what + " ended with status " + std::to_string(ended->status),
                 std::move(ended->output));
}

}  // namespace berth::plan
