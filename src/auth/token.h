// Secrets that berth gives out: API tokens, session cookies, one-time codes. Only their hashes are kept. Pure but for
// the random numbers that are handed in.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "auth/principal.h"
#include "base/error.h"

namespace berth::auth {

/// 256 bits as 43 characters of the URL alphabet. REQUIRES: 32 bytes.
std::string secret_text(std::string_view random);
/// Whether `text` looks like what secret_text() gives.
bool is_secret_text(std::string_view text);
/// What is stored of a secret of 256 bits: SHA-256, 32 bytes. Such a one needs no slow hash and no salt.
std::string secret_hash(std::string_view text);
/// In constant time for texts of one size.
bool same_secret(std::string_view a, std::string_view b);

/// "berth_<public id>_<secret>": looked up by the public id, compared by the secret's hash.
struct TokenText {
  std::string id{};      ///< 16 hex digits
  std::string secret{};  ///< 43 characters
  friend bool operator==(const TokenText&, const TokenText&) = default;
};
/// REQUIRES: 8 and 32 bytes.
TokenText make_token(std::string_view id, std::string_view secret);
std::string to_text(const TokenText& token);
/// Nothing for what is no token of berth.
std::optional<TokenText> parse_token(std::string_view text);

/// "view logs act": known permissions without doubles, at least one; not everyone (it needs none). Code::invalid.
Result<std::set<Permission>> parse_scopes(std::string_view text);
std::string to_text(const std::set<Permission>& scopes);

}  // namespace berth::auth
