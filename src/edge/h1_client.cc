#include "edge/h1_client.h"

#include "io/scope.h"

namespace berth::edge {
namespace {

using End = http::BodyKind::End;
using Next = http::BodyDecoder::Next;

constexpr std::size_t kMostBatch = 32u << 10;  // of small pieces that go out in one write
constexpr std::size_t kLarge = 4u << 10;       // from here on a write of its own costs less than the copy
constexpr std::size_t kMostSkip = 64u << 10;   // of a body that nobody reads; beyond it closing is cheaper

io::Task<Result<void>> writable(io::Stream& stream) {
  co_return co_await io::ready(stream, io::Direction::write);
}
io::Task<Result<void>> wrong_length(const char* why) {
  co_return fail(Code::internal, why);
}

}  // namespace

H1Client::H1Client(const Ends& ends)
    : ends_(ends), kind_(http::body_of(ends.head)), decoder_(kind_), most_(ends.settings.body_bytes) {
  state_ = kind_.end == End::none ? State::none : State::pending;
}

// The reply.

/// What the socket takes at once, as it nearly always does, needs no coroutine.
io::Task<Result<void>> H1Client::write(std::string_view bytes) {
  const io::Attempt attempt = ends_.wire.stream().try_write(bytes);
  given_ += attempt.count;
  if (attempt.state == io::Attempt::moved && attempt.count == bytes.size()) return io::ok();
  return write_rest(bytes.substr(attempt.state == io::Attempt::moved ? attempt.count : 0));
}

io::Task<Result<void>> H1Client::write_rest(std::string_view bytes) {
  io::Stream& stream = ends_.wire.stream();
  while (!bytes.empty()) {
    const io::Attempt attempt = stream.try_write(bytes);
    if (attempt.state == io::Attempt::moved) {
      bytes.remove_prefix(attempt.count);
      given_ += attempt.count;
    } else if (attempt.state != io::Attempt::blocked) {
      co_return fail(stream.error());
    } else if (raw_) {  // a tunnel's reader may take its time
      CO_TRY(co_await io::ready(stream, io::Direction::write));
    } else {
      CO_TRY(co_await writable_in_time());
    }
  }
  co_return Result<void>{};
}

/// Only what had to wait is weighed against the waiting: a reply that comes slowly makes no slow reader.
io::Task<Result<void>> H1Client::writable_in_time() {
  const Settings& settings = ends_.settings;
  const io::Loop& loop = *(co_await io::here()).loop;
  reading_.note({}, given_, settings.least_rate);
  const io::Time begun = loop.now();
  CO_TRY(co_await io::within(reading_.left(settings.stall_timeout), writable(ends_.wire.stream())));
  reading_.note(loop.now() - begun, given_, settings.least_rate);
  co_return Result<void>{};
}

io::Task<Result<void>> H1Client::interim(http::ResponseHead& head) {
  if (ends_.head.minor == 0) co_return Result<void>{};
  append_reply(ends_.out, head, {});
  co_return co_await flush();
}

io::Task<Result<void>> H1Client::begin(http::ResponseHead& head, bool has_body) {
  if (state_ == State::pending) return begin_after_body(head, has_body);
  begin_now(head, has_body, state_ != State::broken);
  return io::ok();
}

io::Task<Result<void>> H1Client::begin_after_body(http::ResponseHead& head, bool has_body) {
  const bool keep = co_await skip_body();
  begin_now(head, has_body, keep && state_ != State::broken);
  co_return Result<void>{};
}

void H1Client::begin_now(http::ResponseHead& head, bool has_body, bool keep) {
  has_body_ = has_body;
  shape_ = shape_reply(ends_.head, head, has_body, keep && !ends_.draining);
  counted_ = has_body && head.framing.length;
  left_ = head.framing.length.value_or(0);
  ends_.tally.status = head.status;
  append_reply(ends_.out, head, shape_);
}

io::Task<Result<void>> H1Client::data(std::string_view piece) {
  if (raw_) return write(piece);
  if (piece.empty()) return io::ok();
  if (!has_body_ || (counted_ && piece.size() > left_)) return wrong_length("the reply is too long");
  left_ -= counted_ ? piece.size() : 0;
  ends_.tally.sent += piece.size();
  std::string& out = ends_.out;
  if (shape_.chunked) {
    http::append_chunk_size(out, piece.size());
    out.append(piece).append(http::kChunkEnd);
    return out.size() >= kMostBatch / 2 ? flush() : io::ok();
  }
  // A write costs more than a copy: what waits goes out with the piece, and only one that is alone goes as it is.
  if (out.empty() && piece.size() > kLarge) return write(piece);
  if (out.size() + piece.size() > kMostBatch) return flush_and_write(piece);
  out.append(piece);
  return io::ok();
}

io::Task<Result<void>> H1Client::flush_and_write(std::string_view piece) {
  CO_TRY(co_await flush());
  co_return co_await write(piece);
}

io::Task<Result<void>> H1Client::flush() {
  if (ends_.out.empty()) return io::ok();
  auto sent = write(ends_.out);
  if (!sent.done()) return flush_after(std::move(sent));
  ends_.out.clear();
  return sent;
}

io::Task<Result<void>> H1Client::flush_after(io::Task<Result<void>> sent) {
  auto done = co_await std::move(sent);
  ends_.out.clear();
  co_return done;
}

io::Stream* H1Client::direct() {
  io::Stream& stream = ends_.wire.stream();
  return counted_ && !raw_ && ends_.out.empty() && stream.splices() ? &stream : nullptr;
}

void H1Client::sent_directly(std::uint64_t count) {
  left_ -= std::min(left_, count);
  ends_.tally.sent += count;
}

io::Task<Result<void>> H1Client::end(const http::Fields*) {
  if (raw_) {
    ends_.wire.stream().shutdown_write();
    return io::ok();
  }
  if (counted_ && left_ > 0) return wrong_length("the reply is too short");
  if (shape_.chunked) ends_.out += http::kLastChunk;
  auto sent = flush();
  if (!sent.done()) return end_after(std::move(sent));
  ends_.tally.complete = true;
  return sent;
}

io::Task<Result<void>> H1Client::end_after(io::Task<Result<void>> sent) {
  CO_TRY(co_await std::move(sent));
  ends_.tally.complete = true;
  co_return Result<void>{};
}

io::Task<Result<void>> H1Client::upgrade(http::ResponseHead& head) {
  append_upgrade_reply(ends_.out, head);
  ends_.tally.status = 101;
  CO_TRY(co_await flush());
  raw_ = true;
  state_ = State::running;
  co_return Result<void>{};
}

bool H1Client::may_go_on() const {
  return ends_.tally.complete && shape_.keep_alive && (state_ == State::none || state_ == State::done);
}

// The request's body.

BodySource::Piece H1Client::piece_of(const http::BodyDecoder::Step& step) {
  switch (step.what) {
    case Next::data:
      ends_.tally.received += step.data.size();
      if (most_ == 0 || ends_.tally.received <= most_) return {.what = Piece::some, .data = step.data};
      state_ = State::broken;
      return {.what = Piece::refused,
              .status = 413,
              .message = "The request's body is larger than this server accepts.",
              .detail = "request body is too large"};
    case Next::end:
      state_ = State::done;
      return {.what = Piece::end};
    case Next::refused:
      state_ = State::broken;
      return {
          .what = Piece::refused, .status = 400, .message = "The request's body is malformed.", .detail = step.reason};
    case Next::need_more:
      break;
  }
  return {};
}

BodySource::Piece H1Client::take() {
  // Only now: the last piece was a view into what is consumed.
  ends_.wire.consume(std::exchange(taken_, 0));
  if (raw_) return take_raw();
  if (state_ == State::none || state_ == State::done) return {.what = Piece::end};
  std::string_view input = ends_.wire.unread();
  const std::size_t before = input.size();
  const auto step = decoder_.next(input);
  const std::size_t used = before - input.size();
  if (step.what == Next::data)
    taken_ = used;
  else
    ends_.wire.consume(used);
  if (used > 0 && state_ == State::pending) state_ = State::running;
  return piece_of(step);
}

BodySource::Piece H1Client::take_raw() {
  if (raw_ended_) {
    state_ = State::done;
    return {.what = Piece::end};
  }
  const std::string_view unread = ends_.wire.unread();
  taken_ = unread.size();
  return unread.empty() ? Piece{} : Piece{.what = Piece::some, .data = unread};
}

io::Task<Result<void>> H1Client::more() {
  ends_.wire.consume(std::exchange(taken_, 0));
  if (raw_) {
    raw_ended_ = !CO_TRY(co_await ends_.wire.fill());
    co_return Result<void>{};
  }
  const bool first = state_ == State::pending;
  state_ = State::running;
  if (first && ends_.head.expect_continue && ends_.wire.unread().empty()) {
    CO_TRY(co_await write("HTTP/1.1 100 Continue\r\n\r\n"));
  }
  auto more = co_await fill_in_time();
  if (more && *more) co_return Result<void>{};
  state_ = State::broken;
  if (!more && more.error().code == Code::timeout) co_return fail(std::move(more).error());
  co_return fail(Code::cancelled, "the client closed in the middle of its body");
}

/// Once the reply has begun the two may be talking, at a pace of their own.
io::Task<Result<bool>> H1Client::fill_in_time() {
  const Settings& settings = ends_.settings;
  const bool paced = ends_.tally.status == 0 && settings.least_rate > 0;
  const io::Loop& loop = *(co_await io::here()).loop;
  const io::Time begun = loop.now();
  pace_.note({}, ends_.tally.received, settings.least_rate);
  const io::Duration most = paced ? pace_.left(settings.stall_timeout) : io::Duration(settings.stall_timeout);
  auto more = co_await io::within(most, ends_.wire.fill());
  const bool late = !more && more.error().code == Code::timeout;
  if (late && ends_.tally.status != 0 && most < settings.stall_timeout)
    co_return co_await io::within(settings.stall_timeout - most, ends_.wire.fill());
  pace_.note(loop.now() - begun, ends_.tally.received, settings.least_rate);
  co_return more;
}

/// What the client pipelines stays in its buffer.
io::Task<bool> H1Client::gone() {
  while (true) {
    const auto more = co_await ends_.wire.fill();
    if (!more) co_return false;
    if (!*more) co_return true;
  }
}

/// Reads a body that nobody wants, if it is small; whether the next request can follow.
io::Task<bool> H1Client::skip_body() {
  // A client that waits for "100 Continue" may send its body or not: only closing is unambiguous.
  if (ends_.head.expect_continue || kind_.length > kMostSkip) co_return false;
  const std::uint64_t before = ends_.tally.received;
  most_ = 0;
  while (true) {
    const Piece piece = take();
    if (piece.what == Piece::refused) co_return false;
    if (piece.what == Piece::end) co_return true;
    if (ends_.tally.received - before > kMostSkip) co_return false;
    if (piece.what == Piece::wait && !co_await more()) co_return false;
  }
}

}  // namespace berth::edge
