// The frames in which an engine multiplexes stdout and stderr of a container without a terminal. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace berth::engine {

enum class Channel { out, err };

/// Bytes of one channel.
struct OutputPiece {
  Channel channel = Channel::out;
  std::string_view bytes{};
};

/// Takes the stream in pieces of any size: [channel, 0, 0, 0, length as 32 bits big-endian][bytes]. Holds 8 bytes.
class StdcopyReader {
 public:
  /// Takes what it can from the front of `input` and removes it; a piece when some of a frame's bytes were there (a
  /// view into `input`), nullopt when `input` is used up. Code::internal for a channel that is none, with the system
  /// error text of channel 3.
  Result<std::optional<OutputPiece>> next(std::string_view& input);
  /// Whether the stream may end here.
  bool at_boundary() const { return held_ == 0 && left_ == 0; }

 private:
  Result<void> open_frame(std::string_view rest);

  unsigned char header_[8] = {};
  std::size_t held_ = 0;
  std::uint32_t left_ = 0;
  Channel channel_ = Channel::out;
};

}  // namespace berth::engine
