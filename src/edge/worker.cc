#include "edge/worker.h"

namespace berth::edge {
namespace {

constexpr std::size_t kBatch = 32u << 10;
constexpr auto kLagEvery = std::chrono::milliseconds(500);

}  // namespace

void AccessLog::add(const AccessEvent& event) {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  batch_.append(access_line(event, now)).append("\n");
  if (batch_.size() >= kBatch)
    flush();
  else if (!armed())
    arm(loop_.now() + std::chrono::seconds(1));
}

void AccessLog::reopen(io::AppendFile file) {
  flush();
  file_ = std::move(file);
}

void AccessLog::flush() {
  if (batch_.empty()) return;
  // A full disk must not stop the edge: the lines are lost, and those after them may get through.
  const auto written = file_.write(batch_);
  static_cast<void>(written);
  batch_.clear();
}

Result<std::unique_ptr<Worker>> Worker::make(Options options) {
  std::unique_ptr<Worker> worker(new Worker);
  Server::Options server{.name = std::move(options.name),
                         .access = {},
                         .event = std::move(options.event),
                         .left = std::move(options.left),
                         .store = std::move(options.store),
                         .limits = std::move(options.limits),
                         .ticket_key = std::move(options.ticket_key),
                         .probes = options.probes,
                         .health = std::move(options.health)};
  if (!options.access_log.empty()) {
    auto file = TRY(io::AppendFile::open(options.access_log));
    worker->log_ = std::make_unique<AccessLog>(worker->loop_, std::move(file));
    AccessLog* log = worker->log_.get();
    server.access = [log](const AccessEvent& event) { log->add(event); };
  }
  worker->server_ = TRY(Server::make(worker->loop_, std::move(server)));
  worker->lag_ = std::make_unique<LagTimer>(worker->loop_, worker->server_->counts().lag);
  worker->lag_->begin();
  return worker;
}

void LagTimer::begin() {
  due_ = std::max(loop_.now(), loop_.poller().now()) + kLagEvery;
  arm(due_);
}

void LagTimer::fire() {
  const auto late = std::chrono::duration_cast<std::chrono::microseconds>(loop_.poller().now() - due_);
  lag_.note(static_cast<std::uint64_t>(std::max<std::int64_t>(late.count(), 0)));
  begin();
}

Worker::~Worker() {
  join();
}

void Worker::start() {
  thread_ = std::thread([this] {
    const auto served = loop_.run(server_->run());
    static_cast<void>(served);
  });
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::use(std::shared_ptr<const Live> live, std::function<void(std::vector<std::string>)> used) {
  loop_.post([this, live = std::move(live), used = std::move(used)] {
    server_->use(live);
    used(server_->leaving());
  });
}

void Worker::set_down(const Upstream& upstream, bool down) {
  loop_.post([this, upstream, down] { server_->set_down(upstream, down); });
}

void Worker::load(LoadCommand command, std::function<void(Load)> told) {
  loop_.post([this, command = std::move(command), told = std::move(told)] { told(server_->load(command)); });
}

void Worker::ask(std::function<void(Worker&)> question) {
  loop_.post([this, question = std::move(question)] { question(*this); });
}

void Worker::drain(io::Duration most, io::Duration patience) {
  loop_.post([this, most, patience] { server_->drain(most, patience); });
}

}  // namespace berth::edge
