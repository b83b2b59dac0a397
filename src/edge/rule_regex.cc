// The only file that knows RE2.
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "edge/rule.h"

namespace berth::edge {
namespace {

constexpr std::size_t kMostGroups = 20;
constexpr std::size_t kMostReplaced = 16u << 10;

using Groups = std::array<re2::StringPiece, kMostGroups>;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// What the group `name` matched; "" for one that is none.
std::string_view group_of(const RE2& re, const Groups& groups, std::string_view name) {
  std::size_t number = kMostGroups;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || end != name.data() + name.size()) {
    const auto& names = re.NamedCapturingGroups();
    const auto found = names.find(std::string(name));
    number = found == names.end() ? kMostGroups : static_cast<std::size_t>(found->second);
  }
  return number < kMostGroups ? std::string_view(groups[number].data(), groups[number].size()) : std::string_view();
}

void expand(std::string& out, const RE2& re, const Groups& groups, std::string_view replacement) {
  while (!replacement.empty()) {
    const auto dollar = replacement.find('$');
    out += replacement.substr(0, dollar);
    if (dollar == std::string_view::npos) return;
    replacement.remove_prefix(dollar + 1);
    const bool braced = replacement.starts_with('{') && replacement.contains('}');
    if (replacement.starts_with('$')) {
      out += '$';
      replacement.remove_prefix(1);
      continue;
    }
    std::size_t end = braced ? replacement.find('}') : 0;
    while (!braced && end < replacement.size() && is_word(replacement[end])) ++end;
    const std::string_view name = braced ? replacement.substr(1, end - 1) : replacement.substr(0, end);
    if (name.empty()) out += '$';
    out += name.empty() ? std::string_view() : group_of(re, groups, name);
    replacement.remove_prefix(braced ? end + 1 : end);
  }
}

}  // namespace

class Regex {
 public:
  Regex(std::string_view pattern, const RE2::Options& options, bool whole_text)
      : re(re2::StringPiece(pattern.data(), pattern.size()), options), whole(whole_text) {}
  RE2 re;
  bool whole;
};

Result<std::shared_ptr<const Regex>> compile_regex(std::string_view pattern, RegexOptions options) {
  RE2::Options settings;
  settings.set_log_errors(false);
  settings.set_case_sensitive(!options.ignore_case);
  settings.set_max_mem(1 << 20);
  settings.set_never_capture(!options.captures);
  auto regex = std::make_shared<const Regex>(pattern, settings, options.whole);
  if (!regex->re.ok()) {
    return fail(Code::invalid, "\"" + std::string(pattern) + "\" is not a regular expression: " + regex->re.error());
  }
  return regex;
}

bool matches(const Regex& regex, std::string_view text) {
  const re2::StringPiece piece(text.data(), text.size());
  return regex.whole ? RE2::FullMatch(piece, regex.re) : RE2::PartialMatch(piece, regex.re);
}

Result<std::string> replace(const Regex& regex, std::string_view text, std::string_view replacement) {
  std::string out;
  const re2::StringPiece whole(text.data(), text.size());
  const int groups_in = std::min<int>(kMostGroups, 1 + regex.re.NumberOfCapturingGroups());
  std::size_t at = 0;
  while (at <= text.size() && out.size() <= kMostReplaced) {
    Groups groups;
    if (!regex.re.Match(whole, at, text.size(), RE2::UNANCHORED, groups.data(), groups_in)) break;
    const auto begin = static_cast<std::size_t>(groups[0].data() - text.data());
    out += text.substr(at, begin - at);
    expand(out, regex.re, groups, replacement);
    at = begin + groups[0].size();
    // An empty match moves on by a byte, which stays.
    if (groups[0].empty() && at < text.size()) out += text[at];
    if (groups[0].empty()) ++at;
  }
  if (at < text.size()) out += text.substr(at);
  if (out.size() > kMostReplaced) return fail(Code::invalid, "the text after the replacement is too long");
  return out;
}

std::size_t prefix_length(const Regex& regex, std::string_view text) {
  re2::StringPiece match;
  const re2::StringPiece whole(text.data(), text.size());
  if (!regex.re.Match(whole, 0, text.size(), RE2::ANCHOR_START, &match, 1)) return 0;
  return match.size();
}

}  // namespace berth::edge
