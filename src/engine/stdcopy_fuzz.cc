// Any bytes as the multiplexed output of a container. What must hold: the same bytes come out however they arrive.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "engine/stdcopy.h"

namespace {

using namespace berth::engine;

struct Outputs {
  std::string texts[2]{};
  bool failed = false;
  bool at_boundary = false;
  bool operator==(const Outputs&) const = default;
};

// Up to the first fault: what came before it may arrive in more or fewer pieces, but is the same.
Outputs read(std::string_view text, std::size_t piece) {
  Outputs outputs;
  StdcopyReader reader;
  while (!text.empty()) {
    std::string_view part = text.substr(0, piece);
    text.remove_prefix(part.size());
    while (true) {
      const auto next = reader.next(part);
      if (!next) {
        outputs.failed = true;
        return outputs;
      }
      if (!*next) break;
      if ((*next)->bytes.empty()) std::abort();
      outputs.texts[(*next)->channel == Channel::err ? 1 : 0] += (*next)->bytes;
    }
    if (!part.empty()) std::abort();
  }
  outputs.at_boundary = reader.at_boundary();
  return outputs;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Outputs whole = read(text, size + 1);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{11}})
    if (read(text, piece) != whole) std::abort();
  return 0;
}
