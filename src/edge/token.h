// Signed tokens (JWT, RFC 7519) and what they say. Pure but for OpenSSL's own state.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::edge {

/// The keys by which tokens are judged. Immutable, any thread.
class TokenKeys {
 public:
  /// HS256 by this secret.
  static TokenKeys shared_secret(std::string secret);
  /// RS256 or ES256 by this PEM, as its kind says. Code::invalid when it is neither RSA nor P-256.
  static Result<TokenKeys> public_key(const std::string& pem);
  /// RS256 and ES256 by the keys of a set (RFC 7517). Keys of other kinds are left out; Code::invalid when none is
  /// left.
  static Result<TokenKeys> key_set(std::string_view json);

  struct Key;

 private:
  friend class TokenCheck;
  std::string secret_;
  std::vector<std::shared_ptr<const Key>> keys_;
};

struct TokenRules {
  std::string issuer{}, audience{};  ///< empty: any
};

/// The subject of a token that holds now. Code::denied with a reason that may be logged (never the token's text): wrong
/// form, an algorithm that the keys are not for, a wrong signature, no longer or not yet valid, another issuer or
/// audience. A minute of difference between clocks is borne.
Result<std::string> check_token(const TokenKeys& keys, const TokenRules& rules, std::string_view token,
                                std::chrono::sys_seconds now);

}  // namespace berth::edge
