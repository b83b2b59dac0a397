// Looks at the frame heads of one peer before the HTTP/2 library does: budgets for frames that are of no use, and
// frames on streams that are closed, which the library would only ignore. Pure: the caller tells the time.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace berth::http {

/// RFC 9113 7.
enum class H2Error : std::uint32_t {
  none = 0,
  protocol = 1,
  internal = 2,
  flow_control = 3,
  stream_closed = 5,
  refused_stream = 7,
  cancel = 8,
  enhance_your_calm = 11,
};

struct H2FrameHead {
  std::uint32_t length = 0;
  std::uint8_t type = 0, flags = 0;
  std::int32_t stream = 0;
};

/// Thread: one at a time.
class H2Guard {
 public:
  /// `server`: the peer is a client, whose bytes begin with the preface and whose streams are judged.
  explicit H2Guard(bool server) : skip_(server ? kPreface : 0), server_(server) {}

  struct Step {
    std::size_t taken = 0;  ///< bytes, up to the end of the frame head when there is one
    bool is_head = false;
    H2FrameHead head{};
  };
  /// What the bytes that came next are, up to the first frame head that ends in them.
  Step step(std::string_view bytes);
  /// Bytes of a head that is not complete.
  std::size_t held() const { return have_; }
  /// The bytes of the head that step() completed last.
  std::string_view head() const { return {reinterpret_cast<const char*>(head_.data()), head_.size()}; }
  /// Whether judge() wants to know if the stream is open; the library must have seen all before the frame then.
  bool asks(const H2FrameHead& head) const;
  /// Not none: end the connection with it before the library sees the frame.
  H2Error judge(const H2FrameHead& head, bool is_open, std::int64_t now);

  /// We sent so many bytes of data: the peer may tell us about its windows.
  void sent(std::size_t bytes) { credit_ += static_cast<std::int64_t>(bytes / 256) + 1; }
  /// We opened a stream: the peer may reset it, and tell us about its window.
  void asked() {
    resets_ = std::min(resets_ + 1, kResets);
    credit_ = std::max(credit_, std::min(credit_ + 2, kCredit));
  }
  /// We reset a stream: what is on its way to it is no error (RFC 9113 5.1).
  void we_reset(std::int32_t id) { reset_[resets_seen_++ % reset_.size()] = id; }
  /// We had to reset a stream since the peer broke its rules: as costly as a reset of its own.
  void forced_reset() { --resets_; }

 private:
  static constexpr std::size_t kPreface = 24, kHead = 9;
  static constexpr std::int64_t kCredit = 2000, kCreditPerSecond = 200, kResets = 200, kResetsPerSecond = 20;
  void refill(std::int64_t now);
  bool spend(const H2FrameHead& head);

  std::uint64_t skip_;
  std::array<unsigned char, kHead> head_{};
  std::size_t have_ = 0;
  std::int32_t last_ = 0;                   ///< the highest stream that the peer opened
  std::array<std::int32_t, 256> opened_{};  ///< the last ones
  std::array<std::int32_t, 64> reset_{};    ///< the last ones that we reset
  std::size_t opened_seen_ = 0, resets_seen_ = 0;
  std::int64_t second_ = -1, credit_ = kCredit, resets_ = kResets;
  bool server_;
};

}  // namespace berth::http
