// The time that people and files tell; a loop's own time is in loop.h.
#pragma once

#include <cstdint>

namespace berth::io {

/// Microseconds since 1970, UTC. Thread: any.
std::int64_t wall_time();

}  // namespace berth::io
