// Bytes from one socket to another inside the kernel (splice(2), Linux): large bodies without a copy.
#pragma once

#include <cstdint>

#include "io/stream.h"

namespace berth::io {

/// Moves `count` bytes, or fewer when `from` ends before; how many. A wait for either side lasts at most `stall`
/// (Code::timeout). Code::unavailable and the like as the stream that failed says. REQUIRES: both splices().
/// Between two calls nothing is on its way; holds a pipe of the thread meanwhile.
Task<Result<std::uint64_t>> splice(Stream& from, Stream& to, std::uint64_t count, Duration stall);

}  // namespace berth::io
