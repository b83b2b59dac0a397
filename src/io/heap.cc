#include "io/heap.h"

#include <malloc.h>

namespace berth::io {

void keep_heap_small() {
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_TRIM_THRESHOLD, 64 << 10);
  ::mallopt(M_MMAP_THRESHOLD, 128 << 10);  // it would grow with what is freed
}

void trim_heap() {
  ::malloc_trim(0);
}

}  // namespace berth::io
