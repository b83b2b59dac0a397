#include "edge/h2_connection.h"

#include <algorithm>

#include "edge/h2_client.h"
#include "io/scope.h"

namespace berth::edge {
namespace {

constexpr std::size_t kMostRequests = 128;    // that run, also for streams that their client has reset
constexpr std::size_t kMostKeptStreams = 32;  // for later requests
constexpr std::size_t kRead = 16u << 10, kBatch = 64u << 10;
constexpr auto kLastWords = std::chrono::seconds(1);

class H2Connection final : http::H2Events {
 public:
  H2Connection(Shared& shared, H2Start start, io::Cancel& idle, io::Context context)
      : shared_(shared),
        stream_(std::move(start.stream)),
        hop_(std::move(start.hop)),
        early_(std::move(start.early)),
        idle_(idle),
        until_idle_(&idle),
        until_done_(context.cancel),
        stop_writing_(context.cancel),
        requests_(context.cancel),
        context_(context),
        scope_(context),
        writer_(context),
        link_(*this, shared_.live->settings()),
        silence_(*this) {}

  io::Task<void> serve() {
    silence_.arm(shared_.loop.now() + shared_.live->settings().idle_timeout);
    writer_.spawn(write());
    if (take(early_)) {
      early_ = {};
      co_await read_frames();
    }
    silence_.disarm();
    ending_ = true;
    requests_.request();
    co_await scope_.join();
    link_.wake.set();
    io::detail::CancelTimer last_words(shared_.loop, stop_writing_);
    last_words.arm(shared_.loop.now() + kLastWords);
    co_await writer_.join();
    stream_->close();
  }

 private:
  /// No request for long.
  class Silence final : public io::Timer {
   public:
    explicit Silence(H2Connection& connection) : Timer(connection.shared_.loop), connection_(connection) {}

   private:
    void fire() override { connection_.end_reading(); }
    H2Connection& connection_;
  };

  void end_reading() {
    until_idle_.request();
    until_done_.request();
  }

  /// Whether the connection is of further use.
  bool take(std::string_view bytes) {
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(shared_.loop.now().time_since_epoch()).count();
    const auto fed = link_.session.feed(bytes, now);
    link_.wake.set();
    return fed && link_.session.wants_read();
  }

  io::Task<void> read_frames() {
    while (true) {
      const auto count = draining_ ? co_await io::read_some(*stream_, buffer_).under(until_done_)
                                   : co_await io::read_some(*stream_, buffer_).under(until_idle_);
      if (count && *count == 0) co_return;
      if (count) {
        if (!take(std::string_view(buffer_, *count))) co_return;
        continue;
      }
      if (broken_ || draining_ || context_.cancel->requested()) co_return;
      link_.session.go_away(http::H2Error::none);
      link_.wake.set();
      if (!idle_.requested() || running_ == 0) co_return;  // silent for long, or nothing is left to wait for
      draining_ = true;
    }
  }

  io::Task<void> write() { co_await write_frames().under(stop_writing_); }

  io::Task<void> write_frames() {
    while (true) {
      batch_.clear();
      link_.session.pull(batch_, kBatch);
      if (batch_.empty()) {
        if (ending_) co_return;
        if (!link_.session.wants_read() && !link_.session.wants_write()) break;
        if (!co_await link_.wake.wait()) co_return;
        link_.wake.reset();
        continue;
      }
      if (!co_await io::within(shared_.live->settings().stall_timeout, io::write_all(*stream_, batch_))) break;
    }
    broken_ = true;
    end_reading();
  }

  // What the session tells.

  http::H2Stream* on_begin(std::int32_t) override {
    if (running_ >= kMostRequests || ending_) return nullptr;
    if (free_.empty()) free_.push_back(std::make_unique<H2Client>(shared_, link_));
    auto client = std::move(free_.back());
    free_.pop_back();
    client->begin_request(&requests_);
    H2Client* made = client.get();
    used_.push_back(std::move(client));
    return made;
  }
  void on_field(http::H2Stream& stream, std::string_view name, std::string_view value) override {
    of(stream).field_came(name, value);
  }
  void on_fields_end(http::H2Stream& stream) override {
    H2Client& client = of(stream);
    if (!client.fields_ended()) return;
    if (shared_.draining && !std::exchange(announced_, true)) link_.session.announce_end();
    client.running = true;
    ++running_;
    silence_.disarm();
    scope_.spawn(run(client));
  }
  void on_data(http::H2Stream& stream, std::string_view data) override { of(stream).data_came(data); }
  void on_in_end(http::H2Stream& stream) override { of(stream).input_ended(); }
  void on_sent(http::H2Stream& stream) override { of(stream).data_went(); }
  void on_close(http::H2Stream& stream, std::uint32_t error) override {
    H2Client& client = of(stream);
    client.closed(error);
    if (!client.running) recycle(client);
  }

  static H2Client& of(http::H2Stream& stream) { return static_cast<H2Client&>(stream); }

  io::Task<void> run(H2Client& client) {
    co_await client.serve(hop_).under(client.cancel());
    client.running = false;
    if (client.is_closed()) recycle(client);
    if (--running_ > 0) co_return;
    if (draining_)
      until_done_.request();
    else if (!ending_)
      silence_.arm(shared_.loop.now() + shared_.live->settings().idle_timeout);
  }

  void recycle(H2Client& client) {
    const auto found = std::ranges::find(used_, &client, &std::unique_ptr<H2Client>::get);
    auto owned = std::move(*found);
    *found = std::move(used_.back());
    used_.pop_back();
    owned->forget();
    if (free_.size() < kMostKeptStreams) free_.push_back(std::move(owned));
  }

  Shared& shared_;
  std::unique_ptr<io::Stream> stream_;
  const Hop hop_;
  std::string early_;
  io::Cancel& idle_;
  io::Cancel until_idle_, until_done_, stop_writing_, requests_;
  io::Context context_;
  io::Scope scope_, writer_;
  H2Link link_;
  Silence silence_;
  std::vector<std::unique_ptr<H2Client>> used_, free_;
  std::size_t running_ = 0;
  std::string batch_;
  char buffer_[kRead];
  bool announced_ = false, draining_ = false, ending_ = false, broken_ = false;
};

}  // namespace

io::Task<void> serve_h2_client(Shared& shared, H2Start start, io::Cancel& idle) {
  const auto connection = std::make_unique<H2Connection>(shared, std::move(start), idle, co_await io::here());
  co_await connection->serve();
}

}  // namespace berth::edge
