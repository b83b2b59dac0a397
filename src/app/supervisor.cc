#include "app/supervisor.h"

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "cli/exit_status.h"
#include "io/file.h"

namespace berth::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kChildChannel = 3;
constexpr auto kReady = seconds(20);         // for a new edge to accept
constexpr auto kFirstSnapshot = seconds(2);  // for core to tell a new edge what has changed since it saved

void say(const std::string& message) {
  std::fprintf(stderr, "berth serve: %s\n", message.c_str());
}

io::Duration pause_after(int failures) {
  if (failures <= 1) return {};
  return std::min(milliseconds(100) * (1 << std::min(failures - 1, 6)), milliseconds(5000));
}

/// The next byte that the edge sends: 'w' it waits for a snapshot, 'r' it accepts.
io::Task<Result<void>> expect(io::Stream& channel, char expected) {
  char byte = 0;
  const std::size_t count = CO_TRY(co_await io::read_some(channel, std::span(&byte, 1)));
  if (count == 0) co_return fail(Code::unavailable, "the new edge ended before it could serve");
  if (byte != expected) co_return fail(Code::internal, "the new edge does not say that it can serve");
  co_return Result<void>{};
}

}  // namespace

Supervisor::Supervisor(Start start)
    : options_(std::move(start.options)),
      arguments_(std::move(start.arguments)),
      lock_(start.lock),
      listening_(std::move(start.listening)),
      broker_listening_(std::move(start.broker_listening)),
      succession_(std::move(start.succession)),
      core_(core_role(std::move(start.core))),
      edge_(edge_role(false)),
      broker_(broker_role(start.broker)) {}

Supervisor::~Supervisor() = default;

Supervisor::Role Supervisor::edge_role(bool takes_over) const {
  Role role{.verb = "edge", .argument = {}};
  Json listening = Json::array();
  int number = kChildChannel + 1;
  for (const Listening& each : listening_) {
    if (each.role == kDoor) continue;
    listening.push(Json::object({{"role", each.role}, {"udp", each.udp}, {"fd", number}}));
    role.descriptors[number++] = each.fd.get();
  }
  Json users = Json::array(), metrics = Json::array();
  for (const std::string& address : options_.metrics) metrics.push(address);
  if (options_.edge_user.empty()) users.push("berth-edge");
  users.push(options_.edge_user.empty() ? "nobody" : options_.edge_user);
  Json argument = Json::object({{"listening", listening},
                                {"data", options_.data + "/edge"},
                                {"supervisor", kChildChannel},
                                {"access_log", options_.access_log},
                                {"metrics", metrics},
                                {"workers", std::int64_t{options_.workers}},
                                {"confined", true},
                                {"users", users},
                                {"cache", options_.cache},
                                {"cache_disk", options_.cache_disk}});
  if (takes_over) argument.set("first_snapshot", std::int64_t{milliseconds(kFirstSnapshot).count()});
  role.argument = argument.dump();
  return role;
}

Supervisor::Role Supervisor::core_role(std::string argument) const {
  Role role{.verb = "core", .argument = std::move(argument)};
  const auto door = std::ranges::find(listening_, kDoor, &Listening::role);
  if (door != listening_.end()) role.descriptors[kChildChannel + 1] = door->fd.get();
  return role;
}

Supervisor::Role Supervisor::broker_role(const BrokerOptions& options) const {
  return {.verb = "broker",
          .argument = encode_broker(options),
          .descriptors = {{kChildChannel + 1, broker_listening_.get()}}};
}

io::Task<int> Supervisor::run(io::Signals& signals) {
  if (succession_) {
    if (auto taken = co_await take_office(); !taken) say(taken.error().text());
  }
  while (true) {
    io::Scope scope(co_await io::here());
    scope.spawn(keep(edge_, scope));
    scope.spawn(keep(broker_, scope));
    scope.spawn(keep(core_, scope));
    scope.spawn(watch(signals, scope));
    for (const auto& each : leaving_) scope.spawn(reap(each.get()));
    co_await scope.join();
    co_await stop(core_.process.get(), seconds(10));
    core_.process.reset();
    co_await stop(broker_.process.get(), seconds(5));
    broker_.process.reset();
    if (!std::exchange(hands_on_, false)) break;
    const Error error = hand_on();
    say(error.text());
    static_cast<void>(write_upgrade(
        options_.data,
        {.number = read_upgrade(options_.data).number + 1, .program = io::own_program(), .why = error.text()}));
  }
  listening_.clear();  // who connects now is refused at once, not kept waiting
  for (const auto& each : leaving_) each->kill(SIGTERM);
  co_await stop(edge_.process.get(), seconds(35));
  for (const auto& each : leaving_) co_await stop(each.get(), seconds(1));
  co_return status_;
}

/// Goes on where the program before this one stopped.
io::Task<Result<void>> Supervisor::take_office() {
  const io::Context context = co_await io::here();
  edge_.process = CO_TRY(io::Process::adopt(*context.loop, succession_->edge));
  edge_.channel = CO_TRY(io::stream_on(*context.loop, io::inherited(succession_->channel), "edge"));
  for (const pid_t pid : succession_->leaving)
    if (auto process = io::Process::adopt(*context.loop, pid)) leaving_.push_back(std::move(*process));
  say("upgraded to " + io::own_program());
  co_return write_upgrade(options_.data, {.number = succession_->number, .program = io::own_program()});
}

// A first signal stops, a second one while stopping kills.
io::Task<void> Supervisor::watch(io::Signals& signals, io::Scope& scope) {
  while (true) {
    const auto signal = co_await signals.next();
    if (!signal) co_return;
    if (*signal == SIGUSR1) {
      if (auto reopened = co_await reopen_log(); !reopened) say(reopened.error().text());
      continue;
    }
    if (*signal == SIGUSR2) {
      if (!std::exchange(upgrading_, true)) scope.spawn(upgrade(scope));
      continue;
    }
    scope.cancel();
    co_return;
  }
}

/// The edge may not open files: it gets one.
io::Task<Result<void>> Supervisor::reopen_log() {
  if (options_.access_log.empty() || !edge_.channel) co_return Result<void>{};
  const auto file = CO_TRY(io::AppendFile::open(options_.access_log));
  co_return co_await io::send_fd(*edge_.channel, file.descriptor(), 'l');
}

io::Task<Result<void>> Supervisor::start(Role& role, std::string program) {
  const io::Context context = co_await io::here();
  auto [near, far] = CO_TRY(io::socket_pair());
  role.channel = CO_TRY(io::stream_on(*context.loop, std::move(near), role.verb));
  std::map<int, int> descriptors = role.descriptors;
  descriptors[kChildChannel] = far.get();
  role.process = CO_TRY(io::Process::start(*context.loop, {.argv = {io::own_program(), role.verb, role.argument},
                                                           .program = std::move(program),
                                                           .input = io::Command::Pipe::none,
                                                           .output = io::Command::Pipe::inherit,
                                                           .descriptors = std::move(descriptors),
                                                           .death_signal = SIGTERM,
                                                           .new_session = true}));
  co_return Result<void>{};
}

// A fresh socketpair between core and an edge, whenever one of them is new.
io::Task<Result<void>> Supervisor::connect(Role& edge) {
  if (!core_.channel || !edge.channel || !core_.process || !edge.process) co_return Result<void>{};
  auto [to_core, to_edge] = CO_TRY(io::socket_pair());
  CO_TRY(co_await io::send_fd(*core_.channel, to_core.get()));
  CO_TRY(co_await io::send_fd(*edge.channel, to_edge.get()));
  co_return Result<void>{};
}

// Restarts `role` until cancelled, by the program that runs here, which fits the others: at once the first time, then
// after 0.1 s doubling to 5 s; a run of 10 s counts as healthy again.
io::Task<void> Supervisor::keep(Role& role, io::Scope& scope) {
  const io::Context context = co_await io::here();
  while (!context.cancel->requested()) {
    const io::Time begun = context.loop->now();
    auto started = role.process ? Result<void>{} : co_await start(role, io::running_program());
    // The broker has its socket to core from the beginning.
    if (started && role.process && &role != &broker_) started = co_await connect(edge_);
    if (!started) say("cannot start " + role.verb + ": " + started.error().message);
    if (role.process) {
      const auto status = co_await end_of(role);
      if (!status) continue;  // another process is in its place, or run() ends it
      if (never_served(role, *status, context.loop->now() - begun)) {
        status_ = cli::kFailed;
        scope.cancel();
        co_return;
      }
      say(role.verb + " ended with status " + std::to_string(*status) + "; starting it again");
    }
    role.failures = context.loop->now() - begun > seconds(10) ? 1 : role.failures + 1;
    if (!co_await io::sleep_for(pause_after(role.failures))) co_return;
  }
}

/// A first edge that cannot serve would only repeat its message.
bool Supervisor::never_served(const Role& role, int status, io::Duration ran) {
  return role.verb == "edge" && status == 1 && ran < seconds(2) && role.failures == 0;
}

/// Waits for the role's process; an error when cancelled, or when another one took its place meanwhile.
io::Task<Result<int>> Supervisor::end_of(Role& role) {
  const io::Context context = co_await io::here();
  io::Cancel replaced(context.cancel);
  role.replaced = &replaced;
  auto status = co_await role.process->wait().under(replaced);
  role.replaced = nullptr;
  if (!status) co_return status;
  role.channel.reset();
  role.process.reset();
  co_return status;
}

io::Task<void> Supervisor::stop(io::Process* process, io::Duration grace) {
  if (!process) co_return;
  process->kill(SIGTERM);
  if (!co_await io::shielded(process->wait(), grace)) {
    process->kill(SIGKILL);
    (void)co_await io::shielded(process->wait());
  }
}

io::Task<void> Supervisor::reap(io::Process* process) {
  if (!co_await process->wait()) co_return;
  std::erase_if(leaving_, [&](const auto& each) { return each.get() == process; });
}

/// The new edge serves before the old one leaves; then the new program takes this one's place and starts its core.
io::Task<void> Supervisor::upgrade(io::Scope& scope) {
  say("upgrading to " + io::own_program());
  const auto replaced = co_await replace_edge(scope);
  upgrading_ = false;
  if (!replaced) {
    if (replaced.error().code == Code::cancelled) co_return;
    const std::string why = "nothing was upgraded: " + replaced.error().message;
    say(why);
    static_cast<void>(write_upgrade(
        options_.data, {.number = read_upgrade(options_.data).number + 1, .program = io::own_program(), .why = why}));
    co_return;
  }
  hands_on_ = true;
  scope.cancel();
}

io::Task<Result<void>> Supervisor::replace_edge(io::Scope& scope) {
  if (!edge_.process) co_return fail(Code::unavailable, "the edge does not run now; try again in a moment");
  Role next = edge_role(true);
  CO_TRY(co_await start(next, io::own_program()));
  auto ready = co_await io::within(kReady, become_ready(next));
  if (!ready) {
    next.process->kill(SIGKILL);
    static_cast<void>(co_await io::shielded(next.process->wait()));
    static_cast<void>(co_await connect(edge_));  // core talks to the old one again
    if (ready.error().code == Code::timeout) ready.error().message = "the new edge did not serve within 20 s";
    co_return ready;
  }
  leaving_.push_back(std::move(edge_.process));
  scope.spawn(reap(leaving_.back().get()));
  edge_.process = std::move(next.process);
  edge_.channel = std::move(next.channel);  // the old edge drains as its channel closes
  if (edge_.replaced) edge_.replaced->request();
  co_return Result<void>{};
}

io::Task<Result<void>> Supervisor::become_ready(Role& next) {
  CO_TRY(co_await expect(*next.channel, 'w'));
  CO_TRY(co_await connect(next));
  co_return co_await expect(*next.channel, 'r');
}

Error Supervisor::hand_on() {
  Succession succession{.listening = std::move(listening_),
                        .lock = lock_,
                        .edge = edge_.process->pid(),
                        .channel = edge_.channel->descriptor(),
                        .leaving = {},
                        .number = read_upgrade(options_.data).number + 1};
  for (const auto& each : leaving_) succession.leaving.push_back(each->pid());
  std::vector<std::string> argv{io::own_program(), "serve", "--succeed=" + encode_succession(succession)};
  argv.insert(argv.end(), arguments_.begin(), arguments_.end());
  Error error = io::become(argv, descriptors_of(succession));
  listening_ = std::move(succession.listening);
  return error;
}

}  // namespace berth::app
