// Any bytes as a tar that comes in pieces. It must neither crash nor hang, and never give more content than it got.
#include <cstddef>
#include <cstdint>

#include "engine/tar_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using Step = berth::engine::TarReader::Step;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  berth::engine::TarReader reader;
  std::size_t given = 0;
  while (!text.empty()) {
    std::string_view piece = text.substr(0, 700);
    text.remove_prefix(piece.size());
    auto step = reader.next(piece);
    for (; step && *step != Step::more && *step != Step::end; step = reader.next(piece))
      if (*step == Step::content) given += reader.content().size();
    if (!step || *step == Step::end) break;
  }
  if (given > size) __builtin_trap();
  return 0;
}
