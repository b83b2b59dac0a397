// Any bytes as BuildKit's progress. It must neither crash nor hang. Seeds: testdata/build_trace.
#include "engine/build_trace.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto trace = berth::engine::parse_trace({reinterpret_cast<const char*>(data), size});
  if (!trace) return 0;
  berth::engine::TraceText text;
  for (int round = 0; round < 2; ++round)
    for (const std::string& line : text.add(*trace))
      if (line.find('\n') == 0) __builtin_trap();
  (void)text.failed_output();
  return 0;
}
