// The supervisor: starts core and edge, joins them by a socketpair, and restarts what dies. It holds no state of its
// own, so that either child can die without the other noticing more than a new channel.
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "app/resolver_options.h"
#include "app/serve.h"
#include "cli/exit_status.h"
#include "edge/process.h"
#include "engine/address.h"
#include "io/file.h"
#include "io/process.h"
#include "plan/lock.h"
#include "plan/traffic_socket.h"

namespace berth::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kChildChannel = 3;

std::string lookup(const Environment& environment, const std::string& key) {
  const auto found = environment.find(key);
  return found == environment.end() ? "" : found->second;
}

std::vector<std::string> addresses(const ServeOptions& options, std::uint16_t port) {
  std::vector<std::string> out;
  for (const std::string& host : options.listen)
    out.push_back((host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port));
  return out;
}

std::string encode_edge(const ServeOptions& options) {
  Json web = Json::array(), websecure = Json::array();
  for (auto& address : addresses(options, options.web)) web.push(address);
  for (auto& address : addresses(options, options.websecure)) websecure.push(address);
  return Json::object({{"web", web},
                       {"websecure", websecure},
                       {"data", options.data + "/edge"},
                       {"supervisor", kChildChannel},
                       {"access_log", options.access_log},
                       {"cache", options.cache}})
      .dump();
}

// One role: its process while it runs, and our end of the channel to it.
struct Role {
  std::string verb;
  std::string argument;
  std::unique_ptr<io::Process> process{};
  std::unique_ptr<io::Stream> channel{};
  int failures = 0;
};

class Supervisor {
 public:
  Supervisor(ServeOptions options, std::string engine, std::string control)
      : options_(std::move(options)),
        core_{.verb = "core",
              .argument = encode_core({.data = options_.data,
                                       .engine = std::move(engine),
                                       .supervisor = kChildChannel,
                                       .https_port = options_.websecure,
                                       .expose_all = options_.expose_all,
                                       .control = std::move(control)})},
        edge_{.verb = "edge", .argument = encode_edge(options_)} {}

  io::Task<int> run(io::Signals& signals) {
    io::Scope scope(co_await io::here());
    scope.spawn(keep(edge_, scope));
    scope.spawn(keep(core_, scope));
    scope.spawn(watch(signals, scope));
    co_await scope.join();
    co_await stop(core_, seconds(10));
    co_await stop(edge_, seconds(35));
    co_return status_;
  }

 private:
  // A first signal stops, a second one while stopping kills.
  io::Task<void> watch(io::Signals& signals, io::Scope& scope) {
    if (co_await signals.next()) scope.cancel();
  }

  io::Task<Result<void>> start(Role& role) {
    const io::Context context = co_await io::here();
    auto [near, far] = CO_TRY(io::socket_pair());
    role.channel = CO_TRY(io::stream_on(*context.loop, std::move(near), role.verb));
    role.process = CO_TRY(io::Process::start(*context.loop, {.argv = {io::own_program(), role.verb, role.argument},
                                                             .input = io::Command::Pipe::none,
                                                             .output = io::Command::Pipe::inherit,
                                                             .descriptors = {{kChildChannel, far.get()}},
                                                             .death_signal = SIGTERM,
                                                             .new_session = true}));
    co_return co_await connect();
  }

  // A fresh socketpair between the two, whenever one of them is new.
  io::Task<Result<void>> connect() {
    if (!core_.channel || !edge_.channel || !core_.process || !edge_.process) co_return Result<void>{};
    auto [to_core, to_edge] = CO_TRY(io::socket_pair());
    CO_TRY(co_await io::send_fd(*core_.channel, to_core.get()));
    CO_TRY(co_await io::send_fd(*edge_.channel, to_edge.get()));
    co_return Result<void>{};
  }

  // Restarts `role` until cancelled: at once the first time, then after 0.1 s doubling to 5 s; a run of 10 s counts as
  // healthy again.
  io::Task<void> keep(Role& role, io::Scope& scope) {
    const io::Context context = co_await io::here();
    while (!context.cancel->requested()) {
      const io::Time begun = context.loop->now();
      if (auto started = co_await start(role); !started) {
        std::fprintf(stderr, "berth serve: cannot start %s: %s\n", role.verb.c_str(), started.error().message.c_str());
      }
      if (role.process) {
        const auto ended = co_await role.process->wait();
        if (!ended) co_return;  // cancelled: stop() ends it
        role.channel.reset();
        role.process.reset();
        // The edge refuses to start when a port is taken; trying again would only repeat its message.
        const bool at_once = context.loop->now() - begun < seconds(2);
        if (role.verb == "edge" && *ended == 1 && at_once && role.failures == 0) {
          status_ = cli::kFailed;
          scope.cancel();
          co_return;
        }
        std::fprintf(stderr, "berth serve: %s ended with status %d; starting it again\n", role.verb.c_str(), *ended);
      }
      role.failures = context.loop->now() - begun > seconds(10) ? 1 : role.failures + 1;
      const auto pause = std::min(milliseconds(100) * (1 << std::min(role.failures - 1, 6)), milliseconds(5000));
      if (role.failures > 1 && !co_await io::sleep_for(pause)) co_return;
    }
  }

  io::Task<void> stop(Role& role, io::Duration grace) {
    if (!role.process) co_return;
    role.process->kill(SIGTERM);
    if (!co_await io::shielded(role.process->wait(), grace)) {
      role.process->kill(SIGKILL);
      (void)co_await io::shielded(role.process->wait());
    }
  }

  ServeOptions options_;
  Role core_, edge_;
  int status_ = cli::kDone;
};

int complain(const Error& error, int status) {
  std::fprintf(stderr, "berth serve: %s\n", error.text().c_str());
  return status;
}

}  // namespace

int run_serve(const std::vector<std::string>& arguments, const Environment& environment) {
  for (const auto& argument : arguments)
    if (argument == "--help" || argument == "-h") return std::fputs(serve_help().c_str(), stdout) < 0;
  auto options = parse_serve(arguments);
  if (!options) return complain(options.error(), cli::kBadUsage);
  std::string host = options->host.empty() ? lookup(environment, "DOCKER_HOST") : options->host;
  if (host.empty()) host = engine::kDefaultAddress;
  const auto address = engine::parse_address(host);
  if (!address) return complain(address.error(), cli::kBadUsage);
  if (auto supported = engine::check_supported(*address); !supported)
    return complain(supported.error(), cli::kBadUsage);
  for (const std::string& folder : {options->data, options->data + "/edge"})
    if (auto made = io::make_folder(folder, 0700); !made) return complain(made.error(), cli::kFailed);
  auto lock = io::FileLock::take(options->data + "/lock");
  if (!lock)
    return complain(std::move(lock.error()).within("another berth serves this data folder"),
                    lock.error().code == Code::busy ? cli::kBusy : cli::kFailed);
  (void)lock->describe("process " + std::to_string(::getpid()));
  // A file, since an argument would show its secrets to every user.
  if (auto wrong = read_resolvers(options->resolvers, environment); !wrong)
    return complain(wrong.error(), cli::kBadUsage);
  if (auto wrong = read_tls_options(options->resolvers); !wrong) return complain(wrong.error(), cli::kBadUsage);
  const std::string resolvers = CoreOptions{.data = options->data}.resolvers_file();
  if (auto written = io::write_file(resolvers, options->resolvers.dump(1) + "\n", 0600); !written)
    return complain(written.error(), cli::kFailed);
  io::Loop loop;
  auto signals = io::Signals::open(loop, {SIGTERM, SIGINT, SIGHUP});
  if (!signals) return complain(signals.error(), cli::kFailed);
  const std::string pid_file = options->data + "/serve.pid";
  if (auto written = io::write_file(pid_file, std::to_string(::getpid()) + "\n"); !written)
    return complain(written.error(), cli::kFailed);
  const std::string control = plan::control_socket(plan::runtime_folder(lookup(environment, "XDG_RUNTIME_DIR")),
                                                   address->text(), options->data);
  Supervisor supervisor(std::move(*options), address->text(), control);
  const int status = loop.run(supervisor.run(**signals));
  (void)io::remove_file(pid_file);
  return status;
}

int run_edge_role(const std::vector<std::string>& arguments, const Environment&) {
  const auto json = parse_json(arguments.empty() ? "" : arguments[0]);
  if (!json) return complain(json.error(), cli::kBadUsage);
  edge::EdgeOptions options;
  options.web.clear();
  options.websecure.clear();
  for (const Json& address : (*json)["web"].items()) options.web.emplace_back(address.text());
  for (const Json& address : (*json)["websecure"].items()) options.websecure.emplace_back(address.text());
  options.data = (*json)["data"].text();
  options.supervisor = static_cast<int>((*json)["supervisor"].integer(-1));
  options.access_log = (*json)["access_log"].text();
  options.workers = static_cast<unsigned>((*json)["workers"].integer(options.workers));
  options.cache = static_cast<std::size_t>((*json)["cache"].integer(static_cast<std::int64_t>(options.cache)));
  return edge::run_edge(std::move(options));
}

}  // namespace berth::app
