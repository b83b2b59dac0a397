// A simulated loop: virtual time that jumps to the next timer, in-memory streams, faults on demand. No real waiting.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "io/stream.h"

namespace berth::testing {

/// A loop whose time starts at 0 and moves only when nothing is ready. A wait that nothing can end aborts the program
/// with the list of waiting tasks.
std::unique_ptr<io::Loop> simulated_loop();

/// What goes wrong on an in-memory stream; counts are bytes of one direction.
struct StreamFaults {
  std::size_t chunk = ~std::size_t{0};        ///< at most so many bytes in one read (split at every byte: 1)
  std::size_t break_after = ~std::size_t{0};  ///< the stream fails once so many bytes were read
  std::size_t capacity = 65536;               ///< bytes under way before a writer blocks
};

/// Two connected ends; `faults` apply to what the first end reads.
std::pair<std::unique_ptr<io::Stream>, std::unique_ptr<io::Stream>> stream_pair(StreamFaults faults = {});

}  // namespace berth::testing
