#include "auth/ldap_text.h"

#include "base/hash.h"
#include "base/text.h"

namespace berth::auth {
namespace {

/// Both languages take any byte as a backslash and two hex digits.
std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    out += plain ? std::string(1, c) : "\\" + to_hex(std::string_view(&c, 1));
  }
  return out;
}

}  // namespace

std::string escape_filter(std::string_view text) {
  return escape(text);
}

std::string escape_dn(std::string_view text) {
  return escape(text);
}

std::string with_name(std::string_view pattern, const std::string& escaped) {
  return replace_all(pattern, "{name}", escaped);
}

}  // namespace berth::auth
