#include "edge/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <map>
#include <random>
#include <set>

#include "edge/cache_store.h"
#include "edge/control.h"
#include "edge/limits.h"
#include "edge/metrics_server.h"
#include "edge/saved_snapshot.h"
#include "edge/view_command.h"
#include "edge/worker.h"
#include "io/confine.h"
#include "io/process.h"

namespace berth::edge {
namespace {

constexpr std::size_t kMostShown = 1000;  // of the requests that run, for each worker
constexpr unsigned kMostFollowed = 500;   // requests a second and worker that are told to who follows

// Clients with a kept connection learn of its end with a reply, and only those that ask nothing for so long without
// one.
constexpr auto kPatience = std::chrono::seconds(5);

constexpr auto kDiskBusy = std::chrono::seconds(2);

/// Each connection takes up to two descriptors; the soft limit of 1024 is for programs that use select(2).
/// How many there may be then.
std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  const rlim_t before = std::exchange(limit.rlim_cur, std::min<rlim_t>(limit.rlim_max, 1 << 20));
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

std::string host_name() {
  char name[256] = "berth";
  ::gethostname(name, sizeof name - 1);
  return name;
}

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

/// What the workers have said of their load; outlives who asked.
struct AskedLoad {
  Load sum;
  std::size_t open = 0;  ///< workers that have not answered
  io::Event told;
};

class EdgeProcess {
 public:
  EdgeProcess(EdgeOptions options, std::size_t descriptors)
      : options_(std::move(options)),
        core_(options_.control),
        overseer_(options_.supervisor),
        saved_(options_.data + "/snapshot"),
        limits_(std::make_shared<Limits>(descriptors)),
        control_([this](std::string payload) { return apply(std::move(payload)); }, [this] { return greeting(); }),
        metrics_([this] { return metrics_now(); }) {}

  /// Listeners, workers and the last good snapshot.
  Result<void> prepare() {
    TRY(io::make_folder(options_.data, 0700));
    if (options_.cache > 0) store_ = std::make_shared<CacheStore>(options_.cache, random_seed());
    const unsigned count = std::clamp(options_.workers == 0 ? io::usable_cores() : options_.workers, 1u, 64u);
    ticket_key_ = TRY(io::new_ticket_key());
    for (unsigned i = 0; i < count; ++i) TRY(add_worker());
    TRY(listen_all({.name = "web", .addresses = options_.web}));
    TRY(listen_all({.name = "websecure", .addresses = options_.websecure, .role = Listener::websecure}));
    for (const EntryPoint& point : options_.entry_points) TRY(listen_all(point));
    TRY(listen_handed());
    TRY(listen_for_metrics());
    if (!options_.control_socket.empty()) core_listener_ = TRY(listen_for_core(main_loop(), options_.control_socket));
    restore();
    signals_ = TRY(io::Signals::open(main_loop(), {SIGTERM, SIGINT, SIGUSR1}));
    if (options_.confined) TRY(confine());
    if (store_ && options_.cache_disk > 0)
      store_->use_disk(std::make_unique<CacheDisk>(
          options_.data + "/cache", CacheDisk::Limits{.bytes = options_.cache_disk, .index = options_.cache / 8}));
    return {};
  }

  io::Loop& main_loop() { return workers_.front()->loop(); }

  io::Task<int> run() {
    io::Scope scope(co_await io::here());
    if (core_) report(attach(std::move(core_)));
    if (overseer_) meet_supervisor();
    scope.spawn(control_.read_frames());
    scope.spawn(control_.write_events());
    scope.spawn(metrics_.serve());
    scope.spawn(follow_signals());
    scope.spawn(follow_supervisor());
    if (core_listener_) scope.spawn(receive_cores());
    if (store_ && store_->disk()) scope.spawn(open_disk());
    if (options_.first_snapshot.count() > 0) {
      co_await tell_supervisor('w');
      static_cast<void>(co_await io::within(options_.first_snapshot, until_snapshot()));
    }
    running_ = true;
    for (std::size_t i = 1; i < workers_.size(); ++i) workers_[i]->start();
    co_await tell_supervisor('r');
    const auto served = co_await workers_.front()->server().run();
    static_cast<void>(served);
    for (std::size_t i = 1; i < workers_.size(); ++i) workers_[i]->join();
    scope.cancel();
    co_await scope.join();
    control_.send({.kind = EdgeEvent::Kind::stopped});
    co_await io::within(std::chrono::seconds(1), control_.flush());
    co_return 0;
  }

 private:
  Result<void> add_worker() {
    const std::size_t number = workers_.size();
    EventSink sink = [this](const EdgeEvent& event) { control_.send(event); };
    UpstreamPool::Left left = [this, number](const std::string& key) { leave(number, key); };
    if (number > 0) {
      io::Loop* main = &main_loop();
      sink = [this, main](const EdgeEvent& event) { main->post([this, event] { control_.send(event); }); };
      left = [this, main, number](const std::string& key) { main->post([this, number, key] { leave(number, key); }); };
    }
    workers_.push_back(
        TRY(Worker::make({.name = host_name(),
                          .access_log = options_.access_log,
                          .event = std::move(sink),
                          .left = std::move(left),
                          .store = store_,
                          .limits = limits_,
                          .ticket_key = ticket_key_,
                          .probes = number == 0,
                          .health = [this](const Upstream& upstream, bool down) { tell_others(upstream, down); }})));
    return {};
  }

  /// What the prober of the first worker found.
  void tell_others(const Upstream& upstream, bool down) {
    for (std::size_t i = 1; i < workers_.size(); ++i) workers_[i]->set_down(upstream, down);
  }

  // Upstreams on their way out. Known here per worker, told to core as one.

  void leave(std::size_t worker, const std::string& key) {
    const auto found = leaving_.find(key);
    if (found == leaving_.end() || found->second.erase(worker) == 0 || !found->second.empty()) return;
    leaving_.erase(found);
    control_.send({.kind = EdgeEvent::Kind::left, .subject = key});
  }

  /// A worker uses the newest table; `keys` are leaving there.
  void note_used(std::size_t worker, const std::vector<std::string>& keys) {
    std::vector<std::string> back;
    for (const auto& [key, workers] : leaving_)
      if (workers.contains(worker) && std::ranges::find(keys, key) == keys.end()) back.push_back(key);
    for (const std::string& key : back) leave(worker, key);
    for (const std::string& key : keys) {
      auto& workers = leaving_[key];
      if (workers.empty()) control_.send({.kind = EdgeEvent::Kind::leaving, .subject = key});
      workers.insert(worker);
    }
    if (--unswitched_ == 0) switched_.set();
  }

  io::Task<Result<void>> until_snapshot() { co_return co_await snapshot_came_.wait(); }

  io::Task<Result<void>> use_everywhere() {
    snapshot_came_.set();
    if (!running_) {
      for (const auto& worker : workers_) worker->server().use(current_);
      co_return Result<void>{};
    }
    unswitched_ = workers_.size();
    switched_.reset();
    io::Loop* main = &main_loop();
    for (std::size_t i = 1; i < workers_.size(); ++i)
      workers_[i]->use(current_, [this, main, i](std::vector<std::string> keys) {
        main->post([this, i, keys = std::move(keys)] { note_used(i, keys); });
      });
    workers_.front()->server().use(current_);
    note_used(0, workers_.front()->server().leaving());
    co_return co_await switched_.wait();
  }

  Result<void> listen_all(const EntryPoint& point) {
    for (const std::string& text : point.addresses) {
      io::Address address = TRY(io::Address::parse(text));
      // Sockets that share a port would share it with another program's as well: one that shares nothing comes first.
      if (workers_.size() > 1 && address.port() != 0 && !point.udp) TRY(io::listen_on(address));
      for (const auto& worker : workers_) {
        // The first worker may have been given any free port; the others share it.
        address = TRY(worker->server().listen(point, address, {.reuse_port = workers_.size() > 1}));
      }
      note_listening(point, address.text());
    }
    return {};
  }

  /// Each worker gets a socket of each address; where there are fewer, they share.
  Result<void> listen_handed() {
    std::map<std::tuple<std::string, bool, std::string>, std::vector<io::Fd>> sockets;
    for (const EdgeOptions::Handed& each : options_.listening)
      sockets[{each.entry_point, each.udp, io::Address::of(each.fd).text()}].emplace_back(each.fd);
    for (const auto& [name, open] : sockets) {
      EntryPoint point{.name = std::get<0>(name), .udp = std::get<1>(name)};
      if (point.name == to_text(Listener::websecure)) point.role = Listener::websecure;
      for (std::size_t i = 0; i < std::max(open.size(), workers_.size()); ++i) {
        io::Fd socket = TRY(io::duplicate(open[i % open.size()].get()));
        TRY(workers_[i % workers_.size()]->server().listen(point, std::move(socket)));
      }
      note_listening(point, std::get<2>(name));
    }
    return {};
  }

  void note_listening(const EntryPoint& point, const std::string& address) {
    listening_.push_back(
        {.kind = EdgeEvent::Kind::listening, .subject = point.name, .detail = address + (point.udp ? "/udp" : "")});
  }

  Result<void> confine() {
    const bool own_user = !options_.users.empty();
    // From its working folder it reaches its files, whatever the folders above let it.
    const auto kept = TRY(io::confine({.users = options_.users, .folder = own_user ? options_.data : ""}));
    if (own_user) options_.data = ".";
    if (own_user) saved_ = SavedSnapshot("./snapshot");
    for (const std::string& what : kept) std::fprintf(stderr, "berth edge: did not give up %s\n", what.c_str());
    if (options_.supervisor >= 0) io::end_with_parent(SIGTERM);
    return {};
  }

  void restore() {
    saved_.remove_leftovers();
    const auto live = saved_.load();
    if (live) {
      current_ = *live;
      for (const auto& worker : workers_) worker->server().use(current_);
    } else if (live.error().code != Code::not_found) {
      std::fprintf(stderr, "berth edge: %s is not used: %s\n", saved_.path().c_str(), live.error().text().c_str());
    }
  }

  struct Made {
    std::shared_ptr<const Live> live;
    bool whole = false;
    std::string payload{};  ///< what is kept of it; "": what came
  };
  Result<Made> graft_in(const SnapshotGraft& graft) const {
    if (!current_) return fail(Code::conflict, "snapshot: something was to be added, and nothing is in use");
    const Snapshot before = current_->snapshot();
    const SnapshotPatch patch = patch_between(before, grafted(before, graft));
    return Made{TRY(current_->changed(patch)), false, encode_patch(patch)};
  }

  /// Any thread, while no other snapshot comes into use.
  Result<Made> make_live(std::string_view bytes) const {
    auto update = TRY(decode_update(bytes));
    if (auto* whole = std::get_if<Snapshot>(&update))
      return Made{TRY(Live::make(std::move(*whole), current_.get())), true};
    if (const auto* graft = std::get_if<SnapshotGraft>(&update)) return graft_in(*graft);
    if (!current_) return fail(Code::conflict, "snapshot: a change came, and nothing is in use");
    return Made{TRY(current_->changed(std::move(std::get<SnapshotPatch>(update)))), false};
  }

  /// Beside the loop: there may be many files. An edge that this one replaces has them for as long as it drains.
  io::Task<void> open_disk() {
    Result<void> opened;
    do {
      co_await io::on_pool(
          [&] { opened = store_->disk()->open([this](std::string_view key) { return store_->hash(key); }); });
      if (opened) co_return;
    } while (opened.error().code == Code::busy && co_await io::sleep_for(kDiskBusy));
    if (opened.error().code != Code::busy)
      std::fprintf(stderr, "berth edge: nothing is cached on the disk: %s\n", opened.error().text().c_str());
  }

  /// A purge walks the whole store: beside the loop, which serves on.
  io::Task<EdgeEvent> obey(std::string payload) {
    const auto command = decode_command(payload);
    EdgeEvent event{.kind = EdgeEvent::Kind::answered};
    if (!command || !store_) {
      event.subject = command ? "this edge caches nothing" : command.error().message;
      co_return event;
    }
    event.version = command->id;
    Json answer = Json::object();
    if (command->purge) {
      std::size_t purged = 0;
      co_await io::on_pool([&] { purged = store_->purge(*command->purge); });
      answer.set("purged", static_cast<std::int64_t>(purged));
    } else {
      answer = store_->describe();
    }
    event.detail = answer.dump();
    co_return event;
  }

  /// Asks all workers; the sum is told when each has answered.
  io::Task<EdgeEvent> tell_load(std::string payload) {
    EdgeEvent event{.kind = EdgeEvent::Kind::answered};
    const auto command = decode_load_command(payload);
    if (!command) {
      event.subject = command.error().message;
      co_return event;
    }
    event.version = command->id;
    const auto asked = std::make_shared<AskedLoad>();
    asked->sum = workers_.front()->server().load(*command);
    asked->open = workers_.size() - 1;
    io::Loop* main = &main_loop();
    for (std::size_t i = 1; i < workers_.size(); ++i) {
      workers_[i]->load(*command, [asked, main](Load load) {
        main->post([asked, load] {
          asked->sum += load;
          if (--asked->open == 0) asked->told.set();
        });
      });
    }
    if (asked->open > 0) static_cast<void>(co_await asked->told.wait());
    event.detail = encode_load(asked->sum);
    co_return event;
  }

  /// What each worker says, on its own loop.
  template <class Answer>
  io::Task<std::vector<Answer>> from_workers(std::function<Answer(Worker&)> question) {
    struct Asked {
      std::vector<Answer> answers;
      std::size_t open = 0;
      io::Event told;
    };
    const auto asked = std::make_shared<Asked>();
    asked->open = workers_.size() - 1;
    asked->answers.push_back(question(*workers_.front()));
    io::Loop* main = &main_loop();
    for (std::size_t i = 1; i < workers_.size(); ++i) {
      workers_[i]->ask([asked, main, question](Worker& worker) {
        main->post([asked, answer = question(worker)]() mutable {
          asked->answers.push_back(std::move(answer));
          if (--asked->open == 0) asked->told.set();
        });
      });
    }
    if (asked->open > 0) static_cast<void>(co_await asked->told.wait());
    co_return std::move(asked->answers);
  }

  io::Task<std::string> metrics_now() {
    Metrics sum;
    for (const Metrics& each : co_await from_workers<Metrics>([](Worker& worker) { return worker.server().metrics(); }))
      sum += each;
    co_return metrics_text(sum, {.version = current_ ? current_->version() : 0,
                                 .resident = io::resident_memory(),
                                 .cache = store_ ? store_->describe() : Json()});
  }

  /// For people who look on.
  io::Task<EdgeEvent> show(std::string payload) {
    EdgeEvent event{.kind = EdgeEvent::Kind::answered};
    const auto command = decode_view_command(payload);
    if (!command) {
      event.subject = command.error().message;
      co_return event;
    }
    event.version = command->id;
    Json answer = Json::object();
    if (command->what == ViewCommand::What::metrics) {
      answer.set("text", co_await metrics_now());
    } else if (command->what == ViewCommand::What::requests) {
      Json running = Json::array();
      for (const Json& list :
           co_await from_workers<Json>([](Worker& worker) { return worker.server().running(kMostShown); }))
        for (const Json& each : list.items()) running.push(each);
      answer.set("running", std::move(running));
    } else {
      co_await from_workers<int>([this](Worker& worker) { return follow(worker); });
    }
    event.detail = answer.dump();
    co_return event;
  }

  /// Has the worker tell of requests that end, so many a second; on the worker's loop.
  int follow(Worker& worker) {
    io::Loop* main = &main_loop();
    auto second = std::make_shared<std::pair<io::Time, unsigned>>();
    const auto tell = [this, main, second, loop = &worker.loop()](const AccessEvent& event) {
      if (loop->now() - second->first >= std::chrono::seconds(1)) *second = {loop->now(), 0};
      if (++second->second > kMostFollowed) return;
      const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
      main->post([this, line = access_line(event, now)] {
        control_.send({.kind = EdgeEvent::Kind::request, .detail = line});
      });
    };
    worker.server().watch(tell, ViewCommand::kFollowed);
    return 0;
  }

  /// A snapshot from core: in use by all workers, then saved, then acknowledged.
  io::Task<EdgeEvent> apply(std::string payload) {
    if (is_command(payload)) co_return co_await obey(payload);
    if (is_view_command(payload)) co_return co_await show(payload);
    if (is_load_command(payload)) co_return co_await tell_load(std::move(payload));
    // Thousands of routes take milliseconds, in which the loop serves on.
    std::optional<Result<Made>> made;
    co_await io::on_pool([&] { made = make_live(payload); });
    if (!*made) co_return EdgeEvent{.kind = EdgeEvent::Kind::refused, .detail = made->error().text()};
    auto before = std::exchange(current_, (*made)->live);
    const std::uint64_t version = current_->version();
    if (auto used = co_await use_everywhere(); !used)
      co_return EdgeEvent{.kind = EdgeEvent::Kind::refused, .version = version, .detail = used.error().text()};
    EdgeEvent event{.kind = EdgeEvent::Kind::accepted, .version = version};
    for (const std::string& warning : current_->warnings()) event.detail += warning + "\n";
    Result<void> saved;
    co_await io::on_pool([&] {
      saved = saved_.save((*made)->payload.empty() ? payload : (*made)->payload, *current_, (*made)->whole);
      before.reset();  // it takes a while where it was the last to hold it
    });
    if (!saved) event.detail += "not saved: " + saved.error().message + "\n";
    co_return event;
  }

  std::vector<EdgeEvent> greeting() {
    std::vector<EdgeEvent> events = listening_;
    for (const auto& [key, workers] : leaving_) events.push_back({.kind = EdgeEvent::Kind::leaving, .subject = key});
    if (current_) events.push_back({.kind = EdgeEvent::Kind::accepted, .version = current_->version()});
    return events;
  }

  Result<void> attach(io::Fd fd) {
    control_.attach(TRY(io::stream_on(main_loop(), std::move(fd), "core")));
    return {};
  }

  Result<void> listen_for_metrics() {
    for (const std::string& address : options_.metrics) {
      const bool shared = options_.supervisor >= 0;  // its next version begins before it ends
      note_listening({.name = "metrics"}, TRY(metrics_.listen(main_loop(), address, shared)));
    }
    return {};
  }

  /// The newest is the one: a core that was restarted comes before the end of the one before is noticed.
  io::Task<void> receive_cores() {
    while (true) {
      auto stream = co_await core_listener_->accept();
      if (!stream) co_return;
      control_.attach(std::move(*stream));
    }
  }

  static void report(const Result<void>& attached) {
    if (attached) return;
    std::fprintf(stderr, "berth edge: the channel to core is of no use: %s\n", attached.error().text().c_str());
  }

  void drain(io::Duration patience = {}) {
    metrics_.close();
    for (std::size_t i = 1; i < workers_.size(); ++i) workers_[i]->drain(options_.drain, patience);
    workers_.front()->server().drain(options_.drain, patience);
  }

  /// The next signal to stop.
  io::Task<Result<int>> next_stop() {
    while (true) {
      const int signal = CO_TRY(co_await signals_->next());
      if (signal != SIGUSR1) co_return signal;
      if (options_.access_log.empty()) continue;
      auto file = io::AppendFile::open(options_.access_log);
      if (file) file = log_to(*file);
      if (!file)
        std::fprintf(stderr, "berth edge: the access log goes on as before: %s\n", file.error().text().c_str());
    }
  }

  Result<io::AppendFile> log_to(const io::AppendFile& file) {
    for (const auto& worker : workers_) {
      auto own = std::make_shared<io::AppendFile>(
          io::AppendFile::on(TRY(io::duplicate(file.descriptor())), options_.access_log));
      worker->ask([own](Worker& asked) {
        if (asked.log()) asked.log()->reopen(std::move(*own));
      });
    }
    return io::AppendFile::on(TRY(io::duplicate(file.descriptor())), options_.access_log);
  }

  io::Task<void> follow_signals() {
    if (!co_await next_stop()) co_return;
    drain();
    // A second signal does not wait for what is still open.
    if (!co_await next_stop()) co_return;
    std::fputs("berth edge: stopped at once by a second signal\n", stderr);
    std::_Exit(1);
  }

  void meet_supervisor() {
    auto stream = io::stream_on(main_loop(), std::move(overseer_), "supervisor");
    if (stream) supervisor_ = std::move(*stream);
  }

  io::Task<void> tell_supervisor(char word) {
    if (!supervisor_) co_return;
    const auto told = co_await io::write_all(*supervisor_, {&word, 1});
    static_cast<void>(told);  // follow_supervisor() notices when it is gone
  }

  io::Task<void> follow_supervisor() {
    if (options_.supervisor < 0) co_return;
    while (supervisor_) {
      char word = 0;
      auto fd = co_await io::receive_fd(*supervisor_, &word);
      if (!fd && fd.error().code == Code::cancelled) co_return;
      if (!fd && fd.error().code != Code::invalid) break;
      if (!fd) continue;
      if (word == 'l')
        static_cast<void>(log_to(io::AppendFile::on(std::move(*fd), options_.access_log)));
      else
        report(attach(std::move(*fd)));
    }
    drain(kPatience);  // another edge serves now, or nobody would start us again, or stop us
  }

  EdgeOptions options_;
  io::Fd core_,
      overseer_;  ///< until run() takes them; who waits at the other end is told when it does not come to that
  std::vector<std::unique_ptr<Worker>> workers_;  ///< the first runs on the main thread
  std::shared_ptr<const Live> current_;
  SavedSnapshot saved_;
  std::shared_ptr<CacheStore> store_;
  std::shared_ptr<Limits> limits_;
  std::string ticket_key_;
  std::vector<EdgeEvent> listening_;
  std::map<std::string, std::set<std::size_t>> leaving_;  ///< upstream key -> the workers where it has exchanges
  std::size_t unswitched_ = 0;
  io::Event switched_;
  std::unique_ptr<io::Signals> signals_;
  std::unique_ptr<io::Stream> supervisor_;
  std::unique_ptr<io::Listener> core_listener_;
  io::Event snapshot_came_;  ///< from core
  bool running_ = false;     ///< all loops run
  Control control_;
  MetricsServer metrics_;
};

}  // namespace

int run_edge(EdgeOptions options) {
  EdgeProcess process(std::move(options), raise_descriptor_limit());
  if (const auto prepared = process.prepare(); !prepared) {
    std::fprintf(stderr, "berth edge: %s\n", prepared.error().text().c_str());
    return 1;
  }
  return process.main_loop().run(process.run());
}

}  // namespace berth::edge
