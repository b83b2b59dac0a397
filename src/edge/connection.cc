#include "edge/connection.h"

#include <algorithm>

#include "base/text.h"
#include "edge/client_certificate.h"
#include "edge/front.h"
#include "edge/h1_client.h"
#include "edge/h2_connection.h"
#include "edge/shared.h"
#include "io/scope.h"

namespace berth::edge {
namespace {

using http::Parsed;

constexpr std::size_t kMostRest = 64u << 10;  // read from a client that gets no other reply
constexpr auto kLinger = std::chrono::seconds(1);

io::Task<Result<void>> read_rest(io::Stream& stream) {
  char bytes[2048];
  for (std::size_t total = 0; total < kMostRest;) {
    const std::size_t count = CO_TRY(co_await io::read_some(stream, bytes));
    if (count == 0) break;
    total += count;
  }
  co_return Result<void>{};
}

/// Closing with unread bytes resets the connection, and the client may lose our last reply (RFC 9112 9.6).
io::Task<void> linger(io::Stream& stream) {
  stream.shutdown_write();
  const auto read = co_await io::within(kLinger, read_rest(stream));
  static_cast<void>(read);
  stream.close();
}

/// Ends a client's wait for its next request.
class IdleClient final : public io::Delayed {
 public:
  explicit IdleClient(io::Stream& stream) : stream_(stream) {}
  bool is_late() const { return late_; }
  /// It sent something.
  void served() {
    remove();
    late_ = false;
  }

 private:
  void expired() override {
    late_ = true;
    stream_.waiters(io::Direction::read).wake_all();
  }
  io::Stream& stream_;
  bool late_ = false;
};

/// The next request's head, pinned in the wire; need_more: the client is gone.
io::Task<Result<Parsed>> read_head(http::Wire& wire, http::RequestHead& head, const http::HeadLimits& limits) {
  Parsed parsed = http::parse_request(wire.unread(), head, limits);
  while (parsed.state == Parsed::State::need_more) {
    const std::size_t known = wire.unread().size();
    if (!CO_TRY(co_await wire.fill())) co_return parsed;
    const std::string_view unread = wire.unread();
    const bool full = unread.size() >= limits.bytes || unread.size() > limits.target;
    if (!full && unread.find('\n', known) == std::string_view::npos) continue;
    parsed = http::parse_request(unread, head, limits);
  }
  if (parsed.state == Parsed::State::complete) wire.pin(parsed.consumed);
  co_return parsed;
}

class Connection {
 public:
  Connection(Shared& shared, std::unique_ptr<io::Stream> stream, Hop& hop, io::Cancel& idle)
      : shared_(shared), wire_(std::move(stream)), waiting_(wire_.stream()), hop_(hop), idle_(idle) {}

  http::Wire& wire() { return wire_; }
  /// Whether bytes of the next request are here.
  io::Attempt::State look() {
    const auto state = wire_.unread().empty() ? wire_.try_fill().state : io::Attempt::moved;
    if (state == io::Attempt::moved) waiting_.served();
    return state == io::Attempt::blocked && waiting_.is_late() ? io::Attempt::end : state;
  }
  /// Until there may be more, or for as long as a client may be idle.
  io::Ready more() {
    if (!waiting_.waiting()) shared_.idle.add(waiting_);
    return {wire_.stream(), io::Direction::read, &idle_};
  }

  /// Serves a client that begins with HTTP/2; false when it does not.
  io::Task<bool> serve_h2() {
    if (!co_await speaks_h2()) co_return false;
    auto [stream, early] = wire_.release();
    hop_.http2 = true;
    co_await serve_h2_client(shared_, {std::move(stream), std::move(early), std::move(hop_)}, idle_);
    co_return true;
  }

  /// Whether the client begins with HTTP/2 (RFC 9113 3.3); nothing is consumed.
  io::Task<bool> speaks_h2() {
    auto state = look();
    for (; state == io::Attempt::blocked; state = look())
      if (!co_await more()) co_return false;
    if (state != io::Attempt::moved) co_return false;
    while (wire_.unread().size() < kH2Preface.size() && kH2Preface.starts_with(wire_.unread())) {
      const auto more = co_await io::within(shared_.live->settings().header_timeout, wire_.fill());
      if (!more || !*more) co_return false;
    }
    co_return wire_.unread().starts_with(kH2Preface);
  }

  io::Task<bool> serve_one() {
    const WorkspaceLease work(shared_);
    auto live = shared_.live;
    const Settings& settings = live->settings();
    const http::HeadLimits limits{.bytes = settings.header_bytes,
                                  .target = std::min<std::size_t>(16u << 10, settings.header_bytes),
                                  .fields = std::min(settings.header_count, http::Fields::kMost)};
    Result<Parsed> parsed = http::parse_request(wire_.unread(), work->head, limits);
    if (parsed->state == Parsed::State::complete) {
      wire_.pin(parsed->consumed);
    } else if (parsed->state == Parsed::State::need_more) {
      parsed = co_await io::within(settings.header_timeout, read_head(wire_, work->head, limits));
    }
    if (!parsed && parsed.error().code == Code::timeout) {
      parsed = Parsed{.state = Parsed::State::refused, .status = 408, .reason = "the request's head came too slowly"};
    }
    if (!parsed || parsed->state == Parsed::State::need_more) co_return false;
    // What this request sees, whatever is swapped from here on; its head may have been long on its way.
    live = shared_.live;
    co_return co_await serve_head(*live, *work, *parsed);
  }

 private:
  io::Task<bool> serve_head(const Live& live, Workspace& work, const Parsed& parsed) {
    const bool readable = parsed.state == Parsed::State::complete;
    if (!readable) {
      work.head = {};
      work.head.keep_alive = false;
    }
    Tally tally;
    H1Client client({.wire = wire_,
                     .head = work.head,
                     .out = work.to_client,
                     .tally = tally,
                     .settings = live.settings(),
                     .draining = shared_.draining});
    Request request{.shared = shared_,
                    .live = live,
                    .hop = hop_,
                    .work = work,
                    .head = work.head,
                    .rewritten = work.rewritten,
                    .body = &client,
                    .tally = tally};
    // Where the request after one that does not parse would begin is unknown, so the connection ends.
    const Outcome outcome =
        readable ? co_await answer(request, client)
                 : co_await answer_unread(
                       request, client,
                       {.own_status = parsed.status, .message = parsed.reason, .detail = std::string(parsed.reason)});
    if (client.may_go_on()) co_return true;
    const bool whole = tally.complete && (outcome.own_status != 0 || outcome.detail.empty());
    if (whole) co_await linger(wire_.stream());
    co_return false;
  }

  Shared& shared_;
  http::Wire wire_;
  IdleClient waiting_;
  Hop& hop_;
  io::Cancel& idle_;
};

Hop hop_of(const Shared& shared, const io::Stream& stream, Listener listener) {
  const std::string peer = stream.peer();
  const auto ip = parse_ip(cut_last(peer, ':').before);
  Hop hop{.listener = listener, .peer = ip ? *ip : Ip{}, .peer_text = {}, .server = shared.server};
  hop.peer_text = ip ? ip->text() : "unknown";
  return hop;
}

/// The frame that an idle connection holds beside its stream: what it needs only at times is in coroutines of their
/// own.
io::Task<void> serve_http(Shared& shared, std::unique_ptr<io::Stream> stream, Hop hop, io::Cancel& idle, Attendance) {
  Connection connection(shared, std::move(stream), hop, idle);
  if (hop.listener == Listener::web && co_await connection.serve_h2()) co_return;
  connection.wire().next_message();
  while (true) {
    const auto state = connection.look();
    if (state == io::Attempt::blocked) {
      if (!co_await connection.more()) break;
      continue;
    }
    if (state != io::Attempt::moved || !co_await connection.serve_one()) break;
    connection.wire().next_message();
  }
  connection.wire().stream().close();
}

/// Null when it failed.
io::Task<std::unique_ptr<io::TlsStream>> secured(Shared& shared, std::unique_ptr<io::Stream> stream,
                                                 std::shared_ptr<io::TlsContext> context) {
  const io::Duration most = shared.live->settings().header_timeout;
  auto secure = io::tls_over(std::move(stream), std::move(context));
  const auto shaken = co_await io::within(most, secure->handshake());
  ++(shaken ? shared.metrics.handshakes : shared.metrics.handshakes_failed);
  if (shaken) co_return secure;
  secure->close();
  co_return nullptr;
}

io::Task<void> attended(io::Task<void> connection, Attendance) {
  co_await std::move(connection);
}

io::Task<void> serve_secured(Serving serving, std::unique_ptr<io::TlsStream> secure, Attendance attendance) {
  Shared& shared = serving.shared;
  Hop hop = hop_of(shared, *secure, Listener::websecure);
  hop.tls_policy = secure->policy();
  if (hop.tls_policy) hop.certificate = ClientCertificate::from_der(secure->peer_certificate());
  hop.tls_version = secure->version();
  hop.http2 = secure->protocol() == "h2";
  if (!hop.http2) return serve_http(shared, std::move(secure), std::move(hop), serving.idle, std::move(attendance));
  return attended(serve_h2_client(shared, {std::move(secure), {}, std::move(hop)}, serving.idle),
                  std::move(attendance));
}

}  // namespace

io::Task<void> serve_client(Shared& shared, std::unique_ptr<io::Stream> stream, Listener listener, io::Cancel& idle,
                            Attendance attendance) {
  Hop hop = hop_of(shared, *stream, listener);
  return serve_http(shared, std::move(stream), std::move(hop), idle, std::move(attendance));
}

io::Task<void> serve_tls_client(Serving serving, std::unique_ptr<io::Stream> stream,
                                std::shared_ptr<io::TlsContext> context, Attendance attendance) {
  auto secure = co_await secured(serving.shared, std::move(stream), std::move(context));
  if (secure) serving.clients.spawn(serve_secured(serving, std::move(secure), std::move(attendance)));
}

}  // namespace berth::edge
