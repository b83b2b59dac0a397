#include "auth/token.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "base/base64.h"
#include "base/hash.h"
#include "base/text.h"

namespace berth::auth {
namespace {

constexpr std::string_view kPrefix = "berth_";
constexpr std::size_t kSecret = 43, kId = 16;

bool is_url_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}
bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

}  // namespace

std::string secret_text(std::string_view random) {
  return encode_base64url(random);
}

bool is_secret_text(std::string_view text) {
  return text.size() == kSecret && std::ranges::all_of(text, is_url_letter);
}

std::string secret_hash(std::string_view text) {
  return sha256(text);
}

bool same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

TokenText make_token(std::string_view id, std::string_view secret) {
  return {.id = to_hex(id), .secret = secret_text(secret)};
}

std::string to_text(const TokenText& token) {
  return std::string(kPrefix) + token.id + "_" + token.secret;
}

std::optional<TokenText> parse_token(std::string_view text) {
  if (!text.starts_with(kPrefix) || text.size() != kPrefix.size() + kId + 1 + kSecret) return {};
  text.remove_prefix(kPrefix.size());
  const std::string_view id = text.substr(0, kId), secret = text.substr(kId + 1);
  if (text[kId] != '_' || !std::ranges::all_of(id, is_hex) || !is_secret_text(secret)) return {};
  return TokenText{.id = std::string(id), .secret = std::string(secret)};
}

Result<std::set<Permission>> parse_scopes(std::string_view text) {
  std::set<Permission> scopes;
  for (const auto part : split(text, ' ')) {
    if (part.empty()) continue;
    const auto permission = parse_permission(part);
    if (!permission || *permission == Permission::everyone) {
      return fail(Code::invalid, "scope \"" + std::string(part) +
                                     "\" is not known; use view, logs, act, deploy, reveal, exec, remove, self, "
                                     "engine, audit, users or settings");
    }
    scopes.insert(*permission);
  }
  if (scopes.empty()) return fail(Code::invalid, "a token needs at least one scope, such as view");
  return scopes;
}

std::string to_text(const std::set<Permission>& scopes) {
  std::string out;
  for (const Permission scope : scopes) out += (out.empty() ? "" : " ") + std::string(to_text(scope));
  return out;
}

}  // namespace berth::auth
