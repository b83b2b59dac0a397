#include "http/server.h"

#include "base/json.h"
#include "io/scope.h"

namespace berth::http {
namespace {

constexpr std::size_t kMostDrain = 64u << 10;
constexpr io::Duration kLinger = std::chrono::seconds(1);

std::string error_text(std::string_view message) {
  return Json::object({{"message", message}}).dump() + "\n";
}

// The next request's head, pinned in the wire. `refused` parses as they are; need_more: the peer is gone.
io::Task<Result<Parsed>> read_head(Wire& wire, RequestHead& head, const ServerOptions& options) {
  Parsed parsed = parse_request(wire.unread(), head, options.head, options.host);
  while (parsed.state == Parsed::State::need_more) {
    const std::size_t known = wire.unread().size();
    if (!CO_TRY(co_await wire.fill())) co_return parsed;
    const std::string_view unread = wire.unread();
    const bool full = unread.size() >= options.head.bytes || unread.size() > options.head.target;
    if (!full && unread.find('\n', known) == std::string_view::npos) continue;
    parsed = parse_request(unread, head, options.head, options.host);
  }
  if (parsed.state == Parsed::State::complete) wire.pin(parsed.consumed);
  co_return parsed;
}

io::Task<Result<void>> drain(io::Stream& stream) {
  char bytes[4096];
  for (std::size_t total = 0; total < kMostDrain;) {
    const std::size_t count = CO_TRY(co_await io::read_some(stream, bytes));
    if (count == 0) break;
    total += count;
  }
  co_return Result<void>{};
}

// Closing with unread bytes resets the connection, and the peer may lose our last reply (RFC 9112 9.6).
io::Task<void> linger(Wire& wire) {
  wire.stream().shutdown_write();
  const auto drained = co_await io::within(kLinger, drain(wire.stream()));
  if (!drained) wire.stream().close();
}

io::Task<Result<void>> refuse(Wire& wire, const Parsed& parsed) {
  RequestHead head;
  ResponseWriter response(wire, head, false);
  CO_TRY(co_await response.send(parsed.status, {{"Content-Type", "application/json"}}, error_text(parsed.reason)));
  co_await linger(wire);
  co_return Result<void>{};
}

// Reads what the handler left of the body, if that is little; whether another request may follow.
io::Task<bool> skip_body(ServerRequest& request) {
  for (std::size_t total = 0; !request.finished() && total < kMostDrain;) {
    const auto piece = co_await request.next();
    if (!piece) co_return false;
    total += piece->size();
  }
  co_return request.finished();
}

// One request; whether another one may follow.
io::Task<Result<bool>> serve_request(Wire& wire, const RequestHead& head, const Handler& handler, io::Duration stall) {
  ServerRequest request(head, wire, stall);
  ResponseWriter response(wire, head, head.keep_alive && head.minor == 1);
  auto outcome = co_await handler(request, response);
  if (response.taken()) co_return false;
  if (!outcome && response.started()) co_return fail(std::move(outcome).error());
  if (!response.started()) {
    if (outcome) outcome = fail(Code::internal, "the handler sent no reply");
    const Error& error = outcome.error();
    const int status = status_of(error.code);
    CO_TRY(co_await response.send_json(status, error_text(error.message)));
  }
  if (!response.complete()) co_return false;
  // A client that was not told to send its body may send it or not: only closing is unambiguous.
  const bool keep = response.keeps_alive() && !request.owes_continue();
  if (keep && co_await skip_body(request)) co_return true;
  co_await linger(wire);
  co_return false;
}

io::Task<Result<bool>> await_request(Wire& wire, io::Duration idle) {
  if (!wire.unread().empty()) co_return true;
  co_return co_await io::within(idle, wire.fill());
}

io::Task<void> serve_quietly(std::unique_ptr<io::Stream> stream, const Handler& handler, ServerOptions options) {
  // How one connection ends is its peer's matter; a failing handler answered with its error.
  const auto outcome = co_await serve_connection(std::move(stream), handler, options);
  static_cast<void>(outcome);
}

}  // namespace

ServerRequest::ServerRequest(const RequestHead& head, Wire& wire, io::Duration stall)
    : head_(head),
      wire_(wire),
      pump_(wire, body_of(head)),
      stall_(stall),
      owes_continue_(head.expect_continue && !pump_.done()) {}

io::Task<Result<std::string_view>> ServerRequest::next() {
  if (owes_continue_) {
    owes_continue_ = false;
    if (wire_.unread().empty()) CO_TRY(co_await io::write_all(wire_.stream(), "HTTP/1.1 100 Continue\r\n\r\n"));
  }
  co_return co_await io::within(stall_, pump_.next());
}

io::Task<Result<std::string>> ServerRequest::body(std::size_t limit) {
  std::string text;
  while (true) {
    const std::string_view piece = CO_TRY(co_await next());
    if (piece.empty()) co_return text;
    if (text.size() + piece.size() > limit)
      co_return fail(Code::invalid, "request body of more than " + std::to_string(limit) + " bytes");
    text.append(piece);
  }
}

io::Task<Result<void>> ServerRequest::until_gone() {
  while (CO_TRY(co_await wire_.fill())) {
  }
  co_return Result<void>{};
}

ResponseWriter::ResponseWriter(Wire& wire, const RequestHead& head, bool keep_alive)
    : wire_(wire), head_(head), keep_alive_(keep_alive) {}

bool ResponseWriter::bodiless(int status) const {
  return head_.method == "HEAD" || status / 100 == 1 || status == 204 || status == 304;
}

// Without the framing fields and the empty line.
Result<std::string> ResponseWriter::head_text(int status, const Headers& headers) const {
  if (state_ != State::fresh) return fail(Code::internal, "a second reply to one request");
  TRY(check_headers(headers));
  std::string text;
  append_status_line(text, status, reason_of(status));
  for (const auto& [name, value] : headers) append_field(text, name, value);
  return text;
}

io::Task<Result<void>> ResponseWriter::send(int status, Headers headers, std::string_view body) {
  std::string text = CO_TRY(head_text(status, headers));
  if (status / 100 != 1 && status != 204) append_field(text, "Content-Length", std::to_string(body.size()));
  if (!keep_alive_) append_field(text, "Connection", "close");
  text.append("\r\n");
  if (!bodiless(status)) text.append(body);
  state_ = State::done;
  co_return co_await io::write_all(wire_.stream(), text);
}

io::Task<Result<void>> ResponseWriter::send_json(int status, std::string body) {
  co_return co_await send(status, {{"Content-Type", "application/json"}}, body);
}

io::Task<Result<void>> ResponseWriter::begin(int status, Headers headers, std::optional<std::uint64_t> length) {
  std::string text = CO_TRY(head_text(status, headers));
  if (length) {
    kind_ = {BodyKind::End::length, *length};
    append_field(text, "Content-Length", std::to_string(*length));
  } else if (head_.minor == 1) {
    kind_ = {BodyKind::End::chunked, 0};
    append_field(text, "Transfer-Encoding", "chunked");
  } else {
    kind_ = {BodyKind::End::close, 0};
    keep_alive_ = false;
  }
  if (bodiless(status)) kind_ = {};
  if (!keep_alive_) append_field(text, "Connection", "close");
  text.append("\r\n");
  state_ = State::streaming;
  co_return co_await io::write_all(wire_.stream(), text);
}

io::Task<Result<void>> ResponseWriter::write(std::string_view bytes) {
  if (state_ != State::streaming) co_return fail(Code::internal, "a piece of a reply before its head or after its end");
  if (bytes.empty() || kind_.end == BodyKind::End::none) co_return Result<void>{};
  if (kind_.end == BodyKind::End::length) {
    if (bytes.size() > kind_.length) co_return fail(Code::internal, "more reply than its Content-Length");
    kind_.length -= bytes.size();
  }
  if (kind_.end != BodyKind::End::chunked) co_return co_await io::write_all(wire_.stream(), bytes);
  scratch_.clear();
  append_chunk_size(scratch_, bytes.size());
  scratch_.append(bytes).append(kChunkEnd);
  co_return co_await io::write_all(wire_.stream(), scratch_);
}

io::Task<Result<void>> ResponseWriter::finish() {
  if (state_ != State::streaming) co_return fail(Code::internal, "the end of a reply that did not begin");
  if (kind_.end == BodyKind::End::length && kind_.length > 0)
    co_return fail(Code::internal, "less reply than its Content-Length");
  state_ = State::done;
  if (kind_.end == BodyKind::End::chunked) co_return co_await io::write_all(wire_.stream(), kLastChunk);
  co_return Result<void>{};
}

io::Task<Result<Upgraded>> ResponseWriter::upgrade(int status, Headers headers) {
  std::string text = CO_TRY(head_text(status, headers));
  if (status == 101) {
    if (head_.upgrade.empty()) co_return fail(Code::invalid, "the request does not ask for an upgrade");
    append_field(text, "Connection", "Upgrade");
    append_field(text, "Upgrade", head_.upgrade);
  }
  text.append("\r\n");
  state_ = State::taken;
  CO_TRY(co_await io::write_all(wire_.stream(), text));
  auto [stream, early] = wire_.release();
  co_return Upgraded(std::move(stream), std::move(early));
}

io::Task<Result<void>> serve_connection(std::unique_ptr<io::Stream> stream, const Handler& handler,
                                        ServerOptions options) {
  Wire wire(std::move(stream));
  RequestHead head;
  while (true) {
    wire.next_message();
    const auto begun = co_await await_request(wire, options.idle);
    if (!begun && begun.error().code != Code::timeout) co_return fail(begun.error());
    if (!begun || !*begun) co_return Result<void>{};
    auto parsed = co_await io::within(options.head_deadline, read_head(wire, head, options));
    if (!parsed && parsed.error().code == Code::timeout)
      parsed = Parsed{.state = Parsed::State::refused, .status = 408, .reason = "the request's head came too slowly"};
    if (!parsed) co_return fail(std::move(parsed).error());
    if (parsed->state == Parsed::State::refused) co_return co_await refuse(wire, *parsed);
    if (parsed->state == Parsed::State::need_more) co_return Result<void>{};
    if (!CO_TRY(co_await serve_request(wire, head, handler, options.stall))) co_return Result<void>{};
  }
}

io::Task<Result<void>> serve(io::Listener& listener, const Handler& handler, ServerOptions options) {
  io::Scope scope(co_await io::here());
  Result<void> outcome;
  while (outcome) {
    auto stream = co_await listener.accept();
    if (stream) {
      scope.spawn(serve_quietly(std::move(*stream), handler, options));
    } else {
      outcome = fail(std::move(stream).error());
    }
  }
  scope.cancel();
  co_await scope.join();
  co_return outcome;
}

int status_of(Code code) {
  switch (code) {
    case Code::invalid:
      return 400;
    case Code::not_found:
      return 404;
    case Code::conflict:
    case Code::moved:
    case Code::busy:
      return 409;
    case Code::denied:
      return 403;
    case Code::unavailable:
    case Code::cancelled:
      return 503;
    case Code::timeout:
      return 504;
    case Code::internal:
      return 500;
  }
  return 500;
}

}  // namespace berth::http
