#include "edge/h2_trunk.h"

#include <algorithm>
#include <charconv>

namespace berth::edge {
namespace {

constexpr std::size_t kRead = 16u << 10, kBatch = 64u << 10, kFewWaiting = 16u << 10;
constexpr std::size_t kMostStreams = 100;     // whatever more the upstream allows
constexpr std::size_t kMostKeptStreams = 32;  // for later exchanges
constexpr std::size_t kMostKept = 64u << 10;  // bytes that one of them holds
constexpr auto kSilent = std::chrono::seconds(5);
constexpr auto kLastWords = std::chrono::seconds(1), kStall = std::chrono::seconds(60);

H2Branch& of(http::H2Stream& stream) {
  return static_cast<H2Branch&>(stream);
}

}  // namespace

void H2Branch::Block::clear() {
  text.clear();
  spans.clear();
}

void H2Branch::Block::add(std::string_view name, std::string_view value) {
  const auto at = static_cast<std::uint32_t>(text.size());
  text.append(name).append(value);
  spans.push_back({at, at + static_cast<std::uint32_t>(name.size()), static_cast<std::uint32_t>(text.size())});
}

void H2Branch::Block::show(http::Fields& to) const {
  const std::string_view all = text;
  for (const auto& [name, value, end] : spans) {
    if (to.size() >= http::Fields::kMost) return;
    to.add({all.substr(name, value - name), all.substr(value, end - value)});
  }
}

void H2Branch::begin() {
  restart();
  head.clear();
  tail.clear();
  trailers_in.clear();
  in.clear();
  shown.clear();
  status = 0;
  length.reset();
  came.reset();
  room.reset();
  open = head_ended = refused = lost = released = false;
}

H2Trunk::H2Trunk(io::Loop& loop, std::unique_ptr<io::Stream> stream, H2TrunkOptions options, io::Cancel& parent)
    : loop_(loop),
      stream_(std::move(stream)),
      options_(std::move(options)),
      reading_(&parent),
      writing_(&parent),
      session_({.server = false, .connection_window = 1u << 20, .holds_streams_only = true}, *this),
      last_read_(loop.now()),
      last_used_(loop.now()) {}

io::Task<void> H2Trunk::run(std::shared_ptr<H2Trunk> trunk) {
  H2Trunk& self = *trunk;
  io::Scope writer(co_await io::here());
  writer.spawn(self.write());
  self.watch();
  co_await self.read().under(self.reading_);
  self.watch_.disarm();
  self.ended_ = true;
  self.lose_all();
  self.options_.changed->set();
  self.wake_.set();
  io::detail::CancelTimer last_words(self.loop_, self.writing_);
  last_words.arm(self.loop_.now() + kLastWords);
  co_await writer.join();
  self.stream_->close();
}

// Streams.

std::size_t H2Trunk::room() const {
  if (is_over() || !session_.may_request()) return 0;
  const std::size_t most = session_.is_settled() ? std::min<std::size_t>(kMostStreams, session_.peer_streams()) : 1;
  return most - std::min(most, used_.size());
}

bool H2Trunk::is_fresh() {
  if (!used_.empty()) return true;
  char bytes[kRead];
  while (!is_over()) {
    const io::Attempt attempt = stream_->try_read(bytes);
    if (attempt.state == io::Attempt::blocked) break;
    if (attempt.state != io::Attempt::moved)
      end("the upstream closed the connection");
    else if (!feed(std::string_view(bytes, attempt.count)))
      end("the upstream ended the connection");
  }
  return room() > 0;
}

H2Branch& H2Trunk::take() {
  if (free_.empty()) free_.push_back(std::make_unique<H2Branch>());
  used_.push_back(std::move(free_.back()));
  free_.pop_back();
  used_.back()->begin();
  return *used_.back();
}

void H2Trunk::release(H2Branch& branch) {
  last_used_ = loop_.now();
  branch.released = true;
  if (ended_) return;  // goes with the session, which may know it
  // A connection that said nothing since the request, or that takes no data at all, is none for others either.
  const bool silent = branch.open && last_read_ < branch.since && branch.since + kSilent < last_used_;
  const bool stuck = branch.open && branch.waiting() > 0 && session_.send_window() <= 0;
  if (branch.id == 0) {
    recycle(branch);
  } else {
    session_.reset(branch, http::H2Error::cancel);
    wake();
  }
  if (silent || stuck) retire();
}

void H2Trunk::recycle(H2Branch& branch) {
  const auto found = std::ranges::find(used_, &branch, &std::unique_ptr<H2Branch>::get);
  auto owned = std::move(*found);
  *found = std::move(used_.back());
  used_.pop_back();
  const std::size_t held =
      owned->head.text.capacity() + owned->in.capacity() + owned->shown.capacity() + owned->out.capacity();
  if (free_.size() < kMostKeptStreams && held <= kMostKept) free_.push_back(std::move(owned));
  if (!used_.empty()) return;
  if (retired_)
    end("it was retired");
  else
    watch();
}

bool H2Trunk::request(H2Branch& branch, const std::vector<http::H2Session::Field>& fields, bool has_body) {
  branch.since = loop_.now();
  branch.open = !is_over() && session_.may_request() && session_.request(branch, fields, has_body);
  branch.refused = !branch.open;
  wake();
  return branch.open;
}

void H2Trunk::push(H2Branch& branch) {
  if (ended_) return;
  session_.resume(branch);
  wake();
}

void H2Trunk::consume(H2Branch& branch) {
  if (!ended_ && !branch.shown.empty()) {
    session_.consume(branch, branch.shown.size());
    wake();
  }
  branch.shown.clear();
}

void H2Trunk::retire() {
  retired_ = true;
  options_.changed->set();
  if (used_.empty()) end("it was retired");
}

/// Reading ends, and with it all.
void H2Trunk::end(std::string why) {
  if (ended_ || reading_.requested()) return;
  retired_ = true;
  if (why_.empty()) why_ = std::move(why);
  session_.go_away(http::H2Error::none);
  reading_.request();
}

void H2Trunk::lose_all() {
  if (why_.empty()) why_ = "the connection to the upstream was closed";
  for (const auto& each : used_) {
    each->lost = each->open && !each->in_ended;
    each->open = false;
    each->came.set();
    each->room.set();
  }
}

// The connection.

bool H2Trunk::feed(std::string_view bytes) {
  last_read_ = loop_.now();
  if (std::exchange(pinged_, std::nullopt)) watch_.arm(last_read_ + options_.read_idle);
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(last_read_.time_since_epoch()).count();
  const auto fed = session_.feed(bytes, now);
  if (!settled_ && session_.is_settled()) {
    settled_ = true;
    options_.changed->set();
  }
  wake();
  return fed && session_.wants_read();
}

void H2Trunk::wake() {
  if (session_.wants_write()) wake_.set();
}

io::Task<void> H2Trunk::read() {
  char bytes[kRead];
  while (!reading_.requested()) {
    const auto count = co_await io::read_some(*stream_, bytes);
    if (!count || *count == 0) {
      if (why_.empty()) why_ = "the upstream closed the connection";
      co_return;
    }
    if (feed(std::string_view(bytes, *count))) continue;
    if (why_.empty()) why_ = "the upstream ended the connection, or broke the rules of HTTP/2";
    co_return;
  }
}

io::Task<void> H2Trunk::write() {
  co_await write_frames().under(writing_);
}

io::Task<void> H2Trunk::write_frames() {
  while (true) {
    batch_.clear();
    session_.pull(batch_, kBatch);
    if (batch_.empty()) {
      if (ended_) co_return;
      if (!co_await wake_.wait()) co_return;
      wake_.reset();
      continue;
    }
    if (co_await io::within(kStall, io::write_all(*stream_, batch_))) continue;
    end("the upstream takes nothing any more");
    co_return;
  }
}

// Silence.

void H2Trunk::watch() {
  const io::Time never = io::Time::max();
  const bool pings = options_.read_idle > io::Duration{};
  io::Time next = used_.empty() ? last_used_ + options_.idle : never;
  if (pinged_)
    next = std::min(next, *pinged_ + options_.ping);
  else if (pings)
    next = std::min(next, last_read_ + options_.read_idle);
  if (next != never && !watch_.armed()) watch_.arm(next);
}

void H2Trunk::look() {
  const io::Time now = loop_.now();
  if (pinged_ && now >= *pinged_ + options_.ping) return end("the upstream did not answer a ping");
  if (used_.empty() && now >= last_used_ + options_.idle) return end("it was not used");
  if (!pinged_ && options_.read_idle > io::Duration{} && now >= last_read_ + options_.read_idle) {
    session_.ping();
    pinged_ = now;
    wake();
  }
  watch();
}

// What the session tells.

void H2Trunk::on_field(http::H2Stream& stream, std::string_view name, std::string_view value) {
  H2Branch& branch = of(stream);
  if (branch.head_ended ? name.starts_with(':') : name == ":status") {
    if (!branch.head_ended) std::from_chars(value.data(), value.data() + value.size(), branch.status);
    return;
  }
  if (!branch.head_ended && name == "content-length") {
    std::uint64_t length = 0;
    const auto end = value.data() + value.size();
    if (std::from_chars(value.data(), end, length).ptr == end) branch.length = length;
    return;
  }
  (branch.head_ended ? branch.tail : branch.head).add(name, value);
}

void H2Trunk::on_fields_end(http::H2Stream& stream) {
  H2Branch& branch = of(stream);
  if (!branch.head_ended) {
    branch.head_ended = branch.status >= 200;
    if (!branch.head_ended) {  // an interim head
      branch.head.clear();
      branch.length.reset();
    }
  }
  branch.came.set();
}

void H2Trunk::on_data(http::H2Stream& stream, std::string_view data) {
  H2Branch& branch = of(stream);
  if (!branch.released) branch.in.append(data);
  branch.came.set();
}

void H2Trunk::on_in_end(http::H2Stream& stream) {
  of(stream).came.set();
}

void H2Trunk::on_sent(http::H2Stream& stream) {
  H2Branch& branch = of(stream);
  if (branch.waiting() <= kFewWaiting) branch.room.set();
}

void H2Trunk::on_close(http::H2Stream& stream, std::uint32_t error) {
  H2Branch& branch = of(stream);
  branch.open = false;
  branch.refused = error == static_cast<std::uint32_t>(http::H2Error::refused_stream) && !branch.head_ended;
  branch.came.set();
  branch.room.set();
  if (branch.released) recycle(branch);
}

}  // namespace berth::edge
