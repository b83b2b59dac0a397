#include "edge/connection.h"

#include <algorithm>

#include "base/text.h"
#include "edge/page.h"
#include "edge/path.h"
#include "io/scope.h"

namespace berth::edge {
namespace {

using http::Parsed;

constexpr std::size_t kMostSkip = 64u << 10;  // of a body that nobody reads; beyond it closing is cheaper
constexpr auto kLinger = std::chrono::seconds(1);

io::Task<Result<void>> read_rest(io::Stream& stream) {
  char bytes[2048];
  for (std::size_t total = 0; total < kMostSkip;) {
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

/// The next request's head, pinned in the wire; need_more: the client is gone.
io::Task<Result<Parsed>> read_head(Client& client, const http::HeadLimits& limits) {
  http::Wire& wire = client.wire;
  Parsed parsed = http::parse_request(wire.unread(), client.head, limits);
  while (parsed.state == Parsed::State::need_more) {
    const std::size_t known = wire.unread().size();
    if (!CO_TRY(co_await wire.fill())) co_return parsed;
    const std::string_view unread = wire.unread();
    const bool full = unread.size() >= limits.bytes || unread.size() > limits.target;
    if (!full && unread.find('\n', known) == std::string_view::npos) continue;
    parsed = http::parse_request(unread, client.head, limits);
  }
  if (parsed.state == Parsed::State::complete) wire.pin(parsed.consumed);
  co_return parsed;
}

/// Reads a body that no upstream got, if it is small; whether the next request can follow.
io::Task<bool> skip_body(Client& client) {
  const http::BodyKind kind = http::body_of(client.head);
  if (kind.end == http::BodyKind::End::none) co_return true;
  // A client that waits for "100 Continue" may send its body or not: only closing is unambiguous.
  if (client.head.expect_continue || kind.length > kMostSkip) co_return false;
  http::BodyPump pump(client.wire, kind);
  for (std::size_t total = 0; total <= kMostSkip;) {
    const auto piece = co_await pump.next();
    if (!piece) co_return false;
    if (piece->empty()) co_return true;
    total += piece->size();
  }
  co_return false;
}

/// What one request came to, for the log.
struct Handled {
  Ended ended;
  const Routes::Entry* entry = nullptr;
  std::string_view host, path;
};

class Connection {
 public:
  Connection(Shared& shared, Client& client, io::Cancel& idle) : shared_(shared), client_(client), idle_(idle) {}

  io::Task<void> serve() {
    while (true) {
      client_.wire.next_message();
      if (!co_await await_request()) break;
      if (!co_await serve_one()) break;
      if (shared_.draining) break;
    }
    client_.wire.stream().close();
  }

 private:
  io::Task<bool> await_request() {
    if (!client_.wire.unread().empty()) co_return true;
    const auto begun = co_await io::within(shared_.live->settings().idle_timeout, client_.wire.fill()).under(idle_);
    co_return begun && *begun;
  }

  io::Task<bool> serve_one() {
    auto live = shared_.live;
    const Settings& settings = live->settings();
    const http::HeadLimits limits{.bytes = settings.header_bytes,
                                  .target = std::min<std::size_t>(16u << 10, settings.header_bytes),
                                  .fields = std::min(settings.header_count, http::Fields::kMost)};
    Result<Parsed> parsed = http::parse_request(client_.wire.unread(), client_.head, limits);
    if (parsed->state == Parsed::State::complete) {
      client_.wire.pin(parsed->consumed);
    } else if (parsed->state == Parsed::State::need_more) {
      parsed = co_await io::within(settings.header_timeout, read_head(client_, limits));
    }
    if (!parsed && parsed.error().code == Code::timeout) {
      parsed = Parsed{.state = Parsed::State::refused, .status = 408, .reason = "the request's head came too slowly"};
    }
    if (!parsed || parsed->state == Parsed::State::need_more) co_return false;
    if (parsed->state == Parsed::State::refused) co_return co_await refuse_head(*parsed);
    const io::Time begun = shared_.loop.now();
    // What this request sees, whatever is swapped from here on; its head may have been long on its way.
    live = shared_.live;
    Handled handled;
    const bool keep = co_await handle(*live, handled);
    if (shared_.access) log(handled, begun);
    co_return keep;
  }

  /// A head that does not parse: where the next request would begin is unknown, so the connection ends.
  io::Task<bool> refuse_head(const Parsed& parsed) {
    client_.head = {};
    Handled handled;
    handled.ended.own_status = parsed.status;
    handled.ended.message = parsed.reason;
    handled.ended.detail = parsed.reason;
    const auto sent = co_await send_own(handled.ended, false);
    if (shared_.access) log(handled, shared_.loop.now());
    if (sent) co_await linger(client_.wire.stream());
    co_return false;
  }

  io::Task<bool> handle(const Live& live, Handled& handled) {
    if (decide(live, handled)) {
      handled.ended = co_await exchange(shared_, client_, live, *handled.entry);
      report(handled);
    } else {
      handled.ended.body_left = true;
    }
    Ended& ended = handled.ended;
    if (ended.own_status == 0) {
      if (ended.keep_alive) co_return true;
      if (ended.status != 0 && ended.detail.empty()) co_await linger(client_.wire.stream());
      co_return false;
    }
    const bool skipped =
        ended.body_left ? co_await skip_body(client_) : http::body_of(client_.head).end == http::BodyKind::End::none;
    const bool keep = skipped && client_.head.keep_alive && client_.head.minor == 1 && !shared_.draining;
    const auto sent = co_await send_own(ended, keep);
    if (sent && !keep) co_await linger(client_.wire.stream());
    co_return sent&& keep;
  }

  io::Task<bool> send_own(Ended& ended, bool keep) {
    client_.out.clear();
    append_own_reply(client_.out, {.status = ended.own_status,
                                   .message = ended.message,
                                   .accept = client_.head.fields.get("accept"),
                                   .location = location_,
                                   .head_only = client_.head.method == "HEAD",
                                   .keep_alive = keep});
    ended.status = ended.own_status;
    co_return (co_await io::within(kWrite, io::write_all(client_.wire.stream(), client_.out))).has_value();
  }

  bool answer(Handled& handled, int status, std::string_view message) {
    handled.ended.own_status = status;
    handled.ended.message = message;
    return false;
  }

  /// Whether the request goes to an upstream; else the answer is in `handled`.
  bool decide(const Live& live, Handled& handled) {
    const http::RequestHead& head = client_.head;
    location_.clear();
    if (head.method == "CONNECT" || head.method == "TRACE" || head.form == http::Form::authority) {
      return answer(handled, 405, "This method is not available here.");
    }
    if (head.form == http::Form::asterisk) return answer(handled, 400, "The target * is not served here.");
    const auto host = request_host(head.authority, client_.host_storage);
    if (!host) return answer(handled, 400, "The Host field does not name a host.");
    handled.host = *host;
    const auto path = canonical_path(head.path, client_.path_storage);
    if (!path) return answer(handled, 400, "The path is ambiguous.");
    handled.path = *path;
    if (client_.hop.listener == Listener::web) {
      if (const std::string* proof = live.http_challenge(*host, *path)) return answer(handled, 200, *proof);
    }
    const RequestFacts facts{.host = *host,
                             .method = head.method,
                             .path = *path,
                             .query = head.query,
                             .client = client_address(client_.hop, head.fields, live.trusted()),
                             .headers = &head.fields};
    handled.entry = live.routes().find(client_.hop.listener, facts);
    if (!handled.entry) return without_route(live, facts, handled);
    return with_route(live, facts.client, handled);
  }

  bool is_within_rates(const Route& route, const Ip& client) {
    return std::ranges::all_of(route.middlewares, [&](const Middleware& each) {
      const auto* limit = std::get_if<RateLimit>(&each.action);
      return !limit || shared_.limiter.allow(*limit, each.name, client, shared_.loop.now());
    });
  }

  bool without_route(const Live& live, const RequestFacts& facts, Handled& handled) {
    const bool secure = client_.hop.listener == Listener::web && live.routes().find(Listener::websecure, facts);
    if (live.version() == 0) return answer(handled, 503, "This server has no routes yet.");
    if (!secure) return answer(handled, 404, "No service is published under this address.");
    std::string target(facts.path);
    if (!facts.query.empty()) target.append("?").append(facts.query);
    location_ = redirect_location("https", facts.host, std::to_string(live.settings().public_https_port), target);
    const bool plain = facts.method == "GET" || facts.method == "HEAD";
    return answer(handled, plain ? 301 : 308, "This address is served over https.");
  }

  bool with_route(const Live& live, const Ip& client, Handled& handled) {
    if (!is_within_rates(handled.entry->route, client)) {
      return answer(handled, 429, "Too many requests. Try again in a moment.");
    }
    const std::size_t most = live.settings().body_bytes;
    if (most > 0 && client_.head.framing.length.value_or(0) > most) {
      return answer(handled, 413, "The request's body is larger than this server accepts.");
    }
    Verdict verdict =
        apply_middlewares(handled.entry->route, client_.head, handled.path, client_.hop, client_.rewritten);
    if (verdict.status >= 400) return answer(handled, verdict.status, verdict.reason);
    if (verdict.status != 0) {
      location_ = std::move(verdict.location);
      return answer(handled, verdict.status, "This address is served elsewhere.");
    }
    if (handled.entry->service->upstreams.empty()) {
      handled.ended.detail = handled.entry->service->down;
      return answer(handled, 503, "The service has no running instance right now.");
    }
    return true;
  }

  void report(const Handled& handled) {
    const bool upstream = handled.ended.own_status >= 502 && handled.entry;
    const io::Time now = shared_.loop.now();
    if (!upstream || !shared_.event || now - shared_.reported < std::chrono::seconds(1)) return;
    shared_.reported = now;
    shared_.event({.kind = EdgeEvent::Kind::upstream_failed,
                   .subject = handled.entry->service->name,
                   .detail = handled.ended.detail});
  }

  void log(const Handled& handled, io::Time begun) {
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(shared_.loop.now() - begun);
    shared_.access(
        {.client = client_.hop.peer_text,
         .method = client_.head.method,
         .scheme = client_.hop.scheme(),
         .host = handled.host,
         .path = handled.path,
         .status = handled.ended.status,
         .sent = handled.ended.sent,
         .received = handled.ended.received,
         .duration = took,
         .route = handled.entry ? std::string_view(handled.entry->route.name) : std::string_view(),
         .target = handled.ended.target ? std::string_view(handled.ended.target->target) : std::string_view(),
         .error = handled.ended.detail});
  }

  static constexpr auto kWrite = std::chrono::seconds(10);  // for an own reply of a few hundred bytes

  Shared& shared_;
  Client& client_;
  io::Cancel& idle_;
  std::string location_;
};

Hop hop_of(const Shared& shared, const io::Stream& stream, Listener listener) {
  const std::string peer = stream.peer();
  const auto ip = parse_ip(cut_last(peer, ':').before);
  Hop hop{.listener = listener, .peer = ip ? *ip : Ip{}, .peer_text = {}, .server = shared.server};
  hop.peer_text = ip ? ip->text() : "unknown";
  return hop;
}

}  // namespace

io::Task<void> serve_client(Shared& shared, std::unique_ptr<io::Stream> stream, Listener listener, io::Cancel& idle) {
  const Hop hop = hop_of(shared, *stream, listener);
  const auto client = std::make_unique<Client>(std::move(stream), hop);
  Connection connection(shared, *client, idle);
  co_await connection.serve();
}

io::Task<void> serve_tls_client(Shared& shared, std::unique_ptr<io::Stream> stream,
                                std::shared_ptr<io::TlsContext> context, io::Cancel& idle) {
  const io::Duration most = shared.live->settings().header_timeout;
  auto secure = io::tls_over(std::move(stream), std::move(context));
  const auto shaken = co_await io::within(most, secure->handshake());
  if (!shaken) {
    secure->close();
    co_return;
  }
  co_await serve_client(shared, std::move(secure), Listener::websecure, idle);
}

}  // namespace berth::edge
