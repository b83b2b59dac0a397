#include "http/h2_guard.h"

#include <algorithm>

namespace berth::http {
namespace {

enum Type : std::uint8_t { kData = 0, kHeaders = 1, kReset = 3, kGoAway = 7 };
constexpr std::uint8_t kEndStream = 1;

}  // namespace

H2Guard::Step H2Guard::step(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (skip_ > 0) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, bytes.size() - at));
      skip_ -= count;
      at += count;
      continue;
    }
    head_[have_++] = static_cast<unsigned char>(bytes[at++]);
    if (have_ < kHead) continue;
    have_ = 0;
    const H2FrameHead head{
        .length = static_cast<std::uint32_t>(head_[0] << 16 | head_[1] << 8 | head_[2]),
        .type = head_[3],
        .flags = head_[4],
        .stream = static_cast<std::int32_t>((head_[5] & 0x7f) << 24 | head_[6] << 16 | head_[7] << 8 | head_[8])};
    skip_ = head.length;
    return {.taken = at, .is_head = true, .head = head};
  }
  return {.taken = at};
}

bool H2Guard::asks(const H2FrameHead& head) const {
  return server_ && (head.type == kData || head.type == kHeaders) && head.stream > 0 && head.stream <= last_;
}

H2Error H2Guard::judge(const H2FrameHead& head, bool is_open, std::int64_t now) {
  refill(now);
  if (!spend(head)) return H2Error::enhance_your_calm;
  if (asks(head)) {
    if (is_open || std::ranges::find(reset_, head.stream) != reset_.end()) return H2Error::none;
    // One that was never opened was closed by those with higher numbers (RFC 9113 5.1.1).
    const bool was_open = std::ranges::find(opened_, head.stream) != opened_.end();
    return was_open ? H2Error::stream_closed : H2Error::protocol;
  }
  if (server_ && head.type == kHeaders && head.stream > last_) {
    last_ = head.stream;
    opened_[opened_seen_++ % opened_.size()] = head.stream;
  }
  return H2Error::none;
}

void H2Guard::refill(std::int64_t now) {
  if (second_ < 0) second_ = now;
  if (now <= second_) return;
  credit_ = std::max(credit_, std::min(kCredit, credit_ + (now - second_) * kCreditPerSecond));
  resets_ = std::min(kResets, resets_ + (now - second_) * kResetsPerSecond);
  second_ = now;
}

bool H2Guard::spend(const H2FrameHead& head) {
  const bool useful = head.type == kHeaders || head.type == kGoAway ||
                      (head.type == kData && (head.length > 0 || (head.flags & kEndStream) != 0));
  if (head.type == kReset)
    --resets_;
  else if (!useful)
    --credit_;
  return resets_ >= 0 && credit_ >= 0;
}

}  // namespace berth::http
