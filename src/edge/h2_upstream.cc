#include "edge/h2_upstream.h"

#include <charconv>

namespace berth::edge {
namespace {

constexpr std::size_t kRead = 16u << 10, kBatch = 64u << 10, kMostWaiting = 64u << 10, kFewWaiting = 16u << 10;
constexpr std::size_t kMostHead = 64u << 10;  // bytes of a reply's fields

/// Fields that HTTP/2 says in another way.
bool is_of_http1(std::string_view name) {
  return http::same_name(name, "host") || http::same_name(name, "connection") ||
         http::same_name(name, "transfer-encoding") || http::same_name(name, "upgrade");
}

}  // namespace

bool H2Upstream::is_usable() {
  char bytes[kRead];
  while (!broken_) {
    const io::Attempt attempt = stream_.try_read(bytes);
    if (attempt.state == io::Attempt::blocked) break;
    if (attempt.state != io::Attempt::moved || !feed(std::string_view(bytes, attempt.count))) broken_ = true;
  }
  return !broken_ && !one_.open && session_.may_request();
}

Result<void> H2Upstream::begin(const Opening& opening) {
  const std::string_view head = opening.head;
  http::RequestHead request;
  const auto parsed = http::parse_request(
      head, request, {.bytes = head.size() + 1, .target = head.size(), .fields = http::Fields::kRoom});
  if (parsed.state != http::Parsed::State::complete) return fail(Code::internal, "a head of ours does not parse");
  fields_.assign({{":method", request.method},
                  {":scheme", scheme_},
                  {":path", request.target},
                  {":authority", request.authority}});
  for (const http::Field& field : request.fields)
    if (!is_of_http1(field.name)) fields_.emplace_back(field.name, field.value);
  if (opening.takes_trailers) fields_.emplace_back("te", "trailers");
  one_.restart();
  one_.in.clear();
  kept_.clear();
  trailers_.clear();
  error_ = 0;
  head_ended_ = refused_ = unanswered_ = false;
  one_.open = session_.request(one_, fields_, opening.has_body);
  refused_ = !one_.open;
  if (!one_.open) return fail(Code::unavailable, "the upstream takes no more requests on this connection");
  return {};
}

// Sending.

io::Task<Result<void>> H2Upstream::flush() {
  if (writing_) co_return Result<void>{};  // the one who writes takes ours along
  writing_ = true;
  Result<void> written;
  while (written) {
    batch_.clear();
    session_.pull(batch_, kBatch);
    if (batch_.empty()) break;
    written = co_await io::write_all(stream_, batch_);
  }
  writing_ = false;
  broken_ = broken_ || !written;
  co_return written;
}

io::Task<Result<void>> H2Upstream::send(std::string_view data) {
  one_.out.append(data);
  session_.resume(one_);
  while (one_.waiting() >= kMostWaiting) {
    CO_TRY(co_await flush());
    if (!one_.open || broken_) co_return fail(Code::unavailable, "the upstream reset the stream");
    if (one_.waiting() < kMostWaiting) break;
    room_.reset();
    CO_TRY(co_await room_.wait());
  }
  if (!one_.open) co_return fail(Code::unavailable, "the upstream reset the stream");
  co_return Result<void>{};
}

void H2Upstream::end_body(const http::Fields* trailers) {
  if (trailers)
    for (const http::Field& field : *trailers) one_.trailers.emplace_back(field.name, field.value);
  one_.out_ended = true;
  session_.resume(one_);
}

// Reading.

Result<void> H2Upstream::feed(std::string_view bytes) {
  TRY(session_.feed(bytes, 0));
  if (!session_.wants_read()) return fail(Code::unavailable, "the upstream broke the rules of HTTP/2");
  return {};
}

io::Task<Result<void>> H2Upstream::read() {
  CO_TRY(co_await flush());
  char bytes[kRead];
  const std::size_t count = CO_TRY(co_await io::read_some(stream_, bytes));
  if (count == 0) {
    broken_ = true;
    room_.set();
    co_return fail(Code::unavailable, "the upstream closed the connection");
  }
  if (auto fed = feed(std::string_view(bytes, count)); !fed && one_.open) {
    broken_ = true;
    room_.set();
    co_return fed;
  }
  co_return Result<void>{};
}

io::Task<Result<void>> H2Upstream::read_head(http::ResponseHead& head) {
  head.fields.clear();
  head.framing = {};
  head.status = 0;
  head.keep_alive = true;
  head.upgrade = {};
  head_ = &head;
  std::size_t reads = 0;
  while (!head_ended_) {
    if (auto done = one_.open ? co_await read() : fail(Code::unavailable, "the upstream reset the stream"); !done) {
      unanswered_ = reads == 0 && broken_;
      head_ = nullptr;
      co_return done;
    }
    ++reads;
  }
  head_ = nullptr;
  co_return Result<void>{};
}

io::Task<Result<bool>> H2Upstream::more() {
  while (one_.in.empty()) {
    if (one_.in_ended) co_return false;
    if (!one_.open) co_return fail(Code::unavailable, "the upstream reset the stream in the middle of its reply");
    CO_TRY(co_await read());
  }
  co_return true;
}

void H2Upstream::consume() {
  session_.consume(one_, one_.in.size());
  one_.in.clear();
}

void H2Upstream::on_field(http::H2Stream&, std::string_view name, std::string_view value) {
  if (head_ended_) {
    if (name.starts_with(':') || trailers_.size() >= http::Fields::kMost) return;
    const std::string_view key = keep(name);
    trailers_.add({key, keep(value)});
    return;
  }
  if (!head_) return;
  if (name == ":status") {
    std::from_chars(value.data(), value.data() + value.size(), head_->status);
    return;
  }
  if (head_->fields.size() >= http::Fields::kMost || name.size() + value.size() > kMostHead) {
    session_.reset(one_, http::H2Error::cancel);
    return;
  }
  if (name == "content-length") {
    std::uint64_t length = 0;
    const auto end = value.data() + value.size();
    if (std::from_chars(value.data(), end, length).ptr == end) head_->framing.length = length;
    return;
  }
  const std::string_view key = keep(name);
  head_->fields.add({key, keep(value)});
}

void H2Upstream::on_fields_end(http::H2Stream&) {
  if (!head_ || head_ended_) return;
  head_ended_ = head_->status >= 200;
  if (head_ended_) return;
  head_->fields.clear();  // an interim head
  kept_.clear();
}

void H2Upstream::on_data(http::H2Stream& stream, std::string_view data) {
  static_cast<One&>(stream).in.append(data);
}

void H2Upstream::on_sent(http::H2Stream& stream) {
  if (stream.waiting() <= kFewWaiting) room_.set();
}

void H2Upstream::on_close(http::H2Stream& stream, std::uint32_t error) {
  static_cast<One&>(stream).open = false;
  error_ = error;
  refused_ = error == static_cast<std::uint32_t>(http::H2Error::refused_stream);
  room_.set();
}

}  // namespace berth::edge
