#include "edge/exchange.h"

#include "io/scope.h"

namespace berth::edge {
namespace {

using End = http::BodyKind::End;
using Step = http::BodyDecoder::Next;

constexpr std::size_t kMostBatch = 32u << 10;  // of small pieces that go out in one write
constexpr std::size_t kLarge = 4u << 10;       // from here on a write of its own costs less than the copy
constexpr int kMostInterim = 8;
constexpr auto kReuse = std::chrono::seconds(60);
// A request that must not be repeated gets a connection that the upstream hardly can be about to close.
constexpr auto kCarefulReuse = std::chrono::seconds(1);
constexpr auto kWatchAfter = std::chrono::seconds(1);

bool is_websocket(const http::RequestHead& head) {
  return head.method == "GET" && http::same_name(head.upgrade, "websocket") && http::body_of(head).end == End::none;
}

class Exchange {
 public:
  Exchange(Shared& shared, Client& client, const Live& live, const Routes::Entry& entry, io::Context context)
      : shared_(shared),
        client_(client),
        settings_(live.settings()),
        entry_(entry),
        cancel_(context.cancel),
        scope_({context.loop, &cancel_}),
        clock_(*this),
        trusted_(is_trusted(client.hop.peer, live.trusted())),
        websocket_(is_websocket(client.head)),
        upload_(http::body_of(client.head).end == End::none ? Upload::none : Upload::pending) {}

  io::Task<Ended> run() {
    clock_at_ = shared_.loop.now() + kWatchAfter;
    clock_.arm(clock_at_);
    const auto talked = co_await talk().under(cancel_);
    over_ = true;
    scope_.cancel();
    co_await scope_.join();
    if (!talked && ended_.status == 0 && ended_.own_status == 0) explain(talked.error());
    if (!talked && ended_.detail.empty()) ended_.detail = talked.error().message;
    ended_.keep_alive = ended_.keep_alive && talked && (upload_ == Upload::none || upload_ == Upload::done);
    ended_.body_left = upload_ == Upload::pending;
    if (talked && reusable_ && ended_.keep_alive_upstream) shared_.pool.put(*ended_.target, std::move(upstream_));
    co_return std::move(ended_);
  }

 private:
  enum class Upload { none, pending, running, done, broken };

  /// The deadlines of both directions in one timer; it also begins to watch a client that waits for long.
  class Clock final : public io::Timer {
   public:
    explicit Clock(Exchange& exchange) : Timer(exchange.shared_.loop), exchange_(exchange) {}

   private:
    void fire() override { exchange_.on_clock(); }
    Exchange& exchange_;
  };

  struct State : Ended {
    bool keep_alive_upstream = false;
  };

  void limit(io::Time& deadline, io::Duration most) {
    deadline = shared_.loop.now() + most;
    if (!clock_.armed() || deadline < clock_at_) {
      clock_at_ = deadline;
      clock_.arm(deadline);
    }
  }
  void no_limit(io::Time& deadline) { deadline = io::Time::max(); }

  void on_clock() {
    if (over_) return;  // a child that began now would outlive the join
    const io::Time now = shared_.loop.now();
    if (now >= reply_by_ || now >= upload_by_) {
      timed_out_ = true;
      body_late_ = now >= upload_by_;
      cancel_.request(Code::timeout);
      return;
    }
    if (!watching_ && !websocket_ && upload_ != Upload::running) {
      watching_ = true;
      scope_.spawn(watch_client());
    }
    clock_at_ = std::min(reply_by_, upload_by_);
    if (!watching_ && upload_ == Upload::running) clock_at_ = std::min(clock_at_, now + kWatchAfter);
    if (clock_at_ != io::Time::max()) clock_.arm(clock_at_);
  }

  /// A client that goes away ends the exchange; what it pipelines stays in its buffer.
  io::Task<void> watch_client() {
    while (true) {
      const auto more = co_await client_.wire.fill();
      if (!more) co_return;
      if (!*more) {
        client_gone_ = true;
        cancel_.request(Code::cancelled);
        co_return;
      }
    }
  }

  // The request.

  io::Task<Result<void>> talk() {
    bool reused = true;
    while (true) {
      reused = reused && take_kept();
      if (!reused) CO_TRY(co_await connect());
      const auto answered = co_await ask();
      if (answered) break;
      // The upstream closed a kept connection just as we sent: nothing was processed, so it may be asked again.
      const bool stale = reused && stale_ && (upload_ == Upload::none || upload_ == Upload::pending) &&
                         is_idempotent(client_.head.method);
      if (!stale || cancel_.requested()) co_return fail(answered.error());
      reused = false;
    }
    if (client_.reply.status == 101) co_return co_await tunnel();
    co_return co_await relay_reply();
  }

  bool take_kept() {
    if (websocket_) return false;
    const bool careful = upload_ != Upload::none || !is_idempotent(client_.head.method);
    const auto& upstreams = entry_.service->upstreams;
    const std::size_t first = shared_.turn++;
    for (std::size_t i = 0; i < upstreams.size(); ++i) {
      const Upstream& each = upstreams[(first + i) % upstreams.size()];
      if (shared_.pool.is_failing(each)) continue;
      // Only the one whose turn it is: reuse must not undo the balance.
      upstream_ = shared_.pool.take(each, careful ? io::Duration(kCarefulReuse) : io::Duration(kReuse));
      choose(each);
      return upstream_ != nullptr;
    }
    return false;
  }

  void choose(const Upstream& upstream) {
    if (ended_.target == &upstream) return;
    ended_.target = &upstream;
    use_ = shared_.pool.begin(upstream);
  }

  io::Task<Result<void>> connect() {
    const auto& upstreams = entry_.service->upstreams;
    const std::size_t first =
        ended_.target ? static_cast<std::size_t>(ended_.target - upstreams.data()) : shared_.turn++;
    Error last{Code::unavailable, "no upstream"};
    for (const bool failing : {false, true}) {
      for (std::size_t i = 0; i < upstreams.size(); ++i) {
        const Upstream& each = upstreams[(first + i) % upstreams.size()];
        if (shared_.pool.is_failing(each) != failing) continue;
        choose(each);
        auto connected = co_await io::within(settings_.connect_timeout, shared_.pool.connect(each));
        if (connected) {
          upstream_ = std::move(*connected);
          co_return Result<void>{};
        }
        if (cancel_.requested()) co_return fail(connected.error());
        shared_.pool.failed(each);
        last = std::move(connected.error());
      }
    }
    const bool late = last.code == Code::timeout;
    co_return refuse(late ? 504 : 502, "The service could not be reached.", std::move(last.message));
  }

  std::unexpected<Error> refuse(int status, std::string_view message, std::string detail) {
    if (ended_.own_status == 0) {
      ended_.own_status = status;
      ended_.message = message;
      ended_.detail = detail;
    }
    return fail(Code::unavailable, std::move(detail));
  }

  /// Sends the request and reads the reply's head.
  io::Task<Result<void>> ask() {
    stale_ = false;
    std::string& out = client_.out;
    out.clear();
    const Upstream& target = *ended_.target;
    std::string own_host;
    if (!entry_.service->pass_host) own_host = target.host + ":" + std::to_string(target.port);
    append_request(out, {.head = client_.head,
                         .route = entry_.route,
                         .rewritten = client_.rewritten,
                         .hop = client_.hop,
                         .host = own_host.empty() ? client_.head.authority : std::string_view(own_host),
                         .trusted = trusted_,
                         .websocket = websocket_});
    limit(reply_by_, settings_.stall_timeout);
    if (auto sent = co_await io::write_all(upstream_->stream(), out); !sent) {
      stale_ = true;
      co_return fail(std::move(sent).error());
    }
    if (upload_ == Upload::pending) CO_TRY(co_await begin_upload());
    if (upload_ == Upload::none) limit(reply_by_, settings_.response_timeout);
    if (upload_ == Upload::running) no_limit(reply_by_);  // until the upload ends
    co_return co_await read_reply_head();
  }

  io::Task<Result<void>> begin_upload() {
    upload_ = Upload::running;
    if (client_.head.expect_continue && client_.wire.unread().empty()) {
      CO_TRY(co_await io::write_all(client_.wire.stream(), "HTTP/1.1 100 Continue\r\n\r\n"));
    }
    limit(upload_by_, settings_.stall_timeout);
    scope_.spawn(upload());
    co_return Result<void>{};
  }

  io::Task<void> upload() {
    const auto done = co_await send_body();
    no_limit(upload_by_);
    if (done) {
      upload_ = Upload::done;
      if (ended_.status == 0) limit(reply_by_, settings_.response_timeout);
      co_return;
    }
    upload_ = Upload::broken;
    // An upstream that answers early stops reading; its reply says why. All else ends the exchange.
    if (done.error().code == Code::unavailable && !client_gone_ && ended_.own_status == 0) {
      limit(reply_by_, settings_.response_timeout);
      co_return;
    }
    cancel_.request(Code::cancelled);
  }

  io::Task<Result<void>> send_body() {
    const bool chunked = client_.head.framing.chunked;
    http::BodyDecoder decoder(http::body_of(client_.head));
    client_.batch.clear();
    while (true) {
      std::string_view input = client_.wire.unread();
      const std::size_t before = input.size();
      const auto step = decoder.next(input);
      if (step.what == Step::data) CO_TRY(co_await send_piece(step.data, chunked));
      // Only now: the piece is a view into what is consumed.
      client_.wire.consume(before - input.size());
      if (step.what == Step::refused) {
        co_return refuse_body(400, "The request's body is malformed.", std::string(step.reason));
      }
      if (step.what == Step::end) {
        if (chunked) client_.batch += http::kLastChunk;
        co_return co_await flush_upload();
      }
      if (step.what != Step::need_more) continue;
      CO_TRY(co_await flush_upload());
      CO_TRY(co_await more_body());
    }
  }

  io::Task<Result<void>> send_piece(std::string_view data, bool chunked) {
    CO_TRY(count_body(data.size()));
    if (!chunked) co_return co_await to_upstream(data);
    append_piece(client_.batch, data);
    if (client_.batch.size() <= kMostBatch) co_return Result<void>{};
    co_return co_await flush_upload();
  }

  io::Task<Result<void>> flush_upload() {
    auto sent = co_await to_upstream(client_.batch);
    client_.batch.clear();
    co_return sent;
  }

  static void append_piece(std::string& batch, std::string_view data) {
    http::append_chunk_size(batch, data.size());
    batch.append(data).append(http::kChunkEnd);
  }

  std::unexpected<Error> refuse_body(int status, std::string_view message, std::string detail) {
    refuse(status, message, detail);
    return fail(Code::invalid, std::move(detail));
  }

  Result<void> count_body(std::size_t bytes) {
    ended_.received += bytes;
    if (settings_.body_bytes == 0 || ended_.received <= settings_.body_bytes) return {};
    return refuse_body(413, "The request's body is larger than this server accepts.", "request body is too large");
  }

  io::Task<Result<void>> to_upstream(std::string_view bytes) {
    if (bytes.empty()) co_return Result<void>{};
    auto sent = co_await io::write_all(upstream_->stream(), bytes);
    limit(upload_by_, settings_.stall_timeout);
    if (!sent && !cancel_.requested()) sent.error().code = Code::unavailable;
    co_return sent;
  }

  io::Task<Result<void>> more_body() {
    const auto more = co_await client_.wire.fill();
    limit(upload_by_, settings_.stall_timeout);
    if (more && *more) co_return Result<void>{};
    client_gone_ = !cancel_.requested();
    co_return fail(Code::cancelled, "the client closed in the middle of its body");
  }

  // The reply.

  io::Task<Result<void>> read_reply_head() {
    const http::HeadLimits limits{.bytes = 64u << 10, .target = 0};
    for (int interim = 0; interim < kMostInterim; ++interim) {
      upstream_->next_message();
      http::Parsed parsed = http::parse_response(upstream_->unread(), client_.reply, limits);
      while (parsed.state == http::Parsed::State::need_more) {
        CO_TRY(co_await more_reply_head());
        parsed = http::parse_response(upstream_->unread(), client_.reply, limits);
      }
      if (parsed.state == http::Parsed::State::refused) {
        co_return refuse(502, "The service gave an invalid answer.", "malformed reply: " + std::string(parsed.reason));
      }
      upstream_->pin(parsed.consumed);
      if (client_.reply.status == 101) {
        const bool right = websocket_ && http::same_name(client_.reply.upgrade, "websocket");
        if (right) co_return Result<void>{};
        co_return refuse(502, "The service gave an invalid answer.", "an upgrade that nobody asked for");
      }
      if (client_.reply.status >= 200) co_return Result<void>{};
    }
    co_return refuse(502, "The service gave an invalid answer.", "too many interim replies");
  }

  io::Task<Result<void>> more_reply_head() {
    const bool nothing = upstream_->unread().empty();
    const auto more = co_await upstream_->fill();
    if (more && *more) co_return Result<void>{};
    if (cancel_.requested()) co_return fail(Code::cancelled, "cancelled");
    stale_ = nothing;
    if (more)
      co_return fail(Code::unavailable, nothing ? "the upstream closed without a reply"
                                                : "the upstream closed in the middle of a reply's head");
    co_return fail(more.error());
  }

  io::Task<Result<void>> relay_reply() {
    const ReplyShape shape = shape_reply(client_.head, client_.reply, !shared_.draining);
    std::string& out = client_.out;
    out.clear();
    append_reply(out, client_.reply, entry_.route, shape);
    ended_.status = client_.reply.status;
    ended_.keep_alive = shape.keep_alive;
    ended_.keep_alive_upstream = client_.reply.keep_alive && shape.body.end != End::close;
    http::BodyDecoder decoder(shape.body);
    while (true) {
      std::string_view input = upstream_->unread();
      const std::size_t before = input.size();
      const auto step = decoder.next(input);
      if (step.what == Step::data) CO_TRY(co_await pass_on(step.data, shape));
      upstream_->consume(before - input.size());
      if (step.what == Step::refused) co_return fail(Code::internal, "malformed body: " + std::string(step.reason));
      if (step.what == Step::end) break;
      if (step.what != Step::need_more) continue;
      if (!CO_TRY(co_await more_reply(shape))) {
        if (decoder.may_close()) break;
        co_return fail(Code::unavailable, "the upstream closed in the middle of its reply");
      }
    }
    if (shape.chunked) out += http::kLastChunk;
    CO_TRY(co_await flush());
    // Only a connection on which nothing more came and that both sides agree to keep is used again.
    reusable_ = ended_.keep_alive_upstream && upstream_->unread().empty() &&
                (upload_ == Upload::none || upload_ == Upload::done);
    co_return Result<void>{};
  }

  io::Task<Result<void>> pass_on(std::string_view data, const ReplyShape& shape) {
    ended_.sent += data.size();
    std::string& out = client_.out;
    // Small pieces go out together with the head; large ones as they are, without a copy.
    const bool large = data.size() > kLarge || out.size() + data.size() > kMostBatch;
    if (shape.chunked) {
      append_piece(out, data);
    } else if (large) {
      CO_TRY(co_await flush());
      co_return co_await to_client(data);
    } else {
      out.append(data);
    }
    if (out.size() >= kMostBatch / 2) co_return co_await flush();
    co_return Result<void>{};
  }

  io::Task<Result<void>> flush() {
    auto sent = co_await to_client(client_.out);
    client_.out.clear();
    co_return sent;
  }

  io::Task<Result<void>> to_client(std::string_view bytes) {
    if (bytes.empty()) co_return Result<void>{};
    limit(reply_by_, settings_.stall_timeout);
    auto sent = co_await io::write_all(client_.wire.stream(), bytes);
    client_gone_ = client_gone_ || (!sent && !cancel_.requested());
    co_return sent;
  }

  /// What is there goes out before we wait: an event stream is never held back. A stream without end may be silent.
  io::Task<Result<bool>> more_reply(const ReplyShape& shape) {
    CO_TRY(co_await flush());
    if (shape.body.end == End::length)
      limit(reply_by_, settings_.stall_timeout);
    else
      no_limit(reply_by_);
    co_return co_await upstream_->fill();
  }

  // WebSocket.

  io::Task<Result<void>> tunnel() {
    client_.out.clear();
    append_upgrade_reply(client_.out, client_.reply, entry_.route);
    client_.out.append(upstream_->unread());
    upstream_->consume(upstream_->unread().size());
    ended_.status = 101;
    CO_TRY(co_await flush());
    CO_TRY(co_await io::write_all(upstream_->stream(), client_.wire.unread()));
    client_.wire.consume(client_.wire.unread().size());
    no_limit(reply_by_);
    scope_.spawn(copy_back());
    const auto copied = co_await io::copy(client_.wire.stream(), upstream_->stream());
    // The other direction may finish, but not hold both connections for ever.
    if (copied)
      limit(reply_by_, settings_.stall_timeout);
    else
      cancel_.request(Code::cancelled);
    co_return co_await back_.wait();
  }

  io::Task<void> copy_back() {
    const auto copied = co_await io::copy(upstream_->stream(), client_.wire.stream());
    if (copied)
      limit(reply_by_, settings_.stall_timeout);
    else
      cancel_.request(Code::cancelled);
    back_.set();
  }

  /// Why nothing was sent to the client, when nobody said so yet.
  void explain(const Error& error) {
    ended_.detail = error.message;
    if (client_gone_) return;
    if (body_late_) {
      ended_.own_status = 408;
      ended_.message = "The request's body came too slowly.";
    } else if (timed_out_) {
      ended_.own_status = 504;
      ended_.message = "The service did not answer in time.";
    } else if (!cancel_.requested()) {
      ended_.own_status = 502;
      ended_.message = "The service closed the connection without an answer.";
    }
  }

  Shared& shared_;
  Client& client_;
  const Settings& settings_;
  const Routes::Entry& entry_;
  io::Cancel cancel_;
  io::Scope scope_;
  Clock clock_;
  io::Time clock_at_ = io::Time::max(), reply_by_ = io::Time::max(), upload_by_ = io::Time::max();
  const bool trusted_, websocket_;
  Upload upload_;
  bool over_ = false, stale_ = false, watching_ = false, timed_out_ = false, body_late_ = false, client_gone_ = false,
       reusable_ = false;
  io::Event back_;
  UpstreamPool::Connection upstream_;
  UpstreamPool::Use use_;
  State ended_;
};

}  // namespace

io::Task<Ended> exchange(Shared& shared, Client& client, const Live& live, const Routes::Entry& entry) {
  Exchange one(shared, client, live, entry, co_await io::here());
  co_return co_await one.run();
}

}  // namespace berth::edge
