#include "http/wire.h"

#include <algorithm>
#include <cstring>

namespace berth::http {
namespace {
constexpr std::size_t kMostBuffer = 512u << 10;
}

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

Wire::Wire(std::unique_ptr<io::Stream> stream)
    : stream_(std::move(stream)), buffer_(std::make_unique_for_overwrite<char[]>(kUsual)), capacity_(kUsual) {}

// While no head is pinned, kLeast bytes at the end stay free for the body that follows it: pinning never moves.
void Wire::make_room() {
  if (begin_ > pinned_) {
    std::memmove(buffer_.get() + pinned_, buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_ - pinned_;
    begin_ = pinned_;
  }
  if (pinned_ > 0 || end_ + kLeast < capacity_ || capacity_ * 2 > kMostBuffer) return;
  auto larger = std::make_unique_for_overwrite<char[]>(capacity_ * 2);
  std::memcpy(larger.get(), buffer_.get(), end_);
  buffer_ = std::move(larger);
  capacity_ *= 2;
}

io::Task<Result<bool>> Wire::fill() {
  make_room();
  const std::size_t limit = pinned_ > 0 ? capacity_ : capacity_ - kLeast;
  if (end_ >= limit) co_return fail(Code::invalid, "message head is larger than its buffer");
  const std::size_t count = CO_TRY(co_await io::read_some(*stream_, std::span(buffer_.get() + end_, limit - end_)));
  end_ += count;
  co_return count > 0;
}

void Wire::pin(std::size_t size) {
  pinned_ = begin_ + size;
  begin_ = pinned_;
}

void Wire::next_message() {
  pinned_ = 0;
  if (begin_ == 0) return;
  std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
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
