// `berth serve`: reads what a user decided, takes the data folder, and has the supervisor run; the edge's role.
#include "app/serve.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "app/platform_store.h"
#include "app/static_tree.h"
#include "app/supervisor.h"
#include "cli/exit_status.h"
#include "edge/process.h"
#include "engine/address.h"
#include "io/file.h"
#include "plan/lock.h"
#include "plan/traffic_socket.h"

namespace berth::app {
namespace {

constexpr int kChildChannel = 3;
constexpr std::string_view kSucceed = "--succeed=";

std::string lookup(const Environment& environment, const std::string& key) {
  const auto found = environment.find(key);
  return found == environment.end() ? "" : found->second;
}

int complain(const Error& error, int status) {
  std::fprintf(stderr, "berth serve: %s\n", error.text().c_str());
  return status;
}

Result<io::FileLock> take_lock(const std::string& data) {
  for (const std::string& folder : {data, data + "/edge"}) TRY(io::make_folder(folder, 0700));
  auto lock = io::FileLock::take(data + "/lock");
  if (!lock && lock.error().code == Code::busy)
    return fail(std::move(lock.error()).within("another berth serves this data folder"));
  if (lock) TRY(lock->describe("process " + std::to_string(::getpid())));
  return lock;
}

Result<io::FileLock> take_data(const std::string& data, const std::optional<Succession>& succession) {
  if (succession) return io::FileLock::adopt(io::inherited(succession->lock));
  auto lock = take_lock(data);
  if (!lock) return fail(advise_data(std::move(lock.error()), data));
  return lock;
}

/// A file, since an argument would show its secrets to every user.
Result<void> write_statics(const ServeOptions& options) {
  const std::string path = CoreOptions{.data = options.data}.statics_file();
  return io::write_file(path, options.statics.dump(1) + "\n", 0600);
}

struct Prepared {
  ServeOptions options;
  std::string engine;  ///< address text
};

Result<Prepared> prepare(const std::vector<std::string>& arguments, const Environment& environment) {
  ServeOptions options = TRY(parse_serve(arguments));
  std::string host = options.host.empty() ? lookup(environment, "DOCKER_HOST") : options.host;
  if (host.empty()) host = engine::kDefaultAddress;
  const auto address = TRY(engine::parse_address(host));
  if (address.kind != engine::Address::Kind::unix_socket)
    return fail(Code::invalid, address.text() +
                                   ": berth serve publishes what runs beside it and needs that engine's unix socket; "
                                   "berth server add makes it show others");
  TRY(read_statics(options.statics, options.listen, environment));
  if (options.store.empty()) options.store = lookup(environment, "BERTH_STORE");
  if (options.broker_folder.empty()) options.broker_folder = broker_folder(options.data, !options.broker.empty());
  return Prepared{std::move(options), address.text()};
}

CoreOptions core_options(const Prepared& prepared, int supervisor, const Environment& environment) {
  const ServeOptions& options = prepared.options;
  const std::string runtime = plan::runtime_folder(lookup(environment, "XDG_RUNTIME_DIR"));
  return {.data = options.data,
          .engine = prepared.engine,
          .broker = options.broker,
          .broker_folder = options.broker_folder,
          .supervisor = supervisor,
          .https_port = options.websecure,
          .tracing = options.tracing,
          .connections = options.connections,
          .client_connections = options.client_connections,
          .control = plan::control_socket(runtime, prepared.engine, options.data),
          .edge_in = options.edge_in,
          .edge = options.control,
          .platform_host = options.platform_host,
          .setup_remote = options.setup_remote};
}

/// Core's way to the engine: its projects' folders may be bound, and nothing else of the host.
BrokerOptions broker_options(const Prepared& prepared, std::string broker) {
  const std::string& data = prepared.options.data;
  return {.engine = prepared.engine,
          .listen = {{.policy = "core", .descriptor = kChildChannel + 1}},
          .folder = prepared.options.broker_folder,
          .roots = {data + "/projects"},
          .pid_file = data + "/broker.pid",
          .account = broker,
          .supervisor = kChildChannel};
}

/// The accounts that the edge may become, the first that exists.
std::vector<std::string> edge_users(const ServeOptions& options) {
  if (!options.edge_user.empty()) return {options.edge_user};
  return {"berth-edge", "nobody"};
}

/// One role in this process: who started it (systemd, a container engine) starts it again.
Result<int> run_alone(const Prepared& prepared, const Environment& environment) {
  const ServeOptions& options = prepared.options;
  if (options.only == "core") {
    TRY(write_statics(options));
    TRY(remember_store(options.data, options.store));
    return run_core({encode_core(core_options(prepared, -1, environment))}, environment);
  }
  edge::EdgeOptions edge{.web = {}, .websecure = {}, .data = options.data + "/edge", .control_socket = options.control};
  for (Listening& each : TRY(open_listening(options)))
    edge.listening.push_back({std::move(each.role), each.udp, each.fd.release()});
  edge.workers = options.workers;
  edge.access_log = options.access_log;
  edge.metrics = options.metrics;
  edge.cache = static_cast<std::size_t>(options.cache);
  edge.cache_disk = static_cast<std::uint64_t>(options.cache_disk);
  edge.confined = true;
  edge.users = edge_users(options);
  return edge::run_edge(std::move(edge));
}

Result<int> supervise(Prepared prepared, Supervisor::Start start, const Environment& environment) {
  const ServeOptions options = prepared.options;
  TRY(write_statics(options));
  TRY(remember_store(options.data, options.store));
  io::Loop loop;
  const auto signals = TRY(io::Signals::open(loop, {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}));
  if (!start.succession) start.listening = TRY(open_listening(options));
  // The program before this one may not have had one.
  if (std::ranges::count(start.listening, kDoor, &Listening::role) == 0) start.listening.push_back(TRY(open_door()));
  const std::string pid_file = options.data + "/serve.pid";
  TRY(io::write_file(pid_file, std::to_string(::getpid()) + "\n"));
  CoreOptions core = core_options(prepared, kChildChannel, environment);
  core.broker = options.data + "/broker.sock";
  core.door = kChildChannel + 1;
  core.account = TRY(core_account(options));
  start.broker_listening = TRY(io::listen_on(TRY(io::Address::unix_path(core.broker)), {.backlog = 128}));
  TRY(hand_over(options, core.control.substr(0, core.control.rfind('/')), core.account));
  start.broker = broker_options(prepared, TRY(broker_account(options)));
  start.core = encode_core(core);
  start.options = std::move(prepared.options);
  Supervisor supervisor(std::move(start));
  const int status = loop.run(supervisor.run(*signals));
  (void)io::remove_file(pid_file);
  return status;
}

}  // namespace

int run_serve(const std::vector<std::string>& arguments, const Environment& environment) {
  for (const auto& argument : arguments)
    if (argument == "--help" || argument == "-h") return std::fputs(serve_help().c_str(), stdout) < 0;
  Supervisor::Start start{.options = {}, .core = {}, .arguments = arguments};
  if (!arguments.empty() && arguments[0].starts_with(kSucceed)) {
    auto succession = decode_succession(std::string_view(arguments[0]).substr(kSucceed.size()));
    if (!succession) return complain(succession.error(), cli::kBadUsage);
    start.succession = std::move(*succession);
    start.listening = std::move(start.succession->listening);
    start.arguments.erase(start.arguments.begin());
  }
  auto prepared = prepare(start.arguments, environment);
  if (!prepared) return complain(prepared.error(), cli::kBadUsage);
  const auto lock = take_data(prepared->options.data, start.succession);
  if (!lock) return complain(lock.error(), lock.error().code == Code::busy ? cli::kBusy : cli::kFailed);
  start.lock = lock->descriptor();
  if (!prepared->options.only.empty()) {
    const auto status = run_alone(*prepared, environment);
    return status ? *status : complain(status.error(), cli::kFailed);
  }
  const std::string data = prepared->options.data;
  const auto status = supervise(std::move(*prepared), std::move(start), environment);
  return status ? *status : complain(advise_data(status.error(), data), cli::kFailed);
}

int run_edge_role(const std::vector<std::string>& arguments, const Environment&) {
  const auto json = parse_json(arguments.empty() ? "" : arguments[0]);
  if (!json) return complain(json.error(), cli::kBadUsage);
  edge::EdgeOptions options;
  options.web.clear();
  options.websecure.clear();
  for (const Json& address : (*json)["web"].items()) options.web.emplace_back(address.text());
  for (const Json& address : (*json)["websecure"].items()) options.websecure.emplace_back(address.text());
  for (const Json& each : (*json)["listening"].items())
    options.listening.push_back(
        {std::string(each["role"].text()), each["udp"].boolean(), static_cast<int>(each["fd"].integer(-1))});
  options.confined = (*json)["confined"].boolean();
  for (const Json& user : (*json)["users"].items()) options.users.emplace_back(user.text());
  options.first_snapshot = std::chrono::milliseconds((*json)["first_snapshot"].integer());
  options.data = (*json)["data"].text();
  options.supervisor = static_cast<int>((*json)["supervisor"].integer(-1));
  options.access_log = (*json)["access_log"].text();
  for (const Json& address : (*json)["metrics"].items()) options.metrics.emplace_back(address.text());
  options.workers = static_cast<unsigned>((*json)["workers"].integer(options.workers));
  options.cache = static_cast<std::size_t>((*json)["cache"].integer(static_cast<std::int64_t>(options.cache)));
  options.cache_disk = static_cast<std::uint64_t>((*json)["cache_disk"].integer());
  return edge::run_edge(std::move(options));
}

}  // namespace berth::app
