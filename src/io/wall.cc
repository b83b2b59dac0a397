#include "io/wall.h"

#include <chrono>

namespace berth::io {

std::int64_t wall_time() {
  using std::chrono::microseconds;
  return std::chrono::duration_cast<microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace berth::io
