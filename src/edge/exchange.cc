#include "edge/exchange.h"

#include "edge/ready_transport.h"
#include "edge/reply_tap.h"
#include "edge/shared.h"
#include "edge/tunnel.h"
#include "http/url.h"
#include "io/scope.h"
#include "io/splice.h"

namespace berth::edge {
namespace {

using End = http::BodyKind::End;
using Step = http::BodyDecoder::Next;

constexpr std::size_t kMostBatch = 32u << 10;  // of small pieces that go out in one write
constexpr std::uint64_t kLarge = 64u << 10;    // from here on moving bytes in the kernel costs less than copying them
constexpr std::size_t kMostAgain = 32u << 10;  // of a body, kept in case that the upstream refuses its request
constexpr const char* kCut = "the upstream closed in the middle of its reply";
constexpr int kMostInterim = 8;
constexpr auto kReuse = std::chrono::seconds(60);
// A request that must not be repeated gets a connection that the upstream hardly can be about to close.
constexpr auto kCarefulReuse = std::chrono::seconds(1);

/// Whether what came behind the first `known` bytes can end a head: parsing at each byte of a slow one is for nothing.
bool may_be_whole(std::string_view bytes, std::size_t known, const http::HeadLimits& limits) {
  return bytes.size() >= limits.bytes || bytes.find('\n', known) != std::string_view::npos;
}

class Exchange {
 public:
  Exchange(Request& request, ReplySink& sink, io::Context context)
      : shared_(request.shared),
        request_(request),
        body_(*request.body),
        sink_(sink),
        reply_(request.work.reply),
        settings_(request.live.settings()),
        service_(*request.service),
        cancel_(context.cancel),
        clock_(*this),
        watch_(*this),
        begun_(shared_.loop.now()),
        looks_at_(begun_ + kLook),
        trusted_(is_trusted(request.hop.peer, request.live.trusted())),
        websocket_(request.wants_websocket()),
        upload_(body_.state() == BodySource::State::none ? Upload::none : Upload::pending) {
    shared_.watched.add(watch_);
  }

  io::Task<Result<void>> talk() {
    bool reused = true;
    while (true) {
      reused = reused && take_kept();
      if (!reused) CO_TRY(co_await connect());
      const auto answered = co_await ask();
      if (answered) break;
      const bool again = reused ? stale_ : refused_ && ++refusals_ == 1;
      if (!again || !may_repeat() || cancel_.requested()) co_return fail(answered.error());
      reused = false;
      ++outcome_.retries;
    }
    if (reply_.status == 101) co_return co_await tunnel();
    const auto then = request_.tap ? request_.tap->on_head(reply_) : ReplyTap::Then::relay;
    if (then != ReplyTap::Then::relay) co_return hand_over(then);
    co_return co_await relay_reply();
  }

  io::Cancel& cancel() { return cancel_; }
  /// Once talk() returned: what it spawned, which is to end.
  io::Scope* children() {
    over_ = true;
    if (scope_) scope_->cancel();
    return scope_ ? &*scope_ : nullptr;
  }
  Outcome finish(Result<void> talked) {
    outcome_.upstream = shared_.loop.now() - begun_;
    if (!talked && !began_ && outcome_.own_status == 0) explain(talked.error());
    if (!talked && outcome_.detail.empty()) outcome_.detail = talked.error().message;
    if (talked && reusable_) shared_.pool.put(*outcome_.target, std::move(upstream_));
    return std::move(outcome_);
  }

 private:
  enum class Upload { none, pending, running, done, broken };

  /// The deadlines of both directions in one timer.
  class Clock final : public io::Timer {
   public:
    explicit Clock(Exchange& exchange) : Timer(exchange.shared_.loop), exchange_(exchange) {}

   private:
    void fire() override { exchange_.look(); }
    Exchange& exchange_;
  };
  /// Most exchanges end before they are looked at for the first time: until then no timer runs for them.
  class Watch final : public io::Delayed {
   public:
    explicit Watch(Exchange& exchange) : exchange_(exchange) {}

   private:
    void expired() override { exchange_.look(); }
    Exchange& exchange_;
  };

  void limit(io::Time& deadline, io::Duration most) {
    deadline = shared_.loop.now() + most;
    keep_time();
  }
  void no_limit(io::Time& deadline) { deadline = io::Time::max(); }
  void keep_time() {
    const io::Time next = std::min(reply_by_, upload_by_);
    if (next == io::Time::max() || (watch_.waiting() && next >= looks_at_)) return;
    if (clock_.armed() && clock_at_ <= next) return;
    clock_at_ = next;
    clock_.arm(next);
  }

  io::Scope& children_of() {
    if (!scope_) scope_.emplace(io::Context{&shared_.loop, &cancel_});
    return *scope_;
  }

  void look() {
    if (over_) return;  // a child that began now would outlive the join
    const io::Time now = shared_.loop.now();
    if (now >= reply_by_ || now >= upload_by_) {
      timed_out_ = true;
      body_late_ = now >= upload_by_;
      cancel_.request(Code::timeout);
      return;
    }
    lasting_ = true;
    use_.lasts(cancel_);
    if (!watch_.waiting() && !watching_ && !websocket_) watch_later();
    keep_time();
  }
  /// A client that waits for long is watched: one that goes away needs no answer. Not while its body is read.
  void watch_later() {
    watching_ = upload_ != Upload::running;
    if (watching_) {
      children_of().spawn(watch_client());
      return;
    }
    looks_at_ = shared_.loop.now() + kLook;
    shared_.watched.add(watch_);
  }

  /// A client that goes away ends the exchange.
  io::Task<void> watch_client() {
    if (!co_await body_.gone()) co_return;
    client_gone_ = true;
    cancel_.request(Code::cancelled);
  }

  // The request.

  /// The client's answer comes from elsewhere.
  Result<void> hand_over(ReplyTap::Then then) {
    const http::BodyKind body = http::body_of(reply_, request_.head.method);
    if (then == ReplyTap::Then::take) {
      request_.tap->take({.wire = std::move(upstream_),
                          .body = body,
                          .keep_alive = reply_.keep_alive,
                          .use = std::move(use_),
                          .target = outcome_.target});
      return {};
    }
    reusable_ = !upstream_->session && reply_.keep_alive && body.end == End::none && upstream_->unread().empty();
    return {};
  }

  /// The upstream closed a kept connection just as we sent, or says itself that it did nothing.
  bool may_repeat() const {
    if (refused_ && upload_ != Upload::broken) return !body_left_;
    return (upload_ == Upload::none || upload_ == Upload::pending) && is_idempotent(request_.head.method);
  }

  bool take_kept() {
    if (websocket_) return false;
    const bool careful = upload_ != Upload::none || !is_idempotent(request_.head.method);
    const auto& upstreams = service_.upstreams;
    const std::size_t first = request_.first;
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
    if (outcome_.target == &upstream) return;
    outcome_.target = &upstream;
    use_ = shared_.pool.begin(upstream);
    if (lasting_) use_.lasts(cancel_);
  }

  io::Task<Result<void>> connect() {
    const auto& upstreams = service_.upstreams;
    const std::size_t first =
        outcome_.target ? static_cast<std::size_t>(outcome_.target - upstreams.data()) : request_.first;
    Error last{Code::unavailable, "no upstream"};
    for (const bool failing : {false, true}) {
      for (std::size_t i = 0; i < upstreams.size(); ++i) {
        const Upstream& each = upstreams[(first + i) % upstreams.size()];
        if (shared_.pool.is_failing(each) != failing) continue;
        choose(each);
        auto connected =
            co_await io::within(connect_time(each, settings_), shared_.pool.connect(each, websocket_ && !each.h2));
        if (connected) {
          upstream_ = std::move(*connected);
          co_return Result<void>{};
        }
        if (cancel_.requested()) co_return fail(connected.error());
        shared_.pool.failed(each, service_.passive);
        last = std::move(connected.error());
      }
    }
    const bool late = last.code == Code::timeout;
    co_return refuse(late ? 504 : 502, "The service could not be reached.", std::move(last.message));
  }

  std::unexpected<Error> refuse(int status, std::string_view message, std::string detail) {
    if (outcome_.own_status == 0 && !began_) {
      outcome_.own_status = status;
      outcome_.message = message;
      outcome_.detail = detail;
    }
    return fail(Code::unavailable, std::move(detail));
  }

  /// Sends the request and reads the reply's head.
  io::Task<Result<void>> ask() {
    stale_ = refused_ = false;
    std::string& out = request_.work.to_upstream;
    out.clear();
    const Upstream& target = *outcome_.target;
    std::string own_host;
    if (!service_.pass_host) own_host = target.host + ":" + std::to_string(target.port);
    append_request(out, {.head = request_.tap ? request_.tap->request(request_.head) : request_.head,
                         .route = request_.entry->with_middlewares(),
                         .rewritten = request_.rewritten,
                         .hop = request_.hop,
                         .host = own_host.empty() ? request_.head.authority : std::string_view(own_host),
                         .trusted = trusted_,
                         .websocket = websocket_});
    limit(reply_by_, settings_.stall_timeout);
    if (auto sent = co_await send_head(out); !sent) {
      stale_ = true;
      refused_ = upstream_->session && upstream_->session->refused();
      co_return fail(std::move(sent).error());
    }
    if (upload_ == Upload::pending) begin_upload();
    if (upload_ == Upload::none || upload_ == Upload::done) limit(reply_by_, answer_time(*outcome_.target, settings_));
    if (upload_ == Upload::running) no_limit(reply_by_);  // until the upload ends
    if (upstream_->session) co_return co_await read_session_head();
    co_return co_await read_reply_head();
  }

  io::Task<Result<void>> send_head(std::string_view head) {
    UpstreamSession* session = upstream_->session.get();
    const bool again = upload_ == Upload::running || upload_ == Upload::done;
    if (again && !(session && session->takes_again())) co_return fail(Code::unavailable, "the request was refused");
    if (!session) co_return co_await io::write_all(upstream_->stream(), head);
    if (websocket_ && !session->takes_again())
      co_return refuse(502, "The service takes no WebSockets.", "a WebSocket for a service that speaks no HTTP");
    const bool trailers = request_.head.fields.has_token("te", "trailers");
    if (auto begun = session->begin({head, upload_ != Upload::none, trailers, request_}); !begun)
      co_return refused_by(*session, std::move(begun.error()));
    if (again) CO_TRY(co_await session->send(request_.work.upload));
    if (upload_ == Upload::done) session->end_body(body_.trailers());
    if (auto flushed = co_await session->flush(); !flushed) co_return refused_by(*session, std::move(flushed.error()));
    co_return Result<void>{};
  }

  void begin_upload() {
    upload_ = Upload::running;
    children_of().spawn(upload());
  }

  io::Task<void> upload() {
    const auto done = co_await send_body();
    if (over_) co_return;
    no_limit(upload_by_);
    if (done) {
      upload_ = Upload::done;
      if (!began_) limit(reply_by_, answer_time(*outcome_.target, settings_));
      co_return;
    }
    upload_ = Upload::broken;
    // An upstream that answers early stops reading; its reply says why. All else ends the exchange.
    if (done.error().code == Code::unavailable && outcome_.own_status == 0) {
      limit(reply_by_, answer_time(*outcome_.target, settings_));
      co_return;
    }
    if (!cancel_.requested() && outcome_.own_status == 0) {
      body_late_ = done.error().code == Code::timeout;
      client_gone_ = !body_late_;
    }
    cancel_.request(Code::cancelled);
  }

  io::Task<Result<void>> send_body() {
    const bool chunked = request_.head.framing.chunked;
    std::string& batch = request_.work.upload;
    batch.clear();
    while (true) {
      const BodySource::Piece piece = body_.take();
      switch (piece.what) {
        case BodySource::Piece::some:
          CO_TRY(co_await send_piece(piece.data, chunked));
          break;
        case BodySource::Piece::refused:
          refuse(piece.status, piece.message, std::string(piece.detail));
          co_return fail(Code::invalid, std::string(piece.detail));
        case BodySource::Piece::end:
          if (upstream_->session)
            upstream_->session->end_body(body_.trailers());
          else if (chunked)
            batch += http::kLastChunk;
          co_return co_await flush_upload();
        case BodySource::Piece::wait:
          CO_TRY(co_await flush_upload());
          CO_TRY(co_await body_.more());
      }
    }
  }

  io::Task<Result<void>> send_piece(std::string_view data, bool chunked) {
    std::string& batch = request_.work.upload;
    if (upstream_->session) {
      body_left_ = body_left_ || batch.size() + data.size() > kMostAgain || !upstream_->session->takes_again();
      if (!body_left_) batch.append(data);
    }
    if (!chunked || upstream_->session) co_return co_await send_up(data);
    http::append_chunk_size(batch, data.size());
    batch.append(data).append(http::kChunkEnd);
    if (batch.size() <= kMostBatch) co_return Result<void>{};
    co_return co_await flush_upload();
  }

  io::Task<Result<void>> flush_upload() {
    if (upstream_->session) co_return co_await upstream_->session->flush();
    auto sent = co_await send_up(request_.work.upload);
    request_.work.upload.clear();
    co_return sent;
  }

  io::Task<Result<void>> send_up(std::string_view bytes) {
    if (bytes.empty()) co_return Result<void>{};
    limit(upload_by_, settings_.stall_timeout);
    auto sent = upstream_->session ? co_await upstream_->session->send(bytes)
                                   : co_await io::write_all(upstream_->stream(), bytes);
    no_limit(upload_by_);
    if (!sent && !cancel_.requested()) sent.error().code = Code::unavailable;
    co_return sent;
  }

  // The reply.

  io::Task<Result<void>> read_reply_head() {
    const http::HeadLimits limits{.bytes = 64u << 10, .target = 0};
    for (int interim = 0; interim < kMostInterim; ++interim) {
      upstream_->next_message();
      http::Parsed parsed = http::parse_response(upstream_->unread(), reply_, limits);
      while (parsed.state == http::Parsed::State::need_more) {
        const std::size_t known = upstream_->unread().size();
        const auto state = upstream_->try_fill().state;
        if (state == io::Attempt::blocked)
          CO_TRY(co_await io::ready(upstream_->stream(), io::Direction::read));
        else if (state != io::Attempt::moved)
          co_return without_head(state);
        else if (may_be_whole(upstream_->unread(), known, limits))
          parsed = http::parse_response(upstream_->unread(), reply_, limits);
      }
      if (parsed.state == http::Parsed::State::refused) {
        co_return refuse(502, "The service gave an invalid answer.", "malformed reply: " + std::string(parsed.reason));
      }
      upstream_->pin(parsed.consumed);
      if (reply_.status == 101) {
        const bool right = websocket_ && http::same_name(reply_.upgrade, "websocket");
        if (right) co_return Result<void>{};
        co_return refuse(502, "The service gave an invalid answer.", "an upgrade that nobody asked for");
      }
      if (reply_.status >= 200) co_return Result<void>{};
      if (reply_.status > 101) CO_TRY(co_await pass_interim());
    }
    co_return refuse(502, "The service gave an invalid answer.", "too many interim replies");
  }

  io::Task<Result<void>> read_session_head() {
    UpstreamSession& session = *upstream_->session;
    auto read = co_await session.read_head(reply_);
    refused_ = !read && session.refused();
    stale_ = refused_ || (!read && session.unanswered());
    if (!read) co_return refused_by(session, std::move(read.error()));
    if (websocket_ && reply_.status / 100 == 2) accept_websocket();
    co_return read;
  }

  /// RFC 8441 5.1: HTTP/2 has neither the status nor the answer to the key, which the client awaits.
  void accept_websocket() {
    reply_.status = 101;
    reply_.framing = {};
    const std::string_view key = request_.head.fields.get("sec-websocket-key");
    reply_.fields.add({"Sec-WebSocket-Accept", request_.work.kept.emplace_back(http::websocket_accept(key))});
  }

  std::unexpected<Error> refused_by(const UpstreamSession& session, Error error) {
    const UpstreamSession::Refusal refusal = session.refusal();
    if (refusal.status != 0) return refuse(refusal.status, refusal.message, std::move(error.message));
    return std::unexpected(std::move(error));
  }

  /// RFC 9110 15.2: a proxy forwards interim replies, but for those that are between it and the upstream.
  io::Task<Result<void>> pass_interim() {
    clean_reply(reply_);
    CO_TRY(co_await sink_.interim(reply_));
    limit(reply_by_, answer_time(*outcome_.target, settings_));
    co_return Result<void>{};
  }

  std::unexpected<Error> without_head(io::Attempt::State state) {
    const bool nothing = upstream_->unread().empty();
    stale_ = nothing;
    if (state == io::Attempt::failed) return fail(upstream_->error());
    return fail(Code::unavailable, nothing ? "the upstream closed without a reply"
                                           : "the upstream closed in the middle of a reply's head");
  }

  io::Task<Result<void>> relay_reply() {
    const http::BodyKind body = http::body_of(reply_, request_.head.method);
    const bool keep = reply_.keep_alive && body.end != End::close;
    clean_reply(reply_);
    apply_reply_headers(request_.entry->with_middlewares(), reply_);
    no_limit(reply_by_);  // the sink has its own for a client that does not read
    began_ = true;
    if (upstream_->session) co_return co_await relay_session(body.end != End::none && upstream_->session->has_body());
    CO_TRY(co_await sink_.begin(reply_, body.end != End::none));
    CO_TRY(co_await relay_body(body));
    // Only a connection on which nothing more came and that both sides agree to keep is used again.
    reusable_ = keep && upstream_->unread().empty() && (upload_ == Upload::none || upload_ == Upload::done);
    co_return co_await sink_.end(nullptr);
  }

  io::Task<Result<void>> relay_body(const http::BodyKind& body) {
    http::BodyDecoder decoder(body);
    std::uint64_t left = body.end == End::length ? body.length : 0;
    while (true) {
      std::string_view input = upstream_->unread();
      const std::size_t before = input.size();
      const auto step = decoder.next(input);
      const std::size_t used = before - input.size();
      if (step.what == Step::data) CO_TRY(co_await sink_.data(step.data));
      upstream_->consume(used);
      if (step.what == Step::refused) co_return fail(Code::internal, "malformed body: " + std::string(step.reason));
      if (step.what == Step::end) co_return Result<void>{};
      left -= std::min<std::uint64_t>(left, used);
      if (left >= kLarge && upstream_->unread().empty()) {
        if (CO_TRY(co_await relay_directly(left))) co_return Result<void>{};
        left = 0;  // not possible here
      }
      if (step.what != Step::need_more) continue;
      if (CO_TRY(co_await more_reply(body.end == End::length))) continue;
      if (decoder.may_close()) co_return Result<void>{};
      co_return fail(Code::unavailable, kCut);
    }
  }

  /// From socket to socket inside the kernel; false: not possible here.
  io::Task<Result<bool>> relay_directly(std::uint64_t count) {
    if (request_.tap || !upstream_->stream().splices()) co_return false;
    CO_TRY(co_await sink_.flush());
    io::Stream* to = sink_.direct();
    if (!to) co_return false;
    const std::uint64_t moved = CO_TRY(co_await io::splice(upstream_->stream(), *to, count, settings_.stall_timeout));
    sink_.sent_directly(moved);
    if (moved < count) co_return fail(Code::unavailable, kCut);
    co_return true;
  }

  io::Task<Result<void>> relay_session(bool has_body) {
    UpstreamSession& session = *upstream_->session;
    CO_TRY(co_await sink_.begin(reply_, has_body));
    while (true) {
      if (!session.unread().empty()) CO_TRY(co_await sink_.data(session.unread()));
      session.consume();
      CO_TRY(co_await session.flush());  // the upstream may send more
      if (!session.waits()) {
        if (!CO_TRY(co_await session.more())) break;
        continue;
      }
      CO_TRY(co_await sink_.flush());
      if (reply_.framing.length) limit(reply_by_, settings_.stall_timeout);
      const bool more = CO_TRY(co_await session.more());
      no_limit(reply_by_);
      if (!more) break;
    }
    co_return co_await sink_.end(session.trailers());
  }

  /// What is there goes out before we wait: an event stream is never held back. A stream without end may be silent.
  io::Task<Result<bool>> more_reply(bool has_length) {
    CO_TRY(co_await sink_.flush());
    if (has_length) limit(reply_by_, settings_.stall_timeout);
    const auto more = co_await upstream_->fill();
    no_limit(reply_by_);
    co_return more;
  }

  // WebSocket.

  io::Task<Result<void>> tunnel() {
    clean_reply(reply_);
    apply_reply_headers(request_.entry->with_middlewares(), reply_);
    no_limit(reply_by_);
    began_ = true;
    CO_TRY(co_await sink_.upgrade(reply_));
    children_of().spawn(copy_back());
    const auto copied = co_await tunnel_up(body_, *upstream_);
    // The other direction may finish, but not hold both connections for ever.
    if (copied)
      limit(reply_by_, settings_.stall_timeout);
    else
      cancel_.request(Code::cancelled);
    co_return co_await back_.wait();
  }

  io::Task<void> copy_back() {
    const auto copied = co_await tunnel_down(*upstream_, sink_);
    if (copied)
      limit(reply_by_, settings_.stall_timeout);
    else
      cancel_.request(Code::cancelled);
    back_.set();
  }

  /// Why nothing was sent to the client, when nobody said so yet.
  void explain(const Error& error) {
    outcome_.detail = error.message;
    if (client_gone_) return;
    if (body_late_) {
      outcome_.own_status = 408;
      outcome_.message = "The request's body came too slowly.";
    } else if (timed_out_) {
      outcome_.own_status = 504;
      outcome_.message = "The service did not answer in time.";
    } else if (cancel_.why() == Code::unavailable) {
      outcome_.own_status = 503;
      outcome_.message = "The service is about to be replaced. Try again in a moment.";
    } else if (!cancel_.requested()) {
      outcome_.own_status = 502;
      outcome_.message = "The service closed the connection without an answer.";
    }
  }

  Shared& shared_;
  Request& request_;
  BodySource& body_;
  ReplySink& sink_;
  http::ResponseHead& reply_;
  const Settings& settings_;
  const Service& service_;
  io::Cancel cancel_;
  std::optional<io::Scope> scope_;
  Clock clock_;
  Watch watch_;
  const io::Time begun_;
  io::Time looks_at_;  ///< when `watch_` expires
  io::Time clock_at_ = io::Time::max(), reply_by_ = io::Time::max(), upload_by_ = io::Time::max();
  const bool trusted_, websocket_;
  Upload upload_;
  bool over_ = false, stale_ = false, refused_ = false, watching_ = false, timed_out_ = false, body_late_ = false,
       client_gone_ = false, began_ = false, reusable_ = false, lasting_ = false,
       body_left_ = false;  ///< more of the body was sent than can be sent again
  int refusals_ = 0;
  io::Event back_;
  UpstreamPool::Connection upstream_;
  UpstreamPool::Use use_;
  Outcome outcome_;
};

}  // namespace

io::Task<Outcome> exchange(Request& request, ReplySink& reply) {
  Exchange one(request, reply, co_await io::here());
  auto talked = co_await one.talk().under(one.cancel());
  if (io::Scope* children = one.children()) co_await children->join();
  co_return one.finish(std::move(talked));
}

}  // namespace berth::edge
