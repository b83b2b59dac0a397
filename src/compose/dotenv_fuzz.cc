// Any bytes as a file of variables, in both formats. What must hold: no name has what ends a name, and a value written
// in single quotes is read as it stands. (A last line without newline and value has no name, as in the reference.)
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "compose/dotenv.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth::compose;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Environment environment{{"HOME", "/home/user"}, {"EMPTY", ""}};
  const Lookup lookup = lookup_in(environment);
  std::set<std::string> unset;
  const Dotenv with{.lookup = lookup, .unset = unset};
  Environment variables;
  const auto parsed = parse_dotenv(text, with, variables);
  if (!parsed) require(!parsed.error().message.empty());
  for (const auto& [name, value] : variables) {
    require(name.find_first_of("= \n") == std::string::npos);
    if (value.find_first_of("'\\\r") != std::string::npos) continue;
    Environment again;
    require(parse_dotenv("KEY='" + value + "'\n", with, again).has_value());
    require(again["KEY"] == value);
  }
  Environment raw;
  (void)parse_raw_env(text, with, raw);
  return 0;
}
