// The key of an ACME account: signs every request (RFC 8555 6.2) and is named by its thumbprint in challenges.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::edge {

/// Of a certificate's key, by Traefik's names.
enum class KeyType { ec256, ec384, rsa2048, rsa4096, rsa8192 };
/// "EC256" in any case. Code::invalid with the names that are known.
Result<KeyType> parse_key_type(std::string_view text);
/// A new key as PEM (PKCS #8), secret. An RSA key of 8192 bits takes seconds.
Result<std::string> make_key(KeyType type);

/// An account's key with what JOSE needs of it: ECDSA P-256, which berth makes, or RSA, which imported accounts have.
/// Immutable, any thread.
class AcmeKey {
 public:
  /// Code::invalid for anything but a PEM P-256 or RSA key.
  static Result<AcmeKey> load(std::string_view pem);
  /// The public key with its members in the order of RFC 7638.
  const std::string& jwk() const { return jwk_; }
  /// base64url of the SHA-256 of jwk().
  const std::string& thumbprint() const { return thumbprint_; }
  /// ES256 or RS256.
  std::string_view algorithm() const;
  /// ES256: r and s, 64 bytes (RFC 7518 3.4). RS256: as long as the key (3.3).
  Result<std::string> sign(std::string_view bytes) const;

 private:
  struct Parts;
  std::shared_ptr<const Parts> parts_;
  std::string jwk_, thumbprint_;
};

}  // namespace berth::edge
