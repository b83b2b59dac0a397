// Passkeys: what an authenticator's answers must say (Web Authentication Level 2, 7.1 and 7.2). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "auth/jose.h"

namespace berth::auth {

/// What an answer must belong to.
struct Ceremony {
  std::string origin{};  ///< "https://berth.localhost:8443"
  std::string host{};    ///< rpId: the platform's host without a port
};
/// The challenge that an answer says it is for, to take it out of the store with; "" when it says none.
std::string challenge_of(const Json& credential);

struct PasskeyMade {
  std::string id{};  ///< base64url
  VerifyKey key{};
  std::int64_t counter = 0;
};
/// A new passkey. The user must have been verified by the authenticator; who made it is not asked (attestation none).
/// Code::denied for everything that does not fit.
Result<PasskeyMade> check_new_passkey(const Json& credential, const Ceremony& ceremony);

/// Its new counter. Code::denied for everything that does not fit, also a counter that did not grow: the passkey was
/// copied.
Result<std::int64_t> check_passkey(const Json& assertion, const Ceremony& ceremony, const VerifyKey& key,
                                   std::int64_t counter);

/// Public keys as they are kept.
std::string encode_key(const VerifyKey& key);
Result<VerifyKey> decode_key(std::string_view text);

}  // namespace berth::auth
