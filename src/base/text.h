// Small operations on text that the standard library lacks.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth {

/// The parts between `separator`s; at least one (possibly empty) part. The views live as long as `text`.
std::vector<std::string_view> split(std::string_view text, char separator);
/// `text` before and after the first `separator`; `found` is false and `after` empty when there is none.
struct Cut {
  std::string_view before;
  std::string_view after;
  bool found = false;
};
Cut cut(std::string_view text, char separator);
/// The same at the last `separator`.
Cut cut_last(std::string_view text, char separator);

std::string join(std::span<const std::string> parts, std::string_view separator);
/// Without ASCII white space at both ends.
std::string_view trim(std::string_view text);
/// ASCII letters in lower case; other bytes stay.
std::string lower(std::string_view text);
/// ASCII letters compared without case.
bool equal_fold(std::string_view a, std::string_view b);
/// Every `from` replaced by `to`. REQUIRES: `from` is not empty.
std::string replace_all(std::string_view text, std::string_view from, std::string_view to);

/// Levenshtein distance in bytes.
std::size_t edit_distance(std::string_view a, std::string_view b);
/// The candidate nearest to `word`, or "" when none is near enough to be what was meant.
std::string_view did_you_mean(std::string_view word, std::span<const std::string_view> candidates);
/// ` (did you mean "x"?)`, or "" when no candidate is near: to end an error message with.
std::string suggestion(std::string_view word, std::span<const std::string_view> candidates);

/// A command line as words, the way Compose reads `command: a "b c"`: white space divides; '...' is literal; "..." and
/// `...` and $(...) keep white space; a backslash outside '...' takes the next character (\n and \t as in C); nothing
/// is expanded; the first ; & | < or > outside quotes ends the words, the rest is dropped.
/// Code::invalid for a quote or $( that is not closed, a bare parenthesis, or a backslash at the end.
Result<std::vector<std::string>> split_words(std::string_view text);

}  // namespace berth
