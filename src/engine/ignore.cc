#include "engine/ignore.h"

#include <algorithm>
#include <span>

#include "base/text.h"

namespace berth::engine {
namespace {

using Parts = std::span<const std::string>;

// The pattern's own form: cleaned of "./", "//", a leading '/', and "a/.." folded.
std::vector<std::string> clean_parts(std::string_view pattern) {
  std::vector<std::string> parts;
  for (const std::string_view part : split(pattern, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == ".." && !parts.empty()) {
      parts.pop_back();
    } else if (part != "..") {
      parts.emplace_back(part);
    }
  }
  return parts;
}

// Whether brackets close and no backslash ends it.
bool well_formed(std::string_view part) {
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (part[i] == '\\' && ++i >= part.size()) return false;
    if (part[i] != '[') continue;
    std::size_t end = i + 1;
    if (end < part.size() && part[end] == '^') ++end;
    const std::size_t first = end;
    while (end < part.size() && (part[end] != ']' || end == first)) end += part[end] == '\\' ? 2 : 1;
    if (end >= part.size()) return false;
    i = end;
  }
  return true;
}

// Takes one byte of a class, after a backslash too.
char take_byte(std::string_view& set) {
  if (set.front() == '\\' && set.size() > 1) set.remove_prefix(1);
  const char c = set.front();
  set.remove_prefix(1);
  return c;
}

// `pattern` begins after '['; leaves it after ']'.
bool matches_class(std::string_view& pattern, char c) {
  const bool negated = pattern.starts_with('^');
  if (negated) pattern.remove_prefix(1);
  bool found = false;
  for (bool first = true; !pattern.empty() && (first || pattern.front() != ']'); first = false) {
    const char low = take_byte(pattern);
    char high = low;
    if (pattern.size() > 1 && pattern.front() == '-' && pattern[1] != ']') {
      pattern.remove_prefix(1);
      high = take_byte(pattern);
    }
    found = found || (low <= c && c <= high);
  }
  if (!pattern.empty()) pattern.remove_prefix(1);
  return found != negated;
}

// One pattern item but '*' against one byte; takes both when they match.
bool take_item(std::string_view& pattern, std::string_view& text) {
  if (pattern.empty() || text.empty()) return false;
  const char c = text.front();
  if (pattern.front() == '[') {
    std::string_view rest = pattern.substr(1);
    if (!matches_class(rest, c)) return false;
    pattern = rest;
  } else if (pattern.front() == '?') {
    pattern.remove_prefix(1);
  } else {
    std::string_view rest = pattern;
    if (take_byte(rest) != c) return false;
    pattern = rest;
  }
  text.remove_prefix(1);
  return true;
}

// reachable[i]: the pattern so far matches the first i parts of the path. A final `**` takes at least one part.
using Reachable = std::vector<bool>;
enum class Place { inner, last };

Reachable advance(const Reachable& reachable, std::string_view part, Parts path, Place place) {
  Reachable next(path.size() + 1, false);
  const auto first = std::find(reachable.begin(), reachable.end(), true);
  if (part == "**") {
    const auto from = first - reachable.begin() + (place == Place::last ? 1 : 0);
    if (from <= static_cast<std::ptrdiff_t>(path.size())) std::fill(next.begin() + from, next.end(), true);
    return next;
  }
  for (std::size_t i = 0; i < path.size(); ++i) next[i + 1] = reachable[i] && matches_part(part, path[i]);
  return next;
}

// Whether a pattern matches the path or a folder above it.
bool matches_path(Parts pattern, Parts path) {
  Reachable reachable(path.size() + 1, false);
  reachable[0] = true;
  for (std::size_t k = 0; k < pattern.size(); ++k)
    reachable = advance(reachable, pattern[k], path, k + 1 == pattern.size() ? Place::last : Place::inner);
  return std::find(reachable.begin() + 1, reachable.end(), true) != reachable.end();
}

// Whether something below `folder` may match: a beginning of the pattern matches all of it.
bool may_match_below(Parts pattern, Parts folder) {
  Reachable reachable(folder.size() + 1, false);
  reachable[0] = true;
  for (const std::string& part : pattern) {
    if (reachable.back()) return true;
    reachable = advance(reachable, part, folder, Place::inner);
    if (part == "**" && reachable.back()) return true;
  }
  return false;
}

}  // namespace

bool matches_part(std::string_view pattern, std::string_view text) {
  std::string_view star_pattern;
  std::string_view star_text;
  bool starred = false;
  while (!text.empty() || !pattern.empty()) {
    if (pattern.starts_with('*')) {
      pattern.remove_prefix(1);
      star_pattern = pattern;
      star_text = text;
      starred = true;
    } else if (!take_item(pattern, text)) {
      if (!starred || star_text.empty()) return false;
      star_text.remove_prefix(1);
      pattern = star_pattern;
      text = star_text;
    }
  }
  return true;
}

Result<IgnorePatterns> IgnorePatterns::parse(std::string_view text) {
  IgnorePatterns result;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  int number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    if (line.starts_with('#')) continue;
    line = trim(line);
    Pattern pattern;
    if (line.starts_with('!')) {
      pattern.takes_back = true;
      line = trim(line.substr(1));
      if (line.empty())
        return fail(Code::invalid, ".dockerignore:" + std::to_string(number) + ": \"!\" without a pattern");
    }
    pattern.parts = clean_parts(line);
    for (const std::string& part : pattern.parts)
      if (!well_formed(part))
        return fail(Code::invalid,
                    ".dockerignore:" + std::to_string(number) + ": malformed pattern \"" + std::string(line) + "\"");
    if (!pattern.parts.empty()) result.patterns_.push_back(std::move(pattern));
  }
  return result;
}

bool IgnorePatterns::excludes(std::string_view path) const {
  std::vector<std::string> parts;
  for (const std::string_view part : split(path, '/')) parts.emplace_back(part);
  bool excluded = false;
  for (const Pattern& pattern : patterns_)
    if (excluded == pattern.takes_back && matches_path(pattern.parts, parts)) excluded = !pattern.takes_back;
  return excluded;
}

bool IgnorePatterns::may_return_below(std::string_view folder) const {
  std::vector<std::string> parts;
  for (const std::string_view part : split(folder, '/')) parts.emplace_back(part);
  return std::any_of(patterns_.begin(), patterns_.end(), [&](const Pattern& pattern) {
    return pattern.takes_back && may_match_below(pattern.parts, parts);
  });
}

}  // namespace berth::engine
