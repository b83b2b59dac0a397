#include "auth/next.h"

#include <algorithm>

#include "base/text.h"
#include "http/text.h"
#include "http/url.h"

namespace berth::auth {
namespace {

constexpr std::size_t kMost = 512;

bool is_plain(char c) {
  return http::in_class(c, http::kUnreserved) || std::string_view("/?=&,+%").contains(c);
}

bool is_plain_segment(std::string_view segment) {
  return segment != "." && segment != "..";
}

/// Escapes stand for what may not be there in plain: then somebody decodes more often than we do.
bool has_harmless_escapes(std::string_view text) {
  const auto decoded = http::percent_decode(text);
  if (!decoded) return false;
  if (std::ranges::count(text, '%') == 0) return true;
  for (std::size_t i = text.find('%'); i != std::string_view::npos; i = text.find('%', i + 3)) {
    const int byte = http::hex_value(text[i + 1]) * 16 + http::hex_value(text[i + 2]);
    // Only what is no separator anywhere: a space, and bytes of UTF-8.
    if (byte != 0x20 && byte < 0x80) return false;
  }
  return true;
}

bool is_safe(std::string_view wanted) {
  if (wanted.empty() || wanted.size() > kMost || wanted.front() != '/') return false;
  if (!std::ranges::all_of(wanted, is_plain) || std::ranges::count(wanted, '?') > 1) return false;
  if (wanted.contains("//") || !has_harmless_escapes(wanted)) return false;
  const auto path = cut(wanted, '?').before;
  // Signing in is over; the API answers no browser.
  if (path == "/api" || path.starts_with("/api/") || path == "/login" || path == "/setup") return false;
  return std::ranges::all_of(split(path, '/'), is_plain_segment);
}

}  // namespace

std::string safe_next(std::string_view wanted) {
  return is_safe(wanted) ? std::string(wanted) : "/";
}

}  // namespace berth::auth
