#include "edge/acme_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/base64.h"
#include "base/hash.h"
#include "base/text.h"
#include "edge/x509.h"

namespace berth::edge {
namespace {

constexpr int kCoordinate = 32;  // bytes, of P-256

struct FreeNumbers {
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Number = std::unique_ptr<BIGNUM, FreeNumbers>;
using Signature = std::unique_ptr<ECDSA_SIG, FreeNumbers>;
using Digest = std::unique_ptr<EVP_MD_CTX, FreeNumbers>;

std::string padded(const BIGNUM* number) {
  std::string bytes(kCoordinate, '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), kCoordinate);
  return bytes;
}

Result<Number> number_of(const EVP_PKEY* key, const char* name) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) return x509::crypto_failed("reading a public key");
  return Number(raw);
}

Result<std::string> coordinate(const EVP_PKEY* key, const char* name) {
  return encode_base64url(padded(TRY(number_of(key, name)).get()));
}

/// Without leading zeros (RFC 7518 6.3.1).
Result<std::string> bare_number(const EVP_PKEY* key, const char* name) {
  const Number number = TRY(number_of(key, name));
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number.get())), '\0');
  BN_bn2bin(number.get(), reinterpret_cast<unsigned char*>(bytes.data()));
  return encode_base64url(bytes);
}

/// The members in the order of RFC 7638.
Result<std::string> jwk_of(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    return R"({"e":")" + TRY(bare_number(key, OSSL_PKEY_PARAM_RSA_E)) + R"(","kty":"RSA","n":")" +
           TRY(bare_number(key, OSSL_PKEY_PARAM_RSA_N)) + R"("})";
  }
  char curve[32] = "";
  const int read = EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, curve, sizeof curve, nullptr);
  ERR_clear_error();
  if (read != 1 || std::string_view(curve) != "prime256v1")
    return fail(Code::invalid, "it is neither an ECDSA P-256 key nor an RSA key");
  return R"({"crv":"P-256","kty":"EC","x":")" + TRY(coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X)) + R"(","y":")" +
         TRY(coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y)) + R"("})";
}

Result<x509::Key> generate(KeyType type) {
  const auto rsa = [](std::size_t bits) { return EVP_RSA_gen(bits); };
  x509::Key key(type == KeyType::ec256     ? EVP_EC_gen("P-256")
                : type == KeyType::ec384   ? EVP_EC_gen("P-384")
                : type == KeyType::rsa2048 ? rsa(2048)
                : type == KeyType::rsa4096 ? rsa(4096)
                                           : rsa(8192));
  if (!key) return x509::crypto_failed("making a key");
  return key;
}

}  // namespace

Result<KeyType> parse_key_type(std::string_view text) {
  static constexpr std::string_view kNames[] = {"EC256", "EC384", "RSA2048", "RSA4096", "RSA8192"};
  for (std::size_t i = 0; i < std::size(kNames); ++i)
    if (equal_fold(text, kNames[i])) return static_cast<KeyType>(i);
  return fail(Code::invalid,
              "key type \"" + std::string(text) + "\" is not known; use EC256, EC384, RSA2048, RSA4096 or RSA8192");
}

Result<std::string> make_key(KeyType type) {
  return x509::pem_of(TRY(generate(type)).get());
}

struct AcmeKey::Parts {
  x509::Key key;
};

Result<AcmeKey> AcmeKey::load(std::string_view pem) {
  auto key = TRY(x509::key_from(pem));
  AcmeKey out;
  out.jwk_ = TRY(jwk_of(key.get()));
  out.thumbprint_ = encode_base64url(sha256(out.jwk_));
  out.parts_ = std::make_shared<const Parts>(std::move(key));
  return out;
}

std::string_view AcmeKey::algorithm() const {
  return EVP_PKEY_is_a(parts_->key.get(), "RSA") == 1 ? "RS256" : "ES256";
}

Result<std::string> AcmeKey::sign(std::string_view bytes) const {
  const Digest context(EVP_MD_CTX_new());
  std::string made(static_cast<std::size_t>(EVP_PKEY_get_size(parts_->key.get())), '\0');
  std::size_t size = made.size();
  auto* const der = reinterpret_cast<unsigned char*>(made.data());
  const auto* text = reinterpret_cast<const unsigned char*>(bytes.data());
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, parts_->key.get()) != 1 ||
      EVP_DigestSign(context.get(), der, &size, text, bytes.size()) != 1) {
    return x509::crypto_failed("signing");
  }
  if (algorithm() == "RS256") return made.substr(0, size);
  // OpenSSL writes ASN.1, JOSE wants both numbers as they are.
  const unsigned char* at = der;
  const Signature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
  if (!signature) return x509::crypto_failed("signing");
  return padded(ECDSA_SIG_get0_r(signature.get())) + padded(ECDSA_SIG_get0_s(signature.get()));
}

}  // namespace berth::edge
