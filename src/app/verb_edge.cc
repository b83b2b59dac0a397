// `berth edge --config`: the edge alone, fed by files instead of core.
#include <csignal>
#include <cstdio>
#include <set>
#include <thread>

#include "app/config_files.h"
#include "app/verbs.h"
#include "base/text.h"
#include "cli/exit_status.h"
#include "edge/certificate_store.h"
#include "edge/process.h"
#include "edge/snapshot_feed.h"
#include "io/file.h"
#include "io/folder_watch.h"
#include "io/process.h"

namespace berth::app {
namespace {

constexpr std::string_view kHelp =
    "Usage: berth edge --config FILE|FOLDER [--config ...] [FLAGS]\n\n"
    "Serves what Traefik's files (YAML, static and dynamic keys) say, and follows their changes: a file that is "
    "broken\n"
    "changes nothing. Runs until SIGTERM or Ctrl-C.\n\n"
    "Flags:\n"
    "  --config PATH        a file, or a folder with *.yml and *.yaml; may be repeated\n"
    "  --web ADDRESS        where to listen for plain HTTP when no entry point says so (default 127.0.0.1:80)\n"
    "  --websecure ADDRESS  the same for TLS (default 127.0.0.1:443)\n"
    "  --data DIR           folder for certificates and the last good snapshot (default /var/lib/berth)\n"
    "  --access-log FILE    one JSON line for each request (default: none)\n"
    "  --metrics ADDRESS    where Prometheus fetches /metrics, such as 127.0.0.1:8082 (default: as the files say)\n"
    "  --workers N          threads (default: one for each core)\n"
    "  --check              say what the files come to, and end\n";

struct EdgeFlags {
  std::vector<std::string> config;
  std::string web = "127.0.0.1:80", websecure = "127.0.0.1:443", data = "/var/lib/berth", access_log, metrics, workers;
  bool help = false, check = false;
};

void set(EdgeFlags& flags, std::string_view name, std::string value) {
  const std::pair<std::string_view, std::string*> texts[] = {
      {"--web", &flags.web},         {"--websecure", &flags.websecure},
      {"--data", &flags.data},       {"--access-log", &flags.access_log},
      {"--metrics", &flags.metrics}, {"--workers", &flags.workers}};
  if (name == "--config") {
    flags.config.push_back(std::move(value));
    return;
  }
  for (const auto& [known, text] : texts) {
    if (known == name) *text = value;
  }
}

bool takes_value(std::string_view name) {
  static constexpr std::string_view kNames[] = {"--config",     "--web",     "--websecure", "--data",
                                                "--access-log", "--metrics", "--workers"};
  return std::ranges::count(kNames, name) > 0;
}

Result<void> check(const EdgeFlags& flags) {
  if (flags.help) return {};
  if (flags.config.empty()) return fail(Code::invalid, "say which files: berth edge --config FILE");
  const bool number =
      flags.workers.empty() || (flags.workers.size() == 1 && flags.workers[0] >= '1' && flags.workers[0] <= '9');
  if (!number) return fail(Code::invalid, "--workers: \"" + flags.workers + "\" is not a number from 1 to 9");
  return {};
}

Result<EdgeFlags> parse(const std::vector<std::string>& arguments) {
  EdgeFlags flags;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Cut parts = cut(arguments[i], '=');
    const std::string name(parts.before);
    if (name == "--help" || name == "-h") {
      flags.help = true;
    } else if (name == "--check") {
      flags.check = true;
    } else if (!takes_value(name)) {
      return fail(Code::invalid, "\"" + arguments[i] + "\" is not known here; berth edge --help shows what is");
    } else if (!parts.found && i + 1 == arguments.size()) {
      return fail(Code::invalid, name + " needs a value");
    } else {
      set(flags, name, parts.found ? std::string(parts.after) : arguments[++i]);
    }
  }
  TRY(check(flags));
  return flags;
}

std::chrono::sys_seconds wall_now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

void say(const std::string& line) {
  std::fprintf(stderr, "berth edge: %s\n", line.c_str());
}

/// Reads the files, sends what they come to down the channel, and again when they change.
class Feeder {
 public:
  Feeder(std::vector<std::string> paths, edge::CertificateStore store)
      : paths_(std::move(paths)), store_(std::move(store)) {}

  /// Code::invalid or not_found as load_config_files says; the last good frame stays then.
  Result<edge::FileConfig> load() {
    auto loaded = TRY(load_config_files(paths_));
    if (loaded.messages != told_) {
      for (const std::string& message : loaded.messages) say(message);
      told_ = loaded.messages;
    }
    const edge::FileConfig& config = loaded.config;
    edge::Snapshot next{.version = snapshot_.version + 1,
                        .settings = config.settings,
                        .routes = config.routes,
                        .services = config.services,
                        .certificates = std::move(loaded.certificates),
                        .tls_options = std::move(loaded.tls_options),
                        .tcp = config.tcp,
                        .transports = config.transports};
    TRY(edge::TcpTable::build(next.tcp));
    auto changes = edge::patch_between(snapshot_, next);
    table_ = TRY(edge::Routes::changed(*table_, std::move(changes.routes), std::move(changes.services), nullptr));
    add_local_certificates(*table_, next);
    feed_.add(edge::patch_between(snapshot_, next));
    snapshot_ = std::move(next);
    return std::move(loaded.config);
  }

  io::Task<void> run(io::Fd channel) {
    const io::Context context = co_await io::here();
    auto stream = io::stream_on(*context.loop, std::move(channel), "edge");
    if (!stream) co_return;
    std::unique_ptr<io::Stream> edge = std::move(*stream);
    io::Scope scope(context);
    scope.spawn(read_events(*edge, scope));
    scope.spawn(follow_files());
    while (co_await send_.wait()) {
      send_.reset();
      if (ended_) break;
      const auto update = feed_.next(snapshot_);
      if (update && !co_await io::write_all(*edge, edge::encode_frame(*update))) break;
    }
    scope.cancel();
    co_await scope.join();
  }
  void send() { send_.set(); }

 private:
  /// Hosts without a certificate from a file get one of the local CA.
  void add_local_certificates(const edge::Routes& table, edge::Snapshot& next) {
    std::set<std::string> have;
    for (const auto& certificate : next.certificates) have.insert(certificate.hosts.begin(), certificate.hosts.end());
    std::vector<std::string> hosts = table.hosts(edge::Listener::websecure);
    std::ranges::move(edge::terminated_hosts(next.tcp.routes), std::back_inserter(hosts));
    for (const std::string& host : hosts) {
      const auto dot = host.find('.');
      if (have.contains(host) || (dot != std::string::npos && have.contains("*" + host.substr(dot)))) continue;
      auto certificate = store_.certificate(host, wall_now());
      if (certificate)
        next.certificates.push_back(std::move(*certificate));
      else
        say("no certificate for " + host + ": " + certificate.error().message);
    }
  }

  io::Task<void> read_events(io::Stream& channel, io::Scope& scope) {
    edge::FrameReader frames;
    char buffer[4096];
    while (true) {
      const auto count = co_await io::read_some(channel, buffer);
      if (!count || *count == 0) break;
      frames.feed(std::string_view(buffer, *count));
      while (true) {
        const auto frame = frames.next();
        if (!frame || !*frame) break;
        if (const auto event = edge::decode_event(**frame)) tell(*event);
      }
    }
    scope.cancel();
    ended_ = true;
    send_.set();
  }

  void tell(const edge::EdgeEvent& event) {
    if (feed_.take(event)) send();
    using Kind = edge::EdgeEvent::Kind;
    if (event.kind == Kind::listening) say(event.subject + " listens on " + event.detail);
    if (event.kind == Kind::refused) say("refused: " + event.detail);
    if (event.kind == Kind::upstream_failed) say(event.subject + ": " + event.detail);
    if (event.kind == Kind::crowded) say(event.detail);
  }

  io::Task<void> follow_files() {
    const io::Context context = co_await io::here();
    auto watch = io::FolderWatch::open(*context.loop);
    for (const std::string& path : paths_) {
      if (watch && !(*watch)->add(path)) say(path + " cannot be watched; changes need a restart");
    }
    read_again();  // what changed since the first time, when nobody watched
    while (watch) {
      if (const auto changes = co_await (*watch)->next(); !changes) break;
      // An editor's save comes as several changes.
      if (!co_await io::sleep_for(std::chrono::milliseconds(100))) break;
      read_again();
    }
  }

  void read_again() {
    const auto loaded = load();
    if (!loaded) say("nothing changed: " + loaded.error().text());
    if (loaded) send();
  }

  std::vector<std::string> paths_;
  edge::CertificateStore store_;
  std::vector<std::string> told_;
  // A restarted edge starts with its saved snapshot: versions go on from there.
  edge::Snapshot snapshot_{.version = static_cast<std::uint64_t>(wall_now().time_since_epoch().count())};
  std::shared_ptr<const edge::Routes> table_ = std::make_shared<edge::Routes>();  // of it
  edge::SnapshotFeed feed_;
  io::Event send_;
  bool ended_ = false;  ///< the edge
};

int complain(const Error& error, int status) {
  std::fprintf(stderr, "berth edge: %s\n", error.text().c_str());
  return status;
}

int serve(const EdgeFlags& flags, Feeder& feeder, const edge::FileConfig& config) {
  auto pair = io::socket_pair();
  if (!pair) return complain(pair.error(), cli::kFailed);
  edge::EdgeOptions options;
  options.entry_points = config.tcp.entry_points;
  const auto has = [&](edge::Listener role) {
    return std::ranges::any_of(options.entry_points, [&](const edge::EntryPoint& each) {
      return each.http && each.role == role && !each.addresses.empty();
    });
  };
  options.web = config.web.empty() && !has(edge::Listener::web) ? std::vector{flags.web} : config.web;
  options.websecure =
      config.websecure.empty() && !has(edge::Listener::websecure) ? std::vector{flags.websecure} : config.websecure;
  options.data = flags.data + "/edge";
  options.control = pair->first.release();
  if (!flags.workers.empty()) options.workers = static_cast<unsigned>(flags.workers[0] - '0');
  options.access_log = flags.access_log;
  options.metrics = flags.metrics.empty() ? config.metrics : std::vector{flags.metrics};
  options.confined = true;
  feeder.send();
  // Signals are the edge's: this thread only reads files, and ends when the edge closes the channel.
  std::thread files([&feeder, channel = std::move(pair->second)]() mutable {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    io::Loop loop;
    loop.run(feeder.run(std::move(channel)));
  });
  const int status = edge::run_edge(std::move(options));
  files.join();
  return status;
}

}  // namespace

int run_edge_files(const std::vector<std::string>& arguments) {
  const auto flags = parse(arguments);
  if (!flags) return complain(flags.error(), cli::kBadUsage);
  if (flags->help) return std::fputs(std::string(kHelp).c_str(), stdout) < 0;
  for (const std::string& folder : {flags->data, flags->data + "/edge"}) {
    if (auto made = io::make_folder(folder, 0700); !made) return complain(made.error(), cli::kFailed);
  }
  auto store = edge::CertificateStore::open({.dir = flags->data + "/certificates"}, wall_now());
  if (!store) return complain(store.error(), cli::kFailed);
  Feeder feeder(flags->config, std::move(*store));
  const auto config = feeder.load();
  if (!config) return complain(config.error(), cli::kFailed);
  if (flags->check) {
    const bool faulty = std::ranges::any_of(config->notes, [](const auto& note) { return note.error; });
    std::printf("%zu routers, %zu services\n",
                config->routes.size() + config->tcp.routes.size() + config->tcp.udp_routes.size(),
                config->services.size() + config->tcp.services.size() + config->tcp.udp_services.size());
    return faulty ? cli::kFailed : cli::kDone;
  }
  auto lock = io::FileLock::take(flags->data + "/lock");
  if (!lock) return complain(std::move(lock.error()).within("another berth uses this data folder"), cli::kBusy);
  return serve(*flags, feeder, *config);
}

}  // namespace berth::app
