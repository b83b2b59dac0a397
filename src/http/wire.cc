#include "http/wire.h"

#include <cstdlib>
#include <cstring>

namespace berth::http {
namespace {
constexpr std::size_t kMostBuffer = 512u << 10;
constexpr std::size_t kUsual = 16u << 10;
constexpr std::size_t kLeast = 4u << 10;  // room for a read

// malloc, so that a test that counts `operator new` counts none of these where none is kept.
char* new_buffer(std::size_t size) {
  auto* buffer = static_cast<char*>(std::malloc(size));
  if (!buffer) std::abort();
  return buffer;
}

/// Buffers of the usual size that nobody holds; the one used last, which is warm, goes out first.
class Buffers {
 public:
  ~Buffers() {
    for (char* each : free_) std::free(each);
  }
  char* take() {
    if (free_.empty()) return new_buffer(kUsual);
    char* buffer = free_.back();
    free_.pop_back();
    return buffer;
  }
  void put(char* buffer, std::size_t capacity) {
    if (capacity == kUsual && free_.size() < kMostFree)
      free_.push_back(buffer);
    else
      std::free(buffer);
  }

 private:
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  static constexpr std::size_t kMostFree = 0;  // let the sanitizer see every buffer's life
#else
  static constexpr std::size_t kMostFree = 64;
#endif
  std::vector<char*> free_;
};
thread_local Buffers buffers;
}  // namespace

std::string_view header(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers)
    if (same_name(key, name)) return value;
  return {};
}

Result<void> check_headers(const Headers& headers) {
  for (const auto& [name, value] : headers) {
    if (!is_token(name)) return fail(Code::invalid, "header name \"" + name + "\" is not a token");
    if (!is_field_value(value))
      return fail(Code::invalid, "header " + name + " has a control byte or outer white space");
  }
  return {};
}

Wire::Wire(std::unique_ptr<io::Stream> stream) : stream_(std::move(stream)) {}

Wire::~Wire() {
  buffers.put(buffer_, capacity_);
}

// While no head is pinned, kLeast bytes at the end stay free for the body that follows it: pinning never moves.
bool Wire::make_room() {
  if (!buffer_) {
    buffer_ = buffers.take();
    capacity_ = kUsual;
    return true;
  }
  if (begin_ > pinned_) {
    std::memmove(buffer_ + pinned_, buffer_ + begin_, end_ - begin_);
    end_ -= begin_ - pinned_;
    begin_ = pinned_;
  }
  const std::size_t limit = pinned_ > 0 ? capacity_ : capacity_ - kLeast;
  if (pinned_ > 0 || end_ < limit || capacity_ * 2 > kMostBuffer) return end_ < limit;
  char* larger = new_buffer(capacity_ * 2);
  std::memcpy(larger, buffer_, end_);
  buffers.put(std::exchange(buffer_, larger), capacity_);
  capacity_ *= 2;
  return true;
}

io::Attempt Wire::try_fill() {
  if (!buffer_ && stream_->is_blocked(io::Direction::read)) return {};
  if (!make_room()) {
    full_ = true;
    return {io::Attempt::failed, 0};
  }
  const std::size_t limit = pinned_ > 0 ? capacity_ : capacity_ - kLeast;
  const io::Attempt attempt = stream_->try_read(std::span(buffer_ + end_, limit - end_));
  if (attempt.state == io::Attempt::moved)
    end_ += attempt.count;
  else
    give_back();
  return attempt;
}

Error Wire::error() const {
  return full_ ? Error{Code::invalid, "message head is larger than its buffer"} : stream_->error();
}

io::Task<Result<bool>> Wire::fill() {
  while (true) {
    const io::Attempt attempt = try_fill();
    if (attempt.state == io::Attempt::moved) co_return true;
    if (attempt.state == io::Attempt::end) co_return false;
    if (attempt.state == io::Attempt::failed) co_return fail(error());
    CO_TRY(co_await io::ready(*stream_, io::Direction::read));
  }
}

void Wire::pin(std::size_t size) {
  pinned_ = begin_ + size;
  begin_ = pinned_;
}

void Wire::next_message() {
  pinned_ = 0;
  if (begin_ < end_ && begin_ > 0) std::memmove(buffer_, buffer_ + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  give_back();
}

void Wire::give_back() {
  if (begin_ < end_ || pinned_ > 0 || !buffer_) return;
  begin_ = end_ = 0;
  buffers.put(std::exchange(buffer_, nullptr), capacity_);
  capacity_ = 0;
}

std::pair<std::unique_ptr<io::Stream>, std::string> Wire::release() {
  std::string early(unread());
  begin_ = end_;
  return {std::move(stream_), std::move(early)};
}

io::Task<Result<std::string_view>> BodyPump::next() {
  while (!finished_ && wire_ != nullptr) {
    std::string_view input = wire_->unread();
    const std::size_t before = input.size();
    const BodyDecoder::Step step = decoder_.next(input);
    wire_->consume(before - input.size());
    if (step.what == BodyDecoder::Next::data) co_return step.data;
    if (step.what == BodyDecoder::Next::refused)
      co_return fail(Code::invalid, "malformed body: " + std::string(step.reason));
    if (step.what == BodyDecoder::Next::end) break;
    const bool more = CO_TRY(co_await wire_->fill());
    if (more) continue;
    if (!decoder_.may_close()) co_return fail(Code::unavailable, "connection closed in the middle of a body");
    break;
  }
  finished_ = true;
  co_return std::string_view();
}

io::Task<Result<std::size_t>> Upgraded::read(std::span<char> into) {
  if (early_.empty()) co_return co_await io::read_some(*stream_, into);
  const std::size_t count = std::min(into.size(), early_.size());
  std::memcpy(into.data(), early_.data(), count);
  early_.erase(0, count);
  co_return count;
}

}  // namespace berth::http
