// Any text is either refused or becomes a rule that matches without fault.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "edge/rule.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth::edge;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto rule = parse_rule(text);
  if (!rule) return rule.error().message.empty() ? __builtin_trap(), 1 : 0;
  const RequestFacts facts{
      .host = "a.test", .method = "GET", .path = "/", .query = "a=b", .client = {}, .headers = nullptr};
  const bool first = matches(*rule, facts);
  // What a rule needs as hosts never contradicts what it matches.
  const auto hosts = hosts_of(*rule);
  const bool indexed = hosts.empty() || std::find(hosts.begin(), hosts.end(), "a.test") != hosts.end() ||
                       std::find(hosts.begin(), hosts.end(), "*.test") != hosts.end();
  if (first && !indexed) __builtin_trap();
  return 0;
}
