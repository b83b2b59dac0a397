// Variables in any text. What must hold: a text without a dollar stays as it is, and one whose dollars are all doubled
// comes back as it was.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "compose/interpolate.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) out.append(c == '$' ? 2 : 1, c);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth::compose;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Environment environment{{"A", "1"}, {"EMPTY", ""}, {"DOLLAR", "$A ${A}"}, {"LONG_name_2", "some longer text"}};
  std::set<std::string> unset;
  const auto result = substitute(text, lookup_in(environment), unset);
  if (!result) require(!result.error().message.empty());
  if (result && text.find('$') == std::string_view::npos) require(*result == text);
  for (const std::string& name : unset) require(!environment.contains(name));
  const auto back = substitute(escaped(text), lookup_in(environment), unset);
  require(back && *back == text);
  return 0;
}
