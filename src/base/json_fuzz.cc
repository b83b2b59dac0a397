// Any bytes as JSON. What must hold: what was read is the same after being written and read again, in every form.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = parse_json(text);
  for (const std::string& written : value ? std::vector{value->dump(), value->dump(2), value->canonical()}
                                          : std::vector<std::string>{quote_json(text)}) {
    const auto again = parse_json(written);
    if (!again || (value && *again != *value)) std::abort();
  }
  return 0;
}
