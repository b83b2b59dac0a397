#include "compose/yaml_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/utf8.h"

namespace berth::compose {
namespace {

constexpr int kDirectives = 100;

// Walks one source character by character.
class TextCheck {
 public:
  TextCheck(const Sources& sources, std::uint16_t file) : sources_(sources), text_(sources.text(file)) {
    mark_.file = file;
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  Result<void> run() {
    while (at_ < text_.size()) {
      const std::size_t length = utf8_length(text_.substr(at_));
      if (length == 0) return refuse("this is not UTF-8");
      const std::string_view character = text_.substr(at_, length);
      if (mark_.column == 1 && character == "%" && ++directives_ > kDirectives) return refuse("too many directives");
      const bool ends_line = character == "\n";
      if (!ends_line && character != "\r" && !is_printable(character))
        return refuse("control characters are not allowed");
      at_ += length;
      mark_.column = static_cast<std::uint16_t>(std::min(mark_.column + 1, 65535));
      if (ends_line) mark_ = {mark_.line + 1, 1, mark_.file};
    }
    return {};
  }

 private:
  std::unexpected<Error> refuse(std::string_view why) const {
    return fail(sources_.error(mark_, fmt::format("invalid YAML: {}", why)));
  }

  const Sources& sources_;
  std::string_view text_;
  Mark mark_{.line = 1, .column = 1};
  std::size_t at_ = 0;
  int directives_ = 0;
};

// U+2028, U+2029 and U+FEFF, which is no character amid a text.
bool is_break_or_mark(std::string_view c) {
  return c == "\xE2\x80\xA8" || c == "\xE2\x80\xA9" || c == "\xEF\xBB\xBF";
}

unsigned point_of(std::string_view c) {
  const auto low = [&](std::size_t i) { return static_cast<unsigned char>(c[i]) & 0x3fU; };
  if (c.size() == 1) return static_cast<unsigned char>(c[0]);
  if (c.size() == 2) return (static_cast<unsigned char>(c[0]) & 0x1fU) << 6 | low(1);
  return (static_cast<unsigned char>(c[0]) & 0x0fU) << 12 | low(1) << 6 | low(2);
}

// A line up to a place, and what is left of the text from there.
struct Split {
  std::string_view before, rest;
};

Split split_at(std::string_view text, Mark mark) {
  for (std::uint32_t line = 1; line < mark.line; ++line)
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  std::size_t at = 0;
  for (std::uint16_t column = 1; column < mark.column && at < text.size(); ++column)
    at += std::max<std::size_t>(utf8_length(text.substr(at)), 1);
  at = std::min(at, text.size());
  return {text.substr(0, at), text.substr(at)};
}

}  // namespace

std::string_view yaml_hint(std::string_view problem, std::string_view text, Mark mark) {
  const auto [before, rest] = split_at(text, mark);
  if (trim(rest).empty()) return "; the text ends here";
  if (rest.starts_with('\t')) return "; indent with spaces, not with tabs";
  if (problem.contains("cannot start any token")) return "; quote a value that begins with such a character";
  if (problem.contains("unknown escape character"))
    return "; write \\\\ for a backslash, or use single quotes, where it has no meaning";
  if (!problem.contains("mapping values are not allowed")) return "";
  return before.contains(": ") ? "; quote a value with \": \" in it" : "; does the line above lack its colon?";
}

std::string fit_for_yaml(std::string_view json) {
  std::string out;
  while (!json.empty()) {
    const std::size_t length = utf8_length(json);
    const std::string_view c = json.substr(0, std::max<std::size_t>(length, 1));
    json.remove_prefix(c.size());
    if (length == 0)
      out += "\\ufffd";
    else if (c == "\n" || (is_printable(c) && !is_break_or_mark(c)))
      out += c;
    else  // none has four bytes
      out += fmt::format("\\u{:04x}", point_of(c));
  }
  return out;
}

Result<void> check_yaml_text(const Sources& sources, std::uint16_t file) {
  return TextCheck(sources, file).run();
}

}  // namespace berth::compose
