// A provider's keys and the tokens it would sign, and what forgers would.
#pragma once

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <memory>
#include <string>

#include "base/base64.h"
#include "base/json.h"

namespace berth::auth {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

/// A key pair of one of the three kinds.
class SigningKey {
 public:
  SigningKey(std::string kid, std::string algorithm) : kid_(std::move(kid)), algorithm_(std::move(algorithm)) {
    key_.reset(algorithm_ == "RS256"   ? EVP_RSA_gen(2048)
               : algorithm_ == "ES256" ? EVP_EC_gen("P-256")
                                       : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  }
  const std::string& kid() const { return kid_; }
  const std::string& algorithm() const { return algorithm_; }
  Json jwk() const {
    Json jwk = Json::object({{"kid", kid_}, {"use", "sig"}, {"alg", algorithm_}});
    if (algorithm_ == "RS256") {
      jwk.set("kty", "RSA");
      jwk.set("n", number(OSSL_PKEY_PARAM_RSA_N));
      jwk.set("e", number(OSSL_PKEY_PARAM_RSA_E));
    } else if (algorithm_ == "ES256") {
      jwk.set("kty", "EC");
      jwk.set("crv", "P-256");
      jwk.set("x", number(OSSL_PKEY_PARAM_EC_PUB_X, 32));
      jwk.set("y", number(OSSL_PKEY_PARAM_EC_PUB_Y, 32));
    } else {
      std::string raw(32, '\0');
      std::size_t size = raw.size();
      EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(raw.data()), &size);
      jwk.set("kty", "OKP");
      jwk.set("crv", "Ed25519");
      jwk.set("x", encode_base64url(raw));
    }
    return jwk;
  }
  /// As OpenSSL writes it: ES256 as ASN.1.
  std::string sign_der(const std::string& text) const {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    std::string out(512, '\0');
    std::size_t size = out.size();
    auto* into = reinterpret_cast<unsigned char*>(out.data());
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    EVP_DigestSignInit(context, nullptr, algorithm_ == "EdDSA" ? nullptr : EVP_sha256(), nullptr, key_.get());
    EVP_DigestSign(context, into, &size, bytes, text.size());
    EVP_MD_CTX_free(context);
    return out.substr(0, size);
  }
  /// As JOSE writes it: ES256 as two numbers.
  std::string sign(const std::string& text) const {
    const std::string der = sign_der(text);
    if (algorithm_ != "ES256") return der;
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
    const std::string plain = padded(ECDSA_SIG_get0_r(signature), 32) + padded(ECDSA_SIG_get0_s(signature), 32);
    ECDSA_SIG_free(signature);
    return plain;
  }
  /// The public key as a forger would use it for an HMAC.
  std::string public_text() const { return jwk().dump(); }

 private:
  static std::string padded(const BIGNUM* value, int size) {
    std::string bytes(static_cast<std::size_t>(size), '\0');
    BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()), size);
    return bytes;
  }
  std::string number(const char* name, int size = 0) const {
    BIGNUM* value = nullptr;
    EVP_PKEY_get_bn_param(key_.get(), name, &value);
    const std::string bytes = padded(value, size == 0 ? BN_num_bytes(value) : size);
    BN_free(value);
    return encode_base64url(bytes);
  }

  std::string kid_, algorithm_;
  std::unique_ptr<EVP_PKEY, FreeKey> key_;
};

/// header.claims as the signature covers them.
inline std::string signing_input(const Json& header, const Json& claims) {
  return encode_base64url(header.dump()) + "." + encode_base64url(claims.dump());
}
inline std::string signed_token(const SigningKey& key, const Json& header, const Json& claims) {
  const std::string input = signing_input(header, claims);
  return input + "." + encode_base64url(key.sign(input));
}

}  // namespace berth::auth
