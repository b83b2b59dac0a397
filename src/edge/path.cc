#include "edge/path.h"

#include <algorithm>

namespace berth::edge {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_unreserved(int c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

bool is_canonical(std::string_view path) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '%' || path[i] == '\\') return false;
    if (path[i] == '/' && i + 1 < path.size() && (path[i + 1] == '/' || path[i + 1] == '.')) return false;
  }
  return true;
}

/// Appends the canonical form of the escape at the front of `rest`.
Result<void> append_escape(std::string& out, std::string_view rest) {
  const int high = rest.size() > 2 ? hex_value(rest[1]) : -1, low = rest.size() > 2 ? hex_value(rest[2]) : -1;
  if (high < 0 || low < 0) return fail(Code::invalid, "the path has an incomplete percent escape");
  const int value = high * 16 + low;
  if (value == '/' || value == '\\' || value == '%' || value == 0) {
    return fail(Code::invalid, "the path has an encoded slash, backslash, percent sign or NUL");
  }
  if (is_unreserved(value)) {
    out += static_cast<char>(value);
    return {};
  }
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  out += '%';
  out += kDigits[static_cast<std::size_t>(high)];
  out += kDigits[static_cast<std::size_t>(low)];
  return {};
}

int escaped_byte(std::string_view text) {
  const int high = text.size() > 2 && text[0] == '%' ? hex_value(text[1]) : -1,
            low = high < 0 ? -1 : hex_value(text[2]);
  return low < 0 ? -1 : high * 16 + low;
}

/// UTF-8 that says a character in more bytes than it needs: a decoder that takes it reads a slash where we see none.
bool is_overlong(std::string_view rest) {
  const int first = escaped_byte(rest), second = escaped_byte(rest.substr(std::min<std::size_t>(3, rest.size())));
  if (first == 0xC0 || first == 0xC1) return second >= 0x80 && second < 0xC0;
  return (first == 0xE0 && second >= 0x80 && second < 0xA0) || (first == 0xF0 && second >= 0x80 && second < 0x90);
}

/// "..;x" is ".." for servers that cut a segment's parameters off before they look at it.
bool is_dots_with_parameters(std::string_view segment) {
  return segment.starts_with(".;") || segment.starts_with("..;");
}

Result<std::string> unescape(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '\\') return fail(Code::invalid, "the path has a backslash");
    if (path[i] != '%') {
      out += path[i];
      continue;
    }
    if (is_overlong(path.substr(i))) return fail(Code::invalid, "the path has overlong UTF-8");
    TRY(append_escape(out, path.substr(i)));
    i += 2;
  }
  return out;
}

}  // namespace

Result<std::string_view> canonical_path(std::string_view path, std::string& storage) {
  if (!path.starts_with('/')) return fail(Code::invalid, "the path does not begin with a slash");
  if (is_canonical(path)) return path;
  const std::string plain = TRY(unescape(path));
  storage.clear();
  std::string_view rest(plain);
  bool folder = false;  // the path ends in '/', or in a segment that stood for a folder
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view segment = rest.substr(0, rest.find('/'));
    rest.remove_prefix(segment.size());
    if (is_dots_with_parameters(segment)) return fail(Code::invalid, "the path has dots with parameters");
    folder = segment.empty() || segment == "." || segment == "..";
    if (segment == "..") {
      if (storage.empty()) return fail(Code::invalid, "the path leaves the root");
      storage.erase(storage.rfind('/'));
    } else if (!folder) {
      storage.append("/").append(segment);
    }
  }
  if (folder || storage.empty()) storage += '/';
  return std::string_view(storage);
}

}  // namespace berth::edge
