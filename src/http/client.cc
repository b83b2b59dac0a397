#include "http/client.h"

#include <algorithm>

#include "io/scope.h"

namespace berth::http {

namespace detail {
// Connections without a request on them, oldest first.
struct Idle {
  struct Kept {
    std::shared_ptr<Wire> wire;
    io::Time since;
  };
  std::vector<Kept> kept;
  PoolOptions options;
  io::Loop* loop = nullptr;
};
}  // namespace detail

namespace {

constexpr std::size_t kMostRefusal = 64u << 10;
constexpr int kMostInterim = 8;

// Without an effect: a peer that closed instead of answering may have acted (RFC 9110 9.2.1).
bool repeatable(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

// Head and, where it is in memory, body of a request in one text: one write.
Result<std::string> text_of(const Request& request, bool streamed) {
  if (!is_token(request.method)) return fail(Code::invalid, "method \"" + request.method + "\" is not a token");
  const auto graphic = [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7F; };
  if (request.target.empty() || !std::all_of(request.target.begin(), request.target.end(), graphic))
    return fail(Code::invalid, "request target with white space or control bytes");
  if (!is_field_value(request.host)) return fail(Code::invalid, "host with control bytes");
  TRY(check_headers(request.headers));
  std::string text;
  text.reserve(512 + request.body.size());
  append_request_line(text, request.method, request.target);
  append_field(text, "Host", request.host);
  for (const auto& [name, value] : request.headers) append_field(text, name, value);
  const bool usual = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (streamed) {
    append_field(text, "Transfer-Encoding", "chunked");
  } else if (usual || !request.body.empty()) {
    append_field(text, "Content-Length", std::to_string(request.body.size()));
  }
  text.append("\r\n");
  if (!streamed) text.append(request.body);
  return text;
}

Reply reply_of(const ResponseHead& head) {
  Reply reply{.status = head.status, .reason = std::string(head.reason)};
  for (const Field& field : head.fields) reply.headers.emplace_back(field.name, field.value);
  return reply;
}

// Reads a whole head into `head`, pinned in the wire, past interim replies (RFC 9110 15.2).
io::Task<Result<void>> read_head(Wire& wire, ResponseHead& head, const HeadLimits& limits) {
  for (int interim = 0; interim < kMostInterim; ++interim) {
    wire.next_message();
    Parsed parsed = parse_response(wire.unread(), head, limits);
    while (parsed.state == Parsed::State::need_more) {
      const std::size_t known = wire.unread().size();
      if (!CO_TRY(co_await wire.fill())) {
        const bool nothing = wire.unread().empty();
        co_return fail(Code::unavailable, nothing ? "connection closed without a reply"
                                                  : "connection closed in the middle of a reply's head");
      }
      const std::string_view unread = wire.unread();
      if (unread.size() < limits.bytes && unread.find('\n', known) == std::string_view::npos) continue;
      parsed = parse_response(unread, head, limits);
    }
    if (parsed.state == Parsed::State::refused)
      co_return fail(Code::internal, "malformed reply: " + std::string(parsed.reason));
    wire.pin(parsed.consumed);
    if (head.status >= 200 || head.status == 101) co_return Result<void>{};
  }
  co_return fail(Code::internal, "too many interim replies");
}

// The other half of an upload: pieces of the source as chunks.
struct Uploading {
  std::shared_ptr<Wire> wire;
  Source source;
  Result<void> source_outcome{};
};

io::Task<void> send_chunks(Uploading& state) {
  std::string text;
  while (true) {
    auto piece = co_await state.source();
    if (!piece) {
      state.source_outcome = fail(std::move(piece).error());
      state.wire->stream().close();  // the peer must not take the part for the whole
      co_return;
    }
    text.clear();
    if (!piece->empty()) append_chunk_size(text, piece->size());
    text.append(*piece).append(piece->empty() ? kLastChunk : kChunkEnd);
    const bool last = piece->empty();
    // A peer that answers early stops reading; its reply says why.
    const auto sent = co_await io::write_all(state.wire->stream(), text);
    if (!sent || last) co_return;
  }
}

}  // namespace

BodyReader::BodyReader(std::shared_ptr<Wire> wire, BodyKind kind, std::weak_ptr<detail::Idle> home)
    : wire_(std::move(wire)), pump_(*wire_, kind), home_(std::move(home)) {
  settle();
}

BodyReader::~BodyReader() {
  settle();
}

// Gives the connection back once nothing of the body is left on it.
void BodyReader::settle() {
  if (!wire_ || !pump_.done()) return;
  const auto home = home_.lock();
  if (home && home->kept.size() < home->options.idle) home->kept.push_back({std::move(wire_), home->loop->now()});
  wire_.reset();
}

io::Task<Result<std::string_view>> BodyReader::next() {
  if (!wire_) co_return std::string_view();
  auto piece = co_await pump_.next();
  if (!piece && piece.error().code == Code::invalid) piece.error().code = Code::internal;
  if (piece && piece->empty()) settle();
  co_return piece;
}

io::Task<Result<std::string>> BodyReader::all(std::size_t limit) {
  std::string text;
  while (true) {
    const std::string_view piece = CO_TRY(co_await next());
    if (piece.empty()) co_return text;
    if (text.size() + piece.size() > limit)
      co_return fail(Code::internal, "reply of more than " + std::to_string(limit) + " bytes");
    text.append(piece);
  }
}

Pool::Pool(std::unique_ptr<io::Dialer> dialer, PoolOptions options)
    : dialer_(std::move(dialer)), options_(options), idle_(std::make_shared<detail::Idle>()) {
  idle_->options = options;
}
Pool::~Pool() = default;

std::string Pool::name() const {
  return dialer_->name();
}

// A connection that still stands: nothing came on it since.
std::shared_ptr<Wire> Pool::take_idle() {
  auto& kept = idle_->kept;
  const io::Time oldest = idle_->loop->now() - options_.keep;
  std::erase_if(kept, [&](const auto& entry) { return entry.since < oldest; });
  while (!kept.empty()) {
    std::shared_ptr<Wire> wire = std::move(kept.back().wire);
    kept.pop_back();
    char byte = 0;
    if (wire->unread().empty() && wire->stream().try_read(std::span(&byte, 1)).state == io::Attempt::blocked)
      return wire;
  }
  return nullptr;
}

io::Task<Result<std::shared_ptr<Wire>>> Pool::dial() {
  co_return std::make_shared<Wire>(CO_TRY(co_await dialer_->dial()));
}

io::Task<Result<Exchange>> Pool::receive(std::shared_ptr<Wire> wire, std::string method, After after) {
  ResponseHead head;
  CO_TRY(co_await read_head(*wire, head, options_.head));
  if (head.status == 101) co_return fail(Code::internal, "malformed reply: 101 without an upgrade");
  const BodyKind kind = body_of(head, method);
  const bool keep = after == After::keep && head.keep_alive && kind.end != BodyKind::End::close;
  Reply reply = reply_of(head);
  co_return Exchange{std::move(reply),
                     BodyReader(std::move(wire), kind, keep ? std::weak_ptr(idle_) : std::weak_ptr<detail::Idle>())};
}

io::Task<Result<Exchange>> Pool::exchange(Request request) {
  const std::string text = CO_TRY(text_of(request, false));
  idle_->loop = (co_await io::here()).loop;
  std::shared_ptr<Wire> wire = take_idle();
  const bool reused = wire != nullptr;
  if (!wire) wire = CO_TRY(co_await dial());
  auto sent = co_await io::write_all(wire->stream(), text);
  // A peer that refuses early may have answered before it closed: its reply counts, not our broken pipe.
  const bool gave_up = !sent && (sent.error().code == Code::cancelled || sent.error().code == Code::timeout);
  if (gave_up) co_return fail(std::move(sent).error());
  auto reply = co_await receive(std::move(wire), request.method, After::keep);
  const bool again = !reply && reply.error().code == Code::unavailable && reused && repeatable(request.method);
  if (!again) co_return reply;
  wire = CO_TRY(co_await dial());
  CO_TRY(co_await io::write_all(wire->stream(), text));
  co_return co_await receive(std::move(wire), request.method, After::keep);
}

io::Task<Result<void>> Pool::upload(Request request, Source source, Consumer consume) {
  const std::string text = CO_TRY(text_of(request, true));
  const io::Context context = co_await io::here();
  idle_->loop = context.loop;
  std::shared_ptr<Wire> wire = CO_TRY(co_await dial());
  CO_TRY(co_await io::write_all(wire->stream(), text));
  Uploading sending{.wire = wire, .source = std::move(source)};
  io::Scope scope(context);
  scope.spawn(send_chunks(sending));
  auto exchange = co_await receive(std::move(wire), request.method, After::close);
  Result<void> outcome;
  if (exchange) {
    outcome = co_await consume(*exchange);
  } else {
    outcome = fail(exchange.error());
  }
  scope.cancel();
  co_await scope.join();
  const bool source_failed = !sending.source_outcome && sending.source_outcome.error().code != Code::cancelled;
  if (source_failed) co_return fail(std::move(sending.source_outcome).error());
  co_return outcome;
}

io::Task<Result<Pool::Handshake>> Pool::upgrade(Request request, bool accept_ok) {
  const std::string text = CO_TRY(text_of(request, false));
  idle_->loop = (co_await io::here()).loop;
  std::shared_ptr<Wire> wire = CO_TRY(co_await dial());
  CO_TRY(co_await io::write_all(wire->stream(), text));
  ResponseHead head;
  CO_TRY(co_await read_head(*wire, head, options_.head));
  Handshake handshake{.reply = reply_of(head)};
  if (head.status == 101 || (accept_ok && head.status == 200)) {
    auto [stream, early] = wire->release();
    handshake.connection.emplace(std::move(stream), std::move(early));
    co_return handshake;
  }
  BodyReader body(std::move(wire), body_of(head, request.method), {});
  handshake.body = CO_TRY(co_await body.all(kMostRefusal));
  co_return handshake;
}

}  // namespace berth::http
