#include "edge/front.h"

#include <algorithm>

#include "edge/cleaning.h"
#include "edge/page.h"
#include "edge/path.h"
#include "edge/shared.h"
#include "edge/step.h"
#include "edge/trace.h"

namespace berth::edge {
namespace {

io::Task<Result<void>> send_page(Request& request, ReplySink& reply, const Outcome& outcome, http::Field extra = {}) {
  http::ResponseHead& head = request.work.reply;
  const std::string body = make_own_reply({.status = outcome.own_status,
                                           .message = outcome.message,
                                           .accept = request.head.fields.get("accept"),
                                           .location = outcome.location},
                                          head);
  if (!extra.name.empty()) head.fields.add(extra);
  request.body->abandon_running();
  const bool has_body = request.head.method != "HEAD";
  CO_TRY(co_await reply.begin(head, has_body));
  if (has_body) CO_TRY(co_await reply.data(body));
  co_return co_await reply.end(nullptr);
}

Outcome own(int status, std::string_view message) {
  return {.own_status = status, .message = message};
}

Outcome without_route(const Request& request, const RequestFacts& facts) {
  const Live& live = request.live;
  const bool secure = request.hop.listener == Listener::web && live.routes().find(Listener::websecure, facts);
  if (live.version() == 0) return own(503, "This server has no routes yet.");
  if (!secure) return own(404, "No service is published under this address.");
  std::string target(facts.path);
  if (!facts.query.empty()) target.append("?").append(facts.query);
  const bool plain = facts.method == "GET" || facts.method == "HEAD";
  Outcome outcome = own(plain ? 301 : 308, "This address is served over https.");
  outcome.location = redirect_location("https", facts.host, std::to_string(live.settings().public_https_port), target);
  return outcome;
}

/// Fills in what handlers need; `own_status` is set when there is nothing to handle.
Outcome decide(Request& request) {
  const http::RequestHead& head = request.head;
  const Live& live = request.live;
  if (head.method == "CONNECT" || head.method == "TRACE" || head.form == http::Form::authority) {
    return own(405, "This method is not available here.");
  }
  if (head.form == http::Form::asterisk) return own(400, "The target * is not served here.");
  const auto host = request_host(head.authority, request.work.host);
  if (!host) return own(400, "The Host field does not name a host.");
  request.host = *host;
  const auto path = canonical_path(head.path, request.work.path);
  if (!path) return own(400, "The path is ambiguous.");
  request.path = *path;
  if (request.hop.listener == Listener::web) {
    if (const std::string* proof = live.http_challenge(*host, *path)) return own(200, *proof);
  }
  // Whoever was let in under the rules of one name must not reach another by it (RFC 9110 15.5.20); nor go on under
  // rules that were changed.
  if (request.hop.listener == Listener::websecure && live.tls_policy(*host) != request.hop.tls_policy)
    return own(421, "This host is not served on this connection.");
  request.client = client_address(request.hop, head.fields, live.trusted());
  const RequestFacts facts{.host = *host,
                           .method = head.method,
                           .path = *path,
                           .query = head.query,
                           .client = request.client,
                           .headers = &head.fields};
  request.entry = live.routes().find(request.hop.listener, facts, &request.rank);
  if (!request.entry) return without_route(request, facts);
  const std::size_t most = live.settings().body_bytes;
  if (most > 0 && head.framing.length.value_or(0) > most) {
    return own(413, "The request's body is larger than this server accepts.");
  }
  request.service = request.entry->service.get();
  request.rewritten.begin(request.path);
  return {};
}

void report(const Request& request, const Outcome& outcome) {
  Shared& shared = request.shared;
  const bool upstream = outcome.own_status >= 502 && request.entry && outcome.target;
  const io::Time now = shared.loop.now();
  if (!upstream || !shared.event || now - shared.reported < std::chrono::seconds(1)) return;
  shared.reported = now;
  shared.event({.kind = EdgeEvent::Kind::upstream_failed, .subject = request.service->name, .detail = outcome.detail});
}

std::string_view protocol_of(const Request& request) {
  if (request.hop.http2) return "HTTP/2";
  return request.head.minor == 0 ? "HTTP/1.0" : "HTTP/1.1";
}

void count(const Request& request, std::chrono::microseconds took) {
  const Tally& tally = request.tally;
  RouteCounts& counts = request.entry ? request.shared.counts_of(request) : request.shared.metrics.of("", "");
  const Spoken spoken = tally.status == 101 ? Spoken::websocket : request.hop.http2 ? Spoken::http2 : Spoken::http1;
  const auto code = static_cast<std::size_t>(std::clamp(tally.status / 100, 0, 5));
  ++counts.replies[static_cast<std::size_t>(spoken)][code];
  counts.received += tally.received;
  counts.sent += tally.sent;
  if (spoken != Spoken::websocket) counts.took.note(static_cast<std::uint64_t>(took.count()));
}

AccessEvent event_of(const Request& request, const Outcome& outcome, std::chrono::microseconds took) {
  const http::Fields& fields = request.head.fields;
  const std::string_view parent = fields.get("traceparent"), id = fields.get("x-request-id");
  return {.client = request.hop.peer_text,
          .method = request.head.method,
          .scheme = request.hop.scheme(),
          .host = request.host,
          .path = request.path,
          .status = request.tally.status,
          .sent = request.tally.sent,
          .received = request.tally.received,
          .duration = took,
          .route = request.entry ? std::string_view(request.entry->route.name) : std::string_view(),
          .target = outcome.target ? std::string_view(outcome.target->target) : std::string_view(),
          .cache = outcome.cache,
          .protocol = protocol_of(request),
          .tls = request.hop.tls_version,
          .agent = fields.get("user-agent"),
          .request_id = is_request_id(id) ? id : std::string_view(),
          .trace_id = is_traceparent(parent) ? trace_id_of(parent) : std::string_view(),
          .upstream = std::chrono::duration_cast<std::chrono::microseconds>(outcome.upstream),
          .retries = outcome.retries,
          .error = outcome.detail};
}

/// Counts and tells what came of a request.
void note(const Request& request, const Outcome& outcome, io::Time begun) {
  Shared& shared = request.shared;
  const io::Time now = shared.loop.now();
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(now - begun);
  const Routes::Entry* entry = request.entry;
  if (!entry || entry->counted) count(request, took);
  const bool logged = shared.access && (!entry || entry->logged), watched = now < shared.watch_until;
  if (!logged && !watched) return;
  const AccessEvent event = event_of(request, outcome, took);
  if (logged) shared.access(event);
  if (watched) shared.watch(event);
}

/// Gives the request what it is followed by; what a client sent is kept when it is right.
void trace(Request& request) {
  http::Fields& fields = request.head.fields;
  const auto drop = [&fields](std::string_view name) {
    fields.remove_if([name](const http::Field& each) { return http::same_name(each.name, name); });
  };
  auto& random = request.shared.random;
  if (!is_traceparent(fields.get("traceparent"))) {
    drop("traceparent");
    drop("tracestate");  // of a trace that is not this one
    fields.add({"traceparent", request.keep(make_traceparent(random(), random(), random()))});
  }
  if (!is_request_id(fields.get("x-request-id"))) {
    drop("x-request-id");
    fields.add({"x-request-id", trace_id_of(fields.get("traceparent"))});
  }
}

}  // namespace

bool Request::wants_websocket() const {
  return head.method == "GET" && http::same_name(head.upgrade, "websocket") &&
         http::body_of(head).end == http::BodyKind::End::none;
}

io::Task<Result<void>> ReplySink::interim(http::ResponseHead&) {
  co_return Result<void>{};
}

io::Task<Outcome> answered(Outcome outcome) {
  co_return outcome;
}

io::Task<Outcome> answer(Request& request, ReplySink& reply) {
  const io::Time begun = request.shared.loop.now();
  clean_request(request.head, is_trusted(request.hop.peer, request.live.trusted()));
  Outcome outcome = decide(request);
  const Running running(request.shared.running, request, begun);
  if (outcome.own_status == 0) {
    if (request.live.settings().tracing && request.entry->traced) trace(request);
    outcome = co_await request.entry->handler->handle(request, reply);
    report(request, outcome);
  }
  if (outcome.own_status != 0) {
    const auto sent = co_await send_page(request, reply, outcome);
    static_cast<void>(sent);  // the tally says whether it went out
  }
  note(request, outcome, begun);
  co_return outcome;
}

io::Task<Outcome> answer_with(Request& request, ReplySink& reply, Outcome outcome, http::Field extra) {
  const auto sent = co_await send_page(request, reply, outcome, extra);
  static_cast<void>(sent);  // the tally says whether it went out
  outcome.own_status = 0;
  co_return outcome;
}

io::Task<Outcome> answer_closed(Request& request, ReplySink& reply, Closure closure) {
  http::ResponseHead& head = request.work.reply;
  const std::string retry = std::to_string(closure.retry_after), text = std::string(closure.message) + "\n";
  head.status = 503;
  head.framing = {.chunked = false, .length = text.size()};
  head.fields.clear();
  head.fields.add({"Content-Type", "text/plain; charset=utf-8"});
  head.fields.add({"Cache-Control", "no-store"});
  head.fields.add({"X-Content-Type-Options", "nosniff"});
  head.fields.add({"Retry-After", retry});
  request.body->abandon_running();
  const bool has_body = request.head.method != "HEAD";
  auto sent = co_await reply.begin(head, has_body);
  if (sent && has_body) sent = co_await reply.data(text);
  if (sent) sent = co_await reply.end(nullptr);
  co_return Outcome{.detail = std::string(closure.detail)};
}

io::Task<Outcome> answer_unread(Request& request, ReplySink& reply, Outcome outcome) {
  const auto sent = co_await send_page(request, reply, outcome);
  static_cast<void>(sent);
  note(request, outcome, request.shared.loop.now());
  co_return outcome;
}

}  // namespace berth::edge
