#include "cli/variables.h"

#include <string_view>
#include <vector>

#include "cli/console.h"

namespace berth::cli {
namespace {

using Variables = std::map<std::string, Variable>;

bool starts_name(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool in_name(char c) {
  return starts_name(c) || (c >= '0' && c <= '9');
}

std::size_t name_end(std::string_view text, std::size_t at) {
  while (at < text.size() && in_name(text[at])) ++at;
  return at;
}

// The brace that closes the one before `at`.
std::size_t closing(std::string_view text, std::size_t at) {
  int depth = 1;
  for (; at < text.size(); ++at) {
    if (text[at] == '{' && at > 0 && text[at - 1] == '$') ++depth;
    if (text[at] == '}' && --depth == 0) return at;
  }
  return text.size();
}

void scan(std::string_view text, Variables& out);

// What stands between the braces.
void add_braced(std::string_view inner, Variables& out) {
  const auto end = name_end(inner, 0);
  if (end == 0) return;
  auto& variable = out[std::string(inner.substr(0, end))];
  auto rest = inner.substr(end);
  if (rest.starts_with(':')) rest.remove_prefix(1);
  if (rest.empty()) return;
  const auto word = rest.substr(1);
  if (rest[0] == '?') variable.required = true;
  if (rest[0] == '-' && variable.fallback.empty()) variable.fallback = word;
  if (rest[0] == '+' && variable.alternative.empty()) variable.alternative = word;
  scan(word, out);
}

void scan(std::string_view text, Variables& out) {
  for (std::size_t at = 0; at + 1 < text.size(); ++at) {
    if (text[at] != '$') continue;
    const char next = text[at + 1];
    if (next == '{') {
      const auto end = closing(text, at + 2);
      add_braced(text.substr(at + 2, end - at - 2), out);
      at = end;
    } else if (starts_name(next)) {
      const auto end = name_end(text, at + 1);
      out.try_emplace(std::string(text.substr(at + 1, end - at - 1)));
      at = end - 1;
    } else if (next == '$') {
      ++at;
    }
  }
}

void walk(const Json& value, Variables& out) {
  if (value.is_text()) scan(value.text(), out);
  for (const auto& item : value.items()) walk(item, out);
  for (const auto& [key, item] : value.members()) walk(item, out);
}

}  // namespace

Variables variables_of(const Json& document) {
  Variables out;
  walk(document, out);
  return out;
}

std::string variables_table(const Json& document) {
  std::vector<std::vector<std::string>> rows = {{"NAME", "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE"}};
  for (const auto& [name, variable] : variables_of(document))
    rows.push_back({name, variable.required ? "true" : "false", variable.fallback, variable.alternative});
  return table(rows);
}

}  // namespace berth::cli
