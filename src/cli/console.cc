#include "cli/console.h"

#include <algorithm>

#include "base/text.h"

namespace berth::cli {
namespace {

constexpr std::string_view kReset = "\x1b[0m";

std::string_view code_of(Color color) {
  switch (color) {
    case Color::plain:
      return "";
    case Color::bold:
      return "\x1b[1m";
    case Color::dim:
      return "\x1b[2m";
    case Color::red:
      return "\x1b[31m";
    case Color::green:
      return "\x1b[32m";
    case Color::yellow:
      return "\x1b[33m";
    case Color::blue:
      return "\x1b[34m";
    case Color::magenta:
      return "\x1b[35m";
    case Color::cyan:
      return "\x1b[36m";
  }
  return "";
}

// The bytes of the character or escape sequence that begins at `at`, and its columns.
struct Glyph {
  std::size_t bytes;
  std::size_t columns;
};
Glyph glyph_at(std::string_view text, std::size_t at) {
  if (text[at] == '\x1b' && at + 1 < text.size() && text[at + 1] == '[') {
    std::size_t end = at + 2;
    while (end < text.size() && (text[end] < '@' || text[end] > '~')) ++end;
    return {std::min(end + 1, text.size()) - at, 0};
  }
  std::size_t bytes = 1;
  while (at + bytes < text.size() && (static_cast<unsigned char>(text[at + bytes]) & 0xC0) == 0x80) ++bytes;
  return {bytes, 1};
}

}  // namespace

std::string colored(Color color, std::string_view text) {
  if (color == Color::plain) return std::string(text);
  return std::string(code_of(color)).append(text).append(kReset);
}

std::string colored(const Sink& sink, Color color, std::string_view text) {
  return sink.color ? colored(color, text) : std::string(text);
}

void Console::error(const Error& error) const {
  err.write(colored(err, Color::red, "berth:") + " " + error.text() + "\n");
}

void Console::warning(std::string_view text) const {
  err.write(colored(err, Color::yellow, "warning:") + " " + std::string(text) + "\n");
}

void Console::note(std::string_view text) const {
  err.write(std::string(text) + "\n");
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto glyph = glyph_at(text, at);
    width += glyph.columns;
    at += glyph.bytes;
  }
  return width;
}

std::string fit(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  std::string out;
  std::size_t width = 0;
  bool styled = false;
  for (std::size_t at = 0; at < text.size();) {
    const auto glyph = glyph_at(text, at);
    if (width + glyph.columns + 1 > columns) break;
    width += glyph.columns;
    styled = styled || glyph.columns == 0;
    out += text.substr(at, glyph.bytes);
    at += glyph.bytes;
  }
  if (columns > 0) out += "…";
  if (styled) out += kReset;
  return out;
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f)) out += c;
  return out;
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - display_width(row[i]) + 3, ' ');
    }
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return out;
}

}  // namespace berth::cli
