// What a stream's socket can tell and be told beyond its bytes.
#pragma once

#include <chrono>

#include "io/socket.h"

namespace berth::io {

/// Our own end of a socket; Code::invalid for a stream without one.
Result<Address> local_address(const Stream& stream);

/// The kernel asks a silent peer every now and then whether it is still there, and ends the stream when it is not:
/// after about two minutes, or with `pause` after seven of those; a negative one: never. Without a TCP socket nothing
/// happens.
void keep_alive(const Stream& stream, std::chrono::milliseconds pause = {});

}  // namespace berth::io
