// Any bytes as a Dockerfile. It must neither crash nor hang, and named contexts must leave its lines where they are.
// Seeds: testdata/dockerfile.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/dockerfile.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const berth::engine::Arguments arguments{{"A", "base"}};
  const auto file = berth::engine::scan_dockerfile(text);
  (void)berth::engine::base_images(file, arguments);
  (void)berth::engine::needs_buildkit(file);
  (void)berth::engine::line_of_step(file, text);
  const auto rewritten = berth::engine::with_contexts(text, {{"base", "host:5000/other:1"}, {"b", "c"}}, arguments);
  if (std::ranges::count(rewritten, '\n') != std::ranges::count(text, '\n')) __builtin_trap();
  return 0;
}
