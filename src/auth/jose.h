// JSON Web Tokens signed by somebody else: RFC 7515, 7517, 7518, 8037. Three algorithms, chosen by us. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace berth::auth {

enum class Algorithm { rs256, es256, eddsa };

/// A public key that signatures may be checked with.
struct VerifyKey {
  std::string kid{};  ///< "" when it has none
  Algorithm algorithm = Algorithm::rs256;
  std::string n{}, e{};  ///< RSA: big-endian numbers, at least 2048 bits
  std::string x{}, y{};  ///< P-256: 32 bytes each; Ed25519: x
};
using VerifyKeys = std::vector<VerifyKey>;

/// The keys of a set that are for signatures and of a kind that is known; others are passed over. Code::invalid when
/// that leaves none, or there are more than 100.
Result<VerifyKeys> parse_jwks(const Json& set);

/// Whether `signature` is that of `text`: RS256 as is, ES256 as r and s (64 bytes), EdDSA 64 bytes.
bool verify_signature(const VerifyKey& key, std::string_view text, std::string_view signature);

/// The same with ES256 as ASN.1, which authenticators write.
bool verify_der_signature(const VerifyKey& key, std::string_view text, std::string_view signature);

/// A compact JWS whose signature holds.
struct VerifiedJwt {
  Json header{};
  Json claims{};
};
/// The algorithm is the key's, never only the token's word. Code::not_found when no key has its kid (fetch the keys
/// again), denied for anything else that is wrong with it.
Result<VerifiedJwt> verify_jwt(std::string_view text, const VerifyKeys& keys);

}  // namespace berth::auth
