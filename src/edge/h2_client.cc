#include "edge/h2_client.h"

#include <charconv>

#include "edge/front.h"
#include "io/scope.h"

namespace berth::edge {
namespace {

constexpr std::size_t kMostWaiting = 64u << 10;  // of a reply, for the connection to take
constexpr std::size_t kFewWaiting = 16u << 10;
constexpr std::size_t kLeastTaken = 4u << 10;  // of a reply that is done, in each `stall_timeout`

io::Task<Result<void>> wait_for(io::Event& event) {
  co_return co_await event.wait();
}

}  // namespace

void H2Client::begin_request(io::Cancel* parent) {
  restart();
  incoming_.clear();
  cancel_.emplace(parent);
  live_ = shared_.live;
  work_ = shared_.take_workspace();
  parsed_ = {};
  tally_ = {};
  pace_ = reading_ = {};
  in_.clear();
  read_ = taken_ = 0;
  trailers_.clear();
  readable_.reset();
  room_.reset();
  gone_.reset();
  state_ = State::none;
  running = has_head_ = answered_ = closed_ = raw_ = counted_ = false;
}

void H2Client::forget() {
  if (work_) shared_.put_workspace(std::move(work_));
  live_.reset();
}

// What the connection tells.

void H2Client::field_came(std::string_view name, std::string_view value) {
  const std::size_t most = live_->settings().header_bytes;
  if (!has_head_) return incoming_.add(name, value, most);
  auto& kept = work_->kept;
  if (kept.size() >= http::Fields::kMost) return;
  const std::string_view key = kept.emplace_back(name);
  trailers_.add({key, kept.emplace_back(value)});
}

bool H2Client::fields_ended() {
  if (has_head_) {
    input_ended();
    return false;
  }
  has_head_ = true;
  const Settings& settings = live_->settings();
  parsed_ = incoming_.parse(work_->head,
                            {.target = std::min<std::size_t>(16u << 10, settings.header_bytes),
                             .fields = std::min(settings.header_count, http::Fields::kMost)},
                            in_ended);
  state_ = in_ended ? State::none : State::pending;
  if (parsed_.state != http::Parsed::State::complete) work_->head = {};
  if (!work_->head.upgrade.empty()) state_ = State::none;  // bytes of a tunnel, once it is there
  return true;
}

void H2Client::data_came(std::string_view data) {
  if (answered_ || state_ == State::broken) {
    link_.session.consume(*this, data.size());
    return push();
  }
  in_.append(data);
  readable_.set();
}

void H2Client::input_ended() {
  readable_.set();
}

void H2Client::data_went() {
  if (waiting() <= kFewWaiting) room_.set();
}

void H2Client::closed(std::uint32_t) {
  closed_ = true;
  leftover_.remove();
  room_.set();
  readable_.set();
  gone_.set();
  // What was answered completely may go on to its end, which needs the client no more.
  if (!tally_.complete) cancel_->request();
}

io::Task<void> H2Client::serve(const Hop& hop) {
  if (!closed_) co_await answer_head(hop);
  answered_ = true;
  consume(in_.size() - read_);
  // A reply that is cut has its beginning.
  while (!tally_.complete && !closed_ && waiting() > 0 && co_await drained()) {
  }
  if (!tally_.complete) link_.session.reset(*this, http::H2Error::internal);
  push();
  forget();
  if (closed_ || waiting() == 0) co_return;
  untaken_ = waiting();
  shared_.stalled.add(leftover_);
}

/// The client of a reply that waits for nothing but its window took little of it, or nothing.
void H2Client::look_at_leftover() {
  if (waiting() + kLeastTaken <= untaken_) {
    untaken_ = waiting();
    return shared_.stalled.add(leftover_);
  }
  link_.session.reset(*this, http::H2Error::cancel);
  link_.wake.set();
}

io::Task<bool> H2Client::drained() {
  push();
  room_.reset();
  co_return (co_await io::within(live_->settings().stall_timeout, wait_for(room_))).has_value();
}

io::Task<void> H2Client::answer_head(const Hop& hop) {
  Request request{.shared = shared_,
                  .live = *live_,
                  .hop = hop,
                  .work = *work_,
                  .head = work_->head,
                  .rewritten = work_->rewritten,
                  .body = this,
                  .tally = tally_};
  if (parsed_.state == http::Parsed::State::complete) {
    co_await answer(request, *this);
  } else {
    co_await answer_unread(
        request, *this,
        {.own_status = parsed_.status, .message = parsed_.reason, .detail = std::string(parsed_.reason)});
  }
}

// The reply.

void H2Client::push() {
  link_.session.resume(*this);
  link_.wake.set();
}

void H2Client::respond(const http::ResponseHead& head, int status, bool has_body) {
  auto& fields = link_.fields;
  fields.clear();
  for (const http::Field& field : head.fields) {
    if (!raw_ || !http::same_name(field.name, "sec-websocket-accept")) fields.emplace_back(field.name, field.value);
  }
  char digits[24];
  if (head.framing.length && status != 204 && !raw_) {
    const auto last = std::to_chars(digits, digits + sizeof digits, *head.framing.length).ptr;
    fields.emplace_back("content-length", std::string_view(digits, static_cast<std::size_t>(last - digits)));
  }
  link_.session.respond(*this, status, fields, has_body);
  tally_.status = head.status;
}

io::Task<Result<void>> H2Client::begin(http::ResponseHead& head, bool has_body) {
  if (closed_) co_return fail(Code::unavailable, "the client closed the stream");
  if (state_ == State::pending) state_ = State::broken;  // nobody will read it
  has_body_ = has_body;
  counted_ = has_body && head.framing.length;
  left_ = head.framing.length.value_or(0);
  // RFC 8441 5: a 2xx says that the tunnel is there, which only upgrade() may say.
  if (!work_->head.upgrade.empty() && head.status / 100 == 2) head.status = 502;
  respond(head, head.status, has_body);
  co_return Result<void>{};
}

io::Task<Result<void>> H2Client::data(std::string_view piece) {
  if (closed_) co_return fail(Code::unavailable, "the client closed the stream");
  if (!raw_ && (!has_body_ || (counted_ && piece.size() > left_)))
    co_return fail(Code::internal, "the reply is too long");
  left_ -= counted_ ? piece.size() : 0;
  tally_.sent += piece.size();
  out.append(piece);
  if (waiting() < kMostWaiting) co_return Result<void>{};
  co_return co_await flush();
}

/// Does not wait for what is little: it leaves with that of other streams.
io::Task<Result<void>> H2Client::flush() {
  push();
  if (waiting() < kMostWaiting) co_return Result<void>{};
  room_.reset();
  if (raw_)
    CO_TRY(co_await room_.wait());
  else
    CO_TRY(co_await room_in_time());
  if (closed_) co_return fail(Code::unavailable, "the client closed the stream");
  co_return Result<void>{};
}

/// A client of many streams gives each a little of its line: what went meanwhile counts, also where it made no room.
io::Task<Result<void>> H2Client::room_in_time() {
  const Settings& settings = live_->settings();
  while (true) {
    reading_.note({}, tally_.sent - waiting(), settings.least_rate);
    const io::Duration most = reading_.left(settings.stall_timeout);
    const std::size_t before = waiting();
    const io::Time begun = shared_.loop.now();
    auto room = co_await io::within(most, wait_for(room_));
    reading_.note(shared_.loop.now() - begun, tally_.sent - waiting(), settings.least_rate);
    const bool drips = reading_.left(settings.stall_timeout) * 2 < settings.stall_timeout || waiting() == before;
    if (room || room.error().code != Code::timeout || settings.least_rate == 0 || drips) co_return room;
  }
}

io::Task<Result<void>> H2Client::end(const http::Fields* fields) {
  if (counted_ && left_ > 0) co_return fail(Code::internal, "the reply is too short");
  if (fields)
    for (const http::Field& field : *fields) H2Stream::trailers.emplace_back(field.name, field.value);
  CO_TRY(co_await flush());
  out_ended = true;
  push();
  tally_.complete = true;
  co_return Result<void>{};
}

io::Task<Result<void>> H2Client::upgrade(http::ResponseHead& head) {
  raw_ = true;
  counted_ = false;
  state_ = State::running;
  respond(head, 200, true);
  push();
  co_return Result<void>{};
}

// The request's body.

void H2Client::consume(std::size_t bytes) {
  link_.session.consume(*this, bytes);
  read_ += bytes;
  if (read_ == in_.size()) {
    in_.clear();
    read_ = 0;
  }
}

bool H2Client::fits(std::size_t bytes) {
  const std::size_t most = live_->settings().body_bytes;
  tally_.received += bytes;
  return raw_ || most == 0 || tally_.received <= most;
}

BodySource::Piece H2Client::take() {
  if (taken_ > 0) {
    consume(std::exchange(taken_, 0));
    link_.wake.set();
  }
  if (state_ == State::none || state_ == State::done) return {.what = Piece::end};
  if (read_ < in_.size()) {
    state_ = State::running;
    taken_ = in_.size() - read_;
    if (fits(taken_)) return {.what = Piece::some, .data = std::string_view(in_).substr(read_)};
    state_ = State::broken;
    return {.what = Piece::refused,
            .status = 413,
            .message = "The request's body is larger than this server accepts.",
            .detail = "request body is too large"};
  }
  if (!in_ended) return {};
  state_ = State::done;
  return {.what = Piece::end};
}

/// Calls of gRPC, and those whose reply has begun, go at a pace of their own.
bool H2Client::is_paced() const {
  return tally_.status == 0 && live_->settings().least_rate > 0 &&
         !work_->head.fields.get("content-type").starts_with("application/grpc");
}

io::Task<Result<void>> H2Client::readable_in_time() {
  const Settings& settings = live_->settings();
  const io::Time begun = shared_.loop.now();
  const bool paced = is_paced();
  pace_.note({}, tally_.received, settings.least_rate);
  const io::Duration most = paced ? pace_.left(settings.stall_timeout) : io::Duration(settings.stall_timeout);
  auto came = co_await io::within(most, wait_for(readable_));
  const bool late = !came && came.error().code == Code::timeout;
  if (late && paced && !is_paced() && most < settings.stall_timeout)
    co_return co_await io::within(settings.stall_timeout - most, wait_for(readable_));
  pace_.note(shared_.loop.now() - begun, tally_.received, settings.least_rate);
  co_return came;
}

io::Task<Result<void>> H2Client::more() {
  if (taken_ > 0) {
    consume(std::exchange(taken_, 0));
    link_.wake.set();
  }
  const bool first = state_ == State::pending;
  state_ = State::running;
  if (read_ < in_.size() || in_ended) co_return Result<void>{};
  if (first && work_->head.expect_continue) {
    link_.session.send_interim(*this, 100);
    push();
  }
  readable_.reset();
  Result<void> came;
  if (closed_)
    came = fail(Code::cancelled, "the client closed the stream");
  else if (raw_)
    came = co_await readable_.wait();
  else
    came = co_await readable_in_time();
  if (came && (read_ < in_.size() || in_ended)) co_return came;
  state_ = State::broken;
  if (!came && came.error().code == Code::timeout) co_return came;
  co_return fail(Code::cancelled, "the client closed the stream in the middle of its body");
}

io::Task<bool> H2Client::gone() {
  co_return (co_await gone_.wait()).has_value();
}

}  // namespace berth::edge
