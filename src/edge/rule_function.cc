#include "edge/rule_function.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"

namespace berth::edge {
namespace {

constexpr std::size_t kMostValue = 64u << 10;
using Arguments = std::span<const RuleValue>;

/// Bytes beyond ASCII count as letters.
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         static_cast<unsigned char>(c) >= 0x80;
}

Result<RuleValue> bounded(std::string text) {
  if (text.size() > kMostValue) return fail(Code::invalid, "gives more than 64 KiB");
  return RuleValue(std::move(text));
}

Result<std::int64_t> number_of(const RuleValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  return fail(Code::invalid, "takes a number, not \"" + rule_text(value) + "\"");
}
Result<RuleList> list_of(const RuleValue& value) {
  if (const auto* list = std::get_if<RuleList>(&value)) return *list;
  return fail(Code::invalid, "takes a list, as splitList gives one, not \"" + rule_text(value) + "\"");
}

// Text.

Result<RuleValue> call_normalize(Arguments given) {
  return RuleValue(normalize(rule_text(given[0])));
}
Result<RuleValue> call_lower(Arguments given) {
  return RuleValue(lower(rule_text(given[0])));
}
Result<RuleValue> call_upper(Arguments given) {
  std::string text = rule_text(given[0]);
  std::ranges::transform(text, text.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
  return RuleValue(std::move(text));
}

std::string trimmed(std::string_view text, std::string_view set) {
  const auto first = text.find_first_not_of(set);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(set) - first + 1));
}
Result<RuleValue> call_trim(Arguments given) {
  return RuleValue(trimmed(rule_text(given[0]), " \t\r\n\v\f"));
}
Result<RuleValue> call_trim_all(Arguments given) {
  return RuleValue(trimmed(rule_text(given[1]), rule_text(given[0])));
}
Result<RuleValue> call_trim_prefix(Arguments given) {
  const std::string prefix = rule_text(given[0]), text = rule_text(given[1]);
  return RuleValue(text.starts_with(prefix) ? text.substr(prefix.size()) : text);
}
Result<RuleValue> call_trim_suffix(Arguments given) {
  const std::string suffix = rule_text(given[0]), text = rule_text(given[1]);
  return RuleValue(text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text);
}
Result<RuleValue> call_nospace(Arguments given) {
  std::string text = rule_text(given[0]);
  std::erase_if(text, [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); });
  return RuleValue(std::move(text));
}

Result<RuleValue> call_replace(Arguments given) {
  const std::string from = rule_text(given[0]), to = rule_text(given[1]), text = rule_text(given[2]);
  if (from.empty()) return fail(Code::invalid, "replaces an empty text");
  std::string out;
  std::size_t at = 0;
  for (auto found = text.find(from); found != std::string::npos && out.size() <= kMostValue;
       found = text.find(from, at)) {
    out.append(text, at, found - at).append(to);
    at = found + from.size();
  }
  return bounded(out.append(text, at));
}

/// The first characters, or with a negative count the last ones; bytes beyond ASCII count each.
Result<RuleValue> call_trunc(Arguments given) {
  const std::int64_t count = TRY(number_of(given[0]));
  const std::string text = rule_text(given[1]);
  const std::int64_t size = std::ssize(text);
  if (count >= 0) return RuleValue(text.substr(0, static_cast<std::size_t>(std::min(count, size))));
  return RuleValue(text.substr(static_cast<std::size_t>(std::max<std::int64_t>(0, size + std::max(count, -size)))));
}

Result<RuleValue> call_print(Arguments given) {
  std::string out;
  for (const RuleValue& each : given) out += rule_text(each);
  return bounded(std::move(out));
}

Result<RuleValue> call_printf(Arguments given) {
  const std::string form = rule_text(given[0]);
  std::string out;
  std::size_t next = 1;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] != '%') {
      out += form[i];
      continue;
    }
    const char verb = ++i < form.size() ? form[i] : '\0';
    if (verb == '%') {
      out += '%';
    } else if ((verb != 's' && verb != 'v' && verb != 'd') || next == given.size()) {
      return fail(Code::invalid, "takes a text with %s, %v, %d or %%, and a value for each");
    } else {
      out += rule_text(given[next++]);
    }
  }
  if (next != given.size()) return fail(Code::invalid, "has more values than its text has %s");
  return bounded(std::move(out));
}

// Lists.

Result<RuleValue> call_split_list(Arguments given) {
  const std::string by = rule_text(given[0]), text = rule_text(given[1]);
  if (by.empty()) return fail(Code::invalid, "splits by an empty text");
  RuleList out;
  std::size_t at = 0;
  for (auto found = text.find(by); found != std::string::npos; found = text.find(by, at)) {
    out.push_back(text.substr(at, found - at));
    at = found + by.size();
  }
  out.push_back(text.substr(at));
  return RuleValue(std::move(out));
}
Result<RuleValue> call_join(Arguments given) {
  const std::string by = rule_text(given[0]);
  std::string out;
  for (const std::string& each : TRY(list_of(given[1]))) {
    if (out.size() > kMostValue) break;
    out += (out.empty() ? "" : by) + each;
  }
  return bounded(std::move(out));
}
Result<RuleValue> call_first(Arguments given) {
  const RuleList list = TRY(list_of(given[0]));
  return RuleValue(list.empty() ? std::string() : list.front());
}
Result<RuleValue> call_last(Arguments given) {
  const RuleList list = TRY(list_of(given[0]));
  return RuleValue(list.empty() ? std::string() : list.back());
}
Result<RuleValue> call_rest(Arguments given) {
  RuleList list = TRY(list_of(given[0]));
  if (!list.empty()) list.erase(list.begin());
  return RuleValue(std::move(list));
}

Result<RuleValue> call_index(Arguments given) {
  if (const auto* map = std::get_if<LabelMap>(&given[0])) {
    const std::string key = rule_text(given[1]);
    const auto found = std::ranges::find(*map->labels, key, &std::pair<std::string, std::string>::first);
    return RuleValue(found == map->labels->end() ? std::string() : found->second);
  }
  const RuleList list = TRY(list_of(given[0]));
  const std::int64_t at = TRY(number_of(given[1]));
  if (at < 0 || at >= std::ssize(list))
    return fail(Code::invalid, "has no item " + std::to_string(at) + " of " + std::to_string(list.size()));
  return RuleValue(list[static_cast<std::size_t>(at)]);
}

// Choices.

Result<RuleValue> call_default(Arguments given) {
  return given.size() == 2 && rule_truth(given[1]) ? given[1] : given[0];
}
Result<RuleValue> call_or(Arguments given) {
  const auto found = std::ranges::find_if(given, rule_truth);
  return found == given.end() ? given.back() : *found;
}
Result<RuleValue> call_and(Arguments given) {
  const auto found = std::ranges::find_if_not(given, rule_truth);
  return found == given.end() ? given.back() : *found;
}
Result<RuleValue> call_ternary(Arguments given) {
  return rule_truth(given[2]) ? given[0] : given[1];
}
/// Of Go's `empty` and `not` alike.
Result<RuleValue> call_not(Arguments given) {
  return RuleValue(!rule_truth(given[0]));
}
Result<RuleValue> call_eq(Arguments given) {
  return RuleValue(std::ranges::any_of(given.subspan(1), [&](const RuleValue& each) { return each == given[0]; }));
}
Result<RuleValue> call_ne(Arguments given) {
  return RuleValue(given[0] != given[1]);
}
Result<RuleValue> call_contains(Arguments given) {
  return RuleValue(rule_text(given[1]).contains(rule_text(given[0])));
}
Result<RuleValue> call_has_prefix(Arguments given) {
  return RuleValue(rule_text(given[1]).starts_with(rule_text(given[0])));
}
Result<RuleValue> call_has_suffix(Arguments given) {
  return RuleValue(rule_text(given[1]).ends_with(rule_text(given[0])));
}

constexpr std::size_t kMany = 16;
constexpr RuleFunctionEntry kFunctions[] = {
    {"normalize", 1, 1, call_normalize},
    {"lower", 1, 1, call_lower},
    {"upper", 1, 1, call_upper},
    {"trim", 1, 1, call_trim},
    {"trimAll", 2, 2, call_trim_all},
    {"trimPrefix", 2, 2, call_trim_prefix},
    {"trimSuffix", 2, 2, call_trim_suffix},
    {"nospace", 1, 1, call_nospace},
    {"replace", 3, 3, call_replace},
    {"trunc", 2, 2, call_trunc},
    {"print", 0, kMany, call_print},
    {"printf", 1, kMany, call_printf},
    {"splitList", 2, 2, call_split_list},
    {"join", 2, 2, call_join},
    {"first", 1, 1, call_first},
    {"last", 1, 1, call_last},
    {"rest", 1, 1, call_rest},
    {"index", 2, 2, call_index},
    {"default", 1, 2, call_default},
    {"coalesce", 1, kMany, call_or},
    {"or", 1, kMany, call_or},
    {"and", 1, kMany, call_and},
    {"ternary", 3, 3, call_ternary},
    {"empty", 1, 1, call_not},
    {"not", 1, 1, call_not},
    {"eq", 2, kMany, call_eq},
    {"ne", 2, 2, call_ne},
    {"contains", 2, 2, call_contains},
    {"hasPrefix", 2, 2, call_has_prefix},
    {"hasSuffix", 2, 2, call_has_suffix},
};

}  // namespace

bool rule_truth(const RuleValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return !text->empty();
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number != 0;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* list = std::get_if<RuleList>(&value)) return !list->empty();
  return !std::get<LabelMap>(value).labels->empty();
}

std::string rule_text(const RuleValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  const auto* list = std::get_if<RuleList>(&value);
  if (!list) return {};
  std::string out = "[";
  for (const std::string& each : *list) out += (out.size() > 1 ? " " : "") + each;
  return out + "]";
}

const RuleFunctionEntry* find_rule_function(std::string_view name) {
  const auto* const found = std::ranges::find(kFunctions, name, &RuleFunctionEntry::name);
  return found == std::end(kFunctions) ? nullptr : found;
}

std::string normalize(std::string_view text) {
  std::string out;
  bool gap = false;
  for (const char c : text) {
    if (!is_letter(c)) {
      gap = true;
      continue;
    }
    if (gap && !out.empty()) out += '-';
    gap = false;
    out += c;
  }
  return out;
}

}  // namespace berth::edge
