// The talk between core and edge over a socketpair: length-prefixed JSON frames. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"

namespace berth::edge {

/// Frames longer than this end the channel: 64 MiB hold 20,000 routes with certificates.
inline constexpr std::size_t max_frame = 64u << 20;

/// Four bytes of length, big endian, then the payload.
std::string encode_frame(std::string_view payload);

/// Collects bytes from the channel and gives frames back.
class FrameReader {
 public:
  void feed(std::string_view bytes);
  /// The next whole payload, nothing when more bytes are needed. Code::invalid when a length exceeds max_frame: the
  /// channel cannot be used any more.
  Result<std::optional<std::string>> next();

 private:
  std::string buffer_;
};

/// core -> edge: payload of a frame is encode_snapshot(), encode_patch() or encode_command(). Edge -> core: one
/// EdgeEvent a frame.
struct EdgeEvent {
  enum class Kind {
    accepted,            ///< `version` is in use and saved
    refused,             ///< `version` is not in use; `detail` says why; the old one serves on
    listening,           ///< `subject` is the listener ("web"), `detail` its address with the real port
    certificate_wanted,  ///< `subject` is a routed host that has no certificate; at most once a minute per host
    upstream_failed,     ///< `subject` is the service, `detail` the reason; at most once a second per service
    stopped,             ///< drained; the process is about to exit
    leaving,             ///< upstream `subject` (upstream_key) is named no more, and still answers older requests
    left,                ///< it does not, or it is named again; `accepted` comes after the `leaving` of its version
    answered,  ///< command `version` (edge/cache_command.h): `detail` is JSON, or `subject` says what is wrong
    request,   ///< `detail` is the line of a request that ended, while somebody follows; may be lost
    crowded,   ///< `detail` says which limit on connections holds some back; at most once a minute and loop
  };
  Kind kind = Kind::accepted;
  std::uint64_t version = 0;
  std::string subject{};
  std::string detail{};
  friend bool operator==(const EdgeEvent&, const EdgeEvent&) = default;
};
std::string encode_event(const EdgeEvent& event);
Result<EdgeEvent> decode_event(std::string_view payload);

}  // namespace berth::edge
