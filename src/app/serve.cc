// `berth serve`: reads what a user decided, takes the data folder, and has the supervisor run; the edge's role.
#include "app/serve.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>

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

Result<io::FileLock> take_data(const std::string& data, const std::optional<Succession>& succession) {
  if (succession) return io::FileLock::adopt(io::inherited(succession->lock));
  for (const std::string& folder : {data, data + "/edge"}) TRY(io::make_folder(folder, 0700));
  auto lock = io::FileLock::take(data + "/lock");
  if (!lock) return fail(std::move(lock.error()).within("another berth serves this data folder"));
  TRY(lock->describe("process " + std::to_string(::getpid())));
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
  TRY(engine::check_supported(address));
  TRY(read_statics(options.statics, options.listen, environment));
  return Prepared{std::move(options), address.text()};
}

Result<int> supervise(Prepared prepared, Supervisor::Start start, const Environment& environment) {
  const ServeOptions options = prepared.options;
  TRY(write_statics(options));
  io::Loop loop;
  const auto signals = TRY(io::Signals::open(loop, {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}));
  if (!start.succession) start.listening = TRY(open_listening(options));
  const std::string pid_file = options.data + "/serve.pid";
  TRY(io::write_file(pid_file, std::to_string(::getpid()) + "\n"));
  const std::string control =
      plan::control_socket(plan::runtime_folder(lookup(environment, "XDG_RUNTIME_DIR")), prepared.engine, options.data);
  start.core = encode_core({.data = options.data,
                            .engine = std::move(prepared.engine),
                            .supervisor = kChildChannel,
                            .https_port = options.websecure,
                            .tracing = options.tracing,
                            .connections = options.connections,
                            .client_connections = options.client_connections,
                            .control = control});
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
  const auto status = supervise(std::move(*prepared), std::move(start), environment);
  return status ? *status : complain(status.error(), cli::kFailed);
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
  options.workers = static_cast<unsigned>((*json)["workers"].integer(options.workers));
  options.cache = static_cast<std::size_t>((*json)["cache"].integer(static_cast<std::int64_t>(options.cache)));
  options.cache_disk = static_cast<std::uint64_t>((*json)["cache_disk"].integer());
  return edge::run_edge(std::move(options));
}

}  // namespace berth::app
