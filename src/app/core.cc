// The core role: engine events -> labels -> routes and certificates -> one snapshot for the edge. Level driven: an
// event only says that it is time to look; a look that fails changes nothing.
#include <csignal>
#include <cstdio>

#include "app/platform.h"
#include "app/static_tree.h"
#include "app/traffic_server.h"
#include "cli/exit_status.h"
#include "edge/acme_keeper.h"
#include "edge/snapshot_feed.h"
#include "engine/container.h"
#include "engine/event.h"
#include "engine/network.h"
#include "io/file.h"

namespace berth::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::chrono::sys_seconds wall_now() {
  return std::chrono::floor<seconds>(std::chrono::system_clock::now());
}

void say(const std::string& line) {
  std::fprintf(stderr, "berth core: %s\n", line.c_str());
}

constexpr auto kFirstLook = seconds(2);  // for the engine to answer at the start
constexpr auto kUsed = seconds(15);      // for the edge to use a snapshot

/// What core starts with.
struct CoreParts {
  CoreOptions options;
  edge::CertificateStore local;
  edge::AcmeStore acme;
  Statics statics;
  Holds holds;
};

class Core {
 public:
  explicit Core(CoreParts parts)
      : options_(std::move(parts.options)),
        desk_(std::move(parts.local)),
        board_(desk_),
        keeper_(std::move(parts.acme), std::move(parts.statics.resolvers),
                {.challenge = [this](auto http, auto tls) { return challenge(std::move(http), std::move(tls)); },
                 .changed = [this] { publish(); },
                 .say = say}),
        platform_({.data = options_.data,
                   .host = options_.platform_host,
                   .setup_remote = options_.setup_remote,
                   .engine = options_.engine,
                   .broker = options_.broker,
                   .broker_folder = options_.broker_folder,
                   .edge_in = options_.edge_in,
                   .door = options_.door,
                   .runtime_folder = options_.control.substr(0, options_.control.rfind('/'))}) {
    desk_.tls_options = std::move(parts.statics.tls_options);
    desk_.labels = std::move(parts.statics.labels);
    desk_.transports = std::move(parts.statics.transports);
    desk_.resolvers = keeper_.resolvers();
    desk_.settings.tracing = options_.tracing;
    desk_.edge_in = options_.edge_in;
    desk_.settings.connections = static_cast<std::size_t>(options_.connections);
    desk_.settings.client_connections = static_cast<std::size_t>(options_.client_connections);
    if (options_.https_port != 0) desk_.settings.public_https_port = options_.https_port;
    desk_.holds = std::move(parts.holds);
    board_.held = [this] { return keep_holds(); };
    board_.registry_auth = [this](std::string reference) { return platform_.registry_auth(std::move(reference)); };
    platform_.changed = [this] { publish_platform(); };
    platform_.say = say;
    platform_.edge_view = edge_view_of(desk_, options_.data);
  }

  /// `supervisor` is null where the edge is met on a socket.
  io::Task<void> run(io::Signals& signals, io::Stream* supervisor) {
    io::Scope scope(co_await io::here());
    scope_ = &scope;
    scope.spawn(until_signal(signals, scope));
    if (supervisor)
      scope.spawn(receive_channels(*supervisor, scope));
    else
      scope.spawn(meet_edge());
    scope.spawn(send_snapshots());
    scope.spawn(follow_engine());
    scope.spawn(answer_questions());
    scope.spawn(keeper_.run());
    scope.spawn(run_platform());
    scope.spawn(publish_without_engine());
    co_await scope.join();
  }

 private:
  io::Task<void> until_signal(io::Signals& signals, io::Scope& scope) {
    (void)co_await signals.next();
    scope.cancel();
  }

  // Routes are served without it.
  io::Task<void> run_platform() {
    if (options_.setup_remote) say_fingerprint();
    if (auto ended = co_await platform_.run(); !ended) say("no API: " + ended.error().message);
  }

  void say_fingerprint() {
    const auto& authorities = desk_.store.authorities();
    const auto print = authorities.empty() ? Result<std::string>(fail(Code::not_found, "there is no CA"))
                                           : edge::fingerprint(authorities.front().certificate);
    say("--setup-remote: " + options_.platform_host + " answers every client; the CA's fingerprint is " +
        (print ? *print : print.error().message));
  }

  // The page that says what is wrong with the engine must not need one. An edge with a table of before keeps that, with
  // our own routes in it: it has others that are known again once the engine answers.
  io::Task<void> publish_without_engine() {
    do {
      if (!co_await io::sleep_for(kFirstLook)) co_return;
      if (desk_.snapshot.version != 0) co_return;
    } while (!edge_ || !edge_is_empty_);
    const auto changed = desk_.publish_own(wall_now());
    if (!changed) say(changed.error().message);
    if (changed && *changed) send();
  }

  void send_own() {
    if (desk_.snapshot.version != 0 || desk_.own_routes.empty()) return;
    feed_.add(desk_.own_graft(wall_now()));
    board_.outgoing.set();
  }

  void publish_platform() {
    desk_.own_routes.clear();
    desk_.own_services.clear();
    if (const auto route = platform_.route()) desk_.own_routes.push_back(*route);
    if (const auto service = platform_.service()) desk_.own_services.push_back(*service);
    send_own();
    publish();
  }

  // Without the socket everything but replacements without a gap works.
  io::Task<void> answer_questions() {
    const std::string& path = options_.control;
    if (auto made = io::make_folder(path.substr(0, path.rfind('/')), 0700); !made) {
      say("no control socket: " + made.error().message);
      co_return;
    }
    TrafficServer server(board_, path);
    if (auto served = co_await server.run(); !served) say("no control socket: " + served.error().message);
  }

  // Each descriptor from the supervisor is a new channel to an edge (it or we were restarted).
  io::Task<void> receive_channels(io::Stream& supervisor, io::Scope& scope) {
    const io::Context context = co_await io::here();
    while (true) {
      auto fd = co_await io::receive_fd(supervisor);
      if (!fd) break;
      auto stream = io::stream_on(*context.loop, std::move(*fd), "edge");
      if (stream) scope.spawn(read_events(take_edge(std::move(*stream))));
    }
    scope.cancel();  // the supervisor is gone
  }

  std::shared_ptr<io::Stream> take_edge(std::unique_ptr<io::Stream> stream) {
    if (edge_) edge_->close();
    edge_ = std::shared_ptr<io::Stream>(std::move(stream));
    port_known_ = false;
    listeners_.clear();
    forget_edge();
    send_own();
    board_.outgoing.set();
    return edge_;
  }

  // An edge of its own: each connection that ends is made again.
  io::Task<void> meet_edge() {
    const io::Context context = co_await io::here();
    std::string told;
    while (!context.cancel->requested()) {
      auto stream = co_await io::UnixDialer(options_.edge).dial();
      if (stream) {
        told.clear();
        co_await read_events(take_edge(std::move(*stream)));
      } else if (stream.error().message != told) {
        say("no edge: " + (told = stream.error().message));
      }
      if (!co_await io::sleep_for(milliseconds(200))) co_return;
    }
  }

  void forget_edge() {
    feed_.begin();
    board_.accepted = 0;
    edge_is_empty_ = false;
    board_.leaving.clear();
    board_.moved.set();
  }

  io::Task<void> read_events(std::shared_ptr<io::Stream> channel) {
    edge::FrameReader frames;
    char buffer[4096];
    while (true) {
      const auto count = co_await io::read_some(*channel, buffer);
      if (!count || *count == 0) break;
      frames.feed(std::string_view(buffer, *count));
      while (true) {
        auto frame = frames.next();
        if (!frame || !*frame) break;
        if (const auto event = edge::decode_event(**frame)) take(*event);
      }
    }
    if (edge_ == channel) forget_edge();
  }

  void take(const edge::EdgeEvent& event) {
    using Kind = edge::EdgeEvent::Kind;
    switch (event.kind) {
      case Kind::accepted:
        board_.accepted = event.version;
        board_.moved.set();
        if (feed_.take(event)) board_.outgoing.set();
        break;
      case Kind::leaving:
        board_.leaving.insert(event.subject);
        return;
      case Kind::left:
        board_.leaving.erase(event.subject);
        board_.moved.set();
        return;
      case Kind::answered:
        if (board_.answers.size() > 64) board_.answers.clear();  // of those who gave up
        board_.answers[event.version] = event;
        board_.moved.set();
        return;
      case Kind::request:
        if (board_.lines.size() == Switchboard::kMostLines) board_.lines.pop_front();
        board_.lines.push_back(event.detail);
        ++board_.told;
        board_.moved.set();
        return;
      case Kind::refused:
        // What it has it says first: nothing, then, to add our own routes to.
        if (board_.accepted == 0) edge_is_empty_ = true;
        if (feed_.take(event)) board_.outgoing.set();
        say("the edge refused version " + std::to_string(event.version) + ": " + event.detail);
        return;
      case Kind::listening:
        say(event.subject + " listens on " + event.detail);
        std::erase(listeners_[event.subject], event.detail);
        listeners_[event.subject].push_back(event.detail);
        if (options_.https_port == 0 && event.subject == "websecure") take_port(event.detail);
        if (const auto address = io::Address::parse(event.detail); address && event.subject == "web")
          desk_.http_port = address->port();
        break;
      case Kind::upstream_failed:
        say(event.subject + ": " + event.detail);
        return;
      case Kind::crowded:
        say(event.detail);
        return;
      case Kind::certificate_wanted:
        if (desk_.want_on_demand(event.subject)) publish();
        return;
      case Kind::stopped:
        return;
    }
    write_status();
  }

  // The kernel chose a port for each address: redirects name that of the first.
  void take_port(const std::string& address) {
    const auto parsed = io::Address::parse(address);
    if (!parsed || std::exchange(port_known_, true)) return;
    desk_.settings.public_https_port = parsed->port();
    changed_.set();
  }

  io::Task<void> send_snapshots() {
    while (co_await board_.outgoing.wait()) {
      board_.outgoing.reset();
      const auto channel = edge_;
      if (!channel) continue;
      std::string frames;
      for (const std::string& command : std::exchange(board_.commands, {})) frames += edge::encode_frame(command);
      if (const auto update = feed_.next(desk_.snapshot)) frames += edge::encode_frame(*update);
      if (!co_await io::write_all(*channel, frames)) channel->close();
    }
  }

  io::Task<void> follow_engine() {
    const io::Context context = co_await io::here();
    auto pause = milliseconds(100);
    std::string told;
    while (!context.cancel->requested()) {
      const auto ended = co_await follow_once(pause);
      if (context.cancel->requested()) co_return;
      if (!ended && ended.error().message != told) {
        told = ended.error().message;
        say("no engine: " + advise_engine(ended.error()));
      }
      if (!co_await io::sleep_for(pause)) co_return;
      pause = std::min(pause * 2, milliseconds(5000));
    }
  }

  // One connection's life. Resets `pause` once it stands.
  io::Task<Result<void>> follow_once(milliseconds& pause) {
    const auto address = CO_TRY(engine::parse_address(options_.engine));
    const auto client = CO_TRY(co_await engine::Client::connect(address, engine_dialer(options_.broker)));
    io::Scope scope(co_await io::here());
    scope.spawn(refresh_when_told(*client));
    // Everything that changes routes, and nothing that health checks cause every few seconds (exec_*).
    engine::Query filters{{"type", "container"}, {"type", "network"}};
    for (const char* action :
         {"create", "start", "die", "destroy", "rename", "health_status", "pause", "unpause", "connect", "disconnect"})
      filters.emplace_back("event", action);
    engine::EventStream events(*client, {.filters = std::move(filters)});
    Result<void> result;
    while (true) {
      auto item = co_await events.next();
      if (!item) {
        result = fail(std::move(item).error());
        break;
      }
      pause = milliseconds(100);
      changed_.set();
    }
    scope.cancel();
    co_await scope.join();
    co_return result;
  }

  // Looks after each hint, and every five minutes without one.
  io::Task<void> refresh_when_told(engine::Client& client) {
    const io::Context context = co_await io::here();
    while (!context.cancel->requested()) {
      (void)co_await io::within(minutes(5), wait_for_change());
      // One container's change comes as several events in a row.
      if (!co_await io::sleep_for(milliseconds(10))) co_return;
      co_await look(client);
      // An engine tells that a container died before its list shows it: look again, unless there is a new hint.
      for (const auto pause : {milliseconds(150), milliseconds(1000)}) {
        const auto told = co_await io::within(pause, wait_for_change());
        if (told || context.cancel->requested()) break;
        co_await look(client);
      }
    }
  }

  io::Task<void> look(engine::Client& client) {
    changed_.reset();
    const std::uint64_t number = ++board_.begun;
    if (auto done = co_await refresh(client); !done) {
      say("cannot read the engine: " + done.error().message);
      if (co_await io::sleep_for(seconds(1))) changed_.set();
      co_return;
    }
    board_.ended = number;
    board_.moved.set();
  }

  io::Task<Result<void>> wait_for_change() { co_return co_await changed_.wait(); }

  io::Task<Result<void>> refresh(engine::Client& client) {
    const Json containers = CO_TRY(co_await engine::list_containers(client));
    const Json networks = CO_TRY(co_await engine::list_networks(client));
    const bool changed = CO_TRY(desk_.update(containers, networks, wall_now()));
    co_await join_networks(client, containers, networks);
    if (changed) {
      send();
    } else if (desk_.unexposed() != shown_) {
      write_status();
    }
    if (keeper_.want(desk_.wanted)) publish();
    co_return Result<void>{};
  }

  // Before the edge learns of the addresses there.
  io::Task<void> join_networks(engine::Client& client, const Json& containers, const Json& networks) {
    for (const auto& name : desk_.networks_to_join(containers, networks)) {
      const auto joined = co_await engine::connect_network(client, name, options_.edge_in);
      if (joined)
        desk_.joined.insert(name);
      else
        say("the edge does not reach network " + name + ": " + joined.error().message);
    }
  }

  void send() {
    for (const auto& line : desk_.news) say(line);
    feed_.add(desk_.change);
    board_.outgoing.set();
    write_status();
  }

  // What changed beside the engine.
  void publish() {
    desk_.signed_by_cas = keeper_.certificates();
    const auto changed = desk_.republish(wall_now());
    if (!changed) return say(changed.error().message);
    if (*changed) send();
    if (keeper_.want(desk_.wanted)) changed_.set();
  }

  Result<void> keep_holds() {
    publish();
    return io::write_file(options_.holds_file(), encode_holds(desk_.holds), 0600);
  }

  io::Task<Result<void>> challenge(std::vector<edge::HttpChallenge> http, std::vector<edge::Certificate> tls) {
    desk_.http_challenges = std::move(http);
    desk_.tls_challenges = std::move(tls);
    publish();
    auto used = co_await io::within(kUsed, until_used(desk_.snapshot.version));
    if (!used) co_return fail(std::move(used.error()).within("the edge does not answer challenges"));
    co_return used;
  }

  io::Task<Result<void>> until_used(std::uint64_t version) {
    while (board_.accepted < version) {
      board_.moved.reset();
      CO_TRY(co_await board_.moved.wait());
    }
    co_return Result<void>{};
  }

  void write_status() {
    Json status = desk_.describe();
    shown_ = desk_.unexposed();
    Json listeners = Json::object();
    for (const auto& [name, texts] : listeners_) {
      Json list = Json::array();
      for (const auto& text : texts) list.push(text);
      listeners.set(name, list);
    }
    status.set("listeners", listeners);
    status.set("accepted", board_.accepted);
    if (auto written = io::write_file(options_.data + "/status.json", status.dump(1), 0600); !written)
      say(written.error().message);
  }

  CoreOptions options_;
  Desk desk_;
  io::Scope* scope_ = nullptr;
  Switchboard board_;
  edge::AcmeKeeper keeper_;
  Platform platform_;
  io::Event& changed_ = board_.wanted;
  edge::SnapshotFeed feed_;
  std::shared_ptr<io::Stream> edge_;
  bool port_known_ = false;
  bool edge_is_empty_ = false;          ///< it said that it has no table, not even one of before
  std::vector<edge::Unexposed> shown_;  ///< in the status
  std::map<std::string, std::vector<std::string>> listeners_;
};

int complain(const Error& error) {
  std::fprintf(stderr, "berth core: %s\n", error.text().c_str());
  return cli::kFailed;
}

Result<CoreParts> prepare(CoreOptions options, const Environment& environment) {
  const Json tree = TRY(parse_json(TRY(io::read_file(options.statics_file()))));
  auto statics = TRY(read_statics(tree, {"::"}, environment));
  auto local = TRY(edge::CertificateStore::open({.dir = options.data + "/certificates"}, wall_now()));
  auto acme = TRY(edge::AcmeStore::open(options.data + "/acme"));
  // Better to serve what was paused than nothing at all.
  const auto kept = io::read_file(options.holds_file());
  auto holds = kept ? decode_holds(*kept) : Result<Holds>(fail(kept.error()));
  if (!holds && holds.error().code != Code::not_found)
    say(options.holds_file() + " is not used, nothing is paused: " + holds.error().message);
  return CoreParts{std::move(options), std::move(local), std::move(acme), std::move(statics),
                   holds ? std::move(*holds) : Holds()};
}

}  // namespace

int run_core(const std::vector<std::string>& arguments, const Environment& environment) {
  auto options = decode_core(arguments.empty() ? "" : arguments[0]);
  if (!options) return complain(options.error());
  if (auto become = become_account(*options); !become) return complain(become.error());
  const int channel = options->supervisor;
  const std::string data = options->data;
  if (const auto advice = advise_clock(data); !advice.empty()) say(advice);
  auto parts = prepare(std::move(*options), environment);
  if (!parts) return complain(advise_data(parts.error(), data));
  io::Loop loop;
  auto signals = io::Signals::open(loop, {SIGTERM, SIGINT});
  if (!signals) return complain(signals.error());
  std::unique_ptr<io::Stream> supervisor;
  if (parts->options.edge.empty()) {
    auto stream = io::stream_on(loop, io::Fd(channel), "supervisor");
    if (!stream) return complain(std::move(stream.error()).within("core is started by berth serve"));
    supervisor = std::move(*stream);
  }
  Core core(std::move(*parts));
  loop.run(core.run(**signals, supervisor.get()));
  return cli::kDone;
}

}  // namespace berth::app
