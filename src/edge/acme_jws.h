// Signed requests of ACME: flattened JSON Web Signatures (RFC 7515) with ES256 or RS256, and external account bindings.
// Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::edge {

/// An account's key as a value: what AcmeKey gives.
struct AcmeSigner {
  std::string jwk;         ///< JSON text of the public key
  std::string thumbprint;  ///< base64url (RFC 7638)
  std::function<Result<std::string>(std::string_view)> sign;
  std::string algorithm = "ES256";
};

struct JwsHeader {
  std::string_view url;
  std::string_view nonce;
  std::string_view account{};  ///< its URL as `kid`; "": the key itself, for newAccount
};
/// An empty payload is a POST-as-GET (RFC 8555 6.3).
Result<std::string> make_jws(const AcmeSigner& signer, const JwsHeader& header, std::string_view payload);

/// A CA's name and MAC key for an account that it knows already (RFC 8555 7.3.4).
struct AccountBinding {
  std::string kid{};   ///< "": none
  std::string hmac{};  ///< base64url, secret
  friend bool operator==(const AccountBinding&, const AccountBinding&) = default;
};
/// HS256 over the account's public key. Code::invalid when the MAC key is not base64.
Result<std::string> make_binding(const AccountBinding& binding, std::string_view jwk, std::string_view url);

}  // namespace berth::edge
