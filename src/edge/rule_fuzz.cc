// Any text is either refused or becomes a rule that matches without fault; the same for constraints and default rules.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "edge/rule.h"
#include "edge/rule_template.h"

namespace {

void read_as_provider_option(std::string_view text) {
  using namespace berth::edge;
  const std::vector<std::pair<std::string, std::string>> labels{{"a", "b"}};
  const RequestFacts facts{.host = {}, .method = {}, .path = {}, .query = {}, .client = {}, .labels = &labels};
  if (const auto rule = parse_rule(text, RuleKind::labels);
      rule && matches(*rule, facts) != mismatch(*rule, facts).empty())
    __builtin_trap();
  Target target;
  target.labels = labels;
  if (const auto rule = RuleTemplate::parse(text)) {
    const auto filled = rule->fill(target);
    if (filled ? filled->size() > 64u << 10 : filled.error().message.empty()) __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth::edge;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_as_provider_option(text);
  const auto rule = parse_rule(text);
  if (!rule) return rule.error().message.empty() ? __builtin_trap(), 1 : 0;
  const RequestFacts facts{
      .host = "a.test", .method = "GET", .path = "/", .query = "a=b", .client = {}, .headers = nullptr};
  const bool first = matches(*rule, facts);
  if (first != mismatch(*rule, facts).empty()) __builtin_trap();
  // What a rule needs as hosts never contradicts what it matches.
  const auto hosts = hosts_of(*rule);
  const bool indexed = hosts.empty() || std::find(hosts.begin(), hosts.end(), "a.test") != hosts.end() ||
                       std::find(hosts.begin(), hosts.end(), "*.test") != hosts.end();
  if (first && !indexed) __builtin_trap();
  return 0;
}
