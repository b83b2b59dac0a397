// Bytes between two streams until both ends are done.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/stream.h"

namespace berth::edge {

struct Relayed {
  std::uint64_t forth = 0, back = 0;  ///< bytes from the first stream to the second, and the other way
  std::string error{};                ///< why it was cut; "" when both ends came to theirs, or to silence behind one
};

/// Passes bytes both ways. The end of one direction is passed on, and the other goes on (half-close); once it was
/// silent for `linger` (none: for ever) the rest is cut. What one side does not take yet waits: at most 64 KiB are held
/// for each direction, and none while nothing moves. Closes neither stream. Ends with the caller's cancellation.
io::Task<Relayed> relay(io::Stream& first, io::Stream& second, std::optional<io::Duration> linger);

}  // namespace berth::edge
