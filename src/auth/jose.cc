#include "auth/jose.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/base64.h"
#include "base/text.h"

namespace berth::auth {
namespace {

constexpr std::size_t kMostToken = 32u << 10, kMostKeys = 100, kCoordinate = 32, kLeastRsa = 256, kMostRsa = 1024;

struct Free {
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
  void operator()(OSSL_PARAM* parameters) const { OSSL_PARAM_free(parameters); }
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
Owned<BIGNUM> number_of(std::string_view bytes) {
  return Owned<BIGNUM>(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

Owned<EVP_PKEY> from_parameters(const char* type, OSSL_PARAM_BLD* builder) {
  const Owned<OSSL_PARAM> parameters(OSSL_PARAM_BLD_to_param(builder));
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return Owned<EVP_PKEY>(key);
}

Owned<EVP_PKEY> rsa_key(const VerifyKey& key) {
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  const auto n = number_of(key.n), e = number_of(key.e);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  return from_parameters("RSA", builder.get());
}

Owned<EVP_PKEY> ec_key(const VerifyKey& key) {
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  const std::string point = "\x04" + key.x + key.y;
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  return from_parameters("EC", builder.get());
}

Owned<EVP_PKEY> public_key(const VerifyKey& key) {
  switch (key.algorithm) {
    case Algorithm::rs256:
      return rsa_key(key);
    case Algorithm::es256:
      return ec_key(key);
    case Algorithm::eddsa:
      return Owned<EVP_PKEY>(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(key.x), key.x.size()));
  }
  return nullptr;
}

/// OpenSSL reads ASN.1, JOSE writes both numbers as they are (RFC 7518 3.4).
std::string der_signature(std::string_view plain) {
  const Owned<ECDSA_SIG> signature(ECDSA_SIG_new());
  auto r = number_of(plain.substr(0, kCoordinate)), s = number_of(plain.substr(kCoordinate));
  if (ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) return {};
  static_cast<void>(r.release());  // the signature's now
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  if (size <= 0) return {};
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

/// base64url without padding, and in no second spelling.
std::optional<std::string> decode_part(std::string_view text) {
  auto bytes = decode_base64(text);
  if (!bytes || encode_base64url(*bytes) != text) return {};
  return std::move(*bytes);
}

std::string member_bytes(const Json& key, std::string_view name) {
  return decode_part(key[name].text()).value_or("");
}

std::optional<Algorithm> algorithm_of(std::string_view text) {
  if (text == "RS256") return Algorithm::rs256;
  if (text == "ES256") return Algorithm::es256;
  if (text == "EdDSA") return Algorithm::eddsa;
  return {};
}

/// Nothing for keys of other kinds, for encryption, or too weak.
std::optional<VerifyKey> key_of(const Json& jwk) {
  if (const auto use = jwk["use"].text("sig"); use != "sig") return {};
  VerifyKey key{.kid = std::string(jwk["kid"].text())};
  const std::string_view kind = jwk["kty"].text(), curve = jwk["crv"].text();
  if (kind == "RSA") {
    key.n = member_bytes(jwk, "n");
    key.e = member_bytes(jwk, "e");
    if (key.n.size() < kLeastRsa || key.n.size() > kMostRsa || key.e.empty() || key.e.size() > 8) return {};
  } else if (kind == "EC" && curve == "P-256") {
    key.algorithm = Algorithm::es256;
    key.x = member_bytes(jwk, "x");
    key.y = member_bytes(jwk, "y");
    if (key.x.size() != kCoordinate || key.y.size() != kCoordinate) return {};
  } else if (kind == "OKP" && curve == "Ed25519") {
    key.algorithm = Algorithm::eddsa;
    key.x = member_bytes(jwk, "x");
    if (key.x.size() != kCoordinate) return {};
  } else {
    return {};
  }
  const std::string_view named = jwk["alg"].text();
  if (!named.empty() && algorithm_of(named) != key.algorithm) return {};
  return key;
}

struct Parts {
  Json header{};
  Json claims{};
  std::string_view text{};
  std::string signature{};
};
std::optional<Json> json_part(std::string_view text) {
  const auto bytes = decode_part(text);
  if (!bytes) return {};
  auto json = parse_json(*bytes, {.bytes = kMostToken, .depth = 10});
  if (!json || !json->is_object()) return {};
  return std::move(*json);
}

std::optional<Parts> parts_of(std::string_view text) {
  const auto parts = split(text, '.');
  if (text.size() > kMostToken || parts.size() != 3) return {};
  auto header = json_part(parts[0]), claims = json_part(parts[1]);
  auto signature = decode_part(parts[2]);
  if (!header || !claims || !signature || signature->empty()) return {};
  return Parts{.header = std::move(*header),
               .claims = std::move(*claims),
               .text = text.substr(0, parts[0].size() + 1 + parts[1].size()),
               .signature = std::move(*signature)};
}

}  // namespace

Result<VerifyKeys> parse_jwks(const Json& set) {
  if (set["keys"].items().size() > kMostKeys) return fail(Code::invalid, "its key set has more than 100 keys");
  VerifyKeys keys;
  for (const auto& jwk : set["keys"].items())
    if (auto key = key_of(jwk)) keys.push_back(std::move(*key));
  if (keys.empty()) return fail(Code::invalid, "its key set has no RSA, P-256 or Ed25519 key for signatures");
  return keys;
}

bool verify_der_signature(const VerifyKey& key, std::string_view text, std::string_view signature) {
  const auto known = public_key(key);
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  if (!known || !context) return false;
  const EVP_MD* digest = key.algorithm == Algorithm::eddsa ? nullptr : EVP_sha256();
  return EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, known.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(text), text.size()) == 1;
}

bool verify_signature(const VerifyKey& key, std::string_view text, std::string_view signature) {
  if (key.algorithm != Algorithm::es256) return verify_der_signature(key, text, signature);
  return signature.size() == 2 * kCoordinate && verify_der_signature(key, text, der_signature(signature));
}

Result<VerifiedJwt> verify_jwt(std::string_view text, const VerifyKeys& keys) {
  auto parts = parts_of(text);
  if (!parts) return fail(Code::denied, "the token is malformed");
  const auto algorithm = algorithm_of(parts->header["alg"].text());
  if (!algorithm) return fail(Code::denied, "the token is not signed with RS256, ES256 or EdDSA");
  if (parts->header.contains("crit")) return fail(Code::denied, "the token demands extensions that are not known");
  const Json& named = parts->header["kid"];
  const auto suits = [&](const VerifyKey& key) {
    return key.algorithm == *algorithm && (named.is_null() || key.kid == named.text());
  };
  const auto found = std::ranges::find_if(keys, suits);
  if (found == keys.end()) return fail(Code::not_found, "the token is signed with a key that is not known");
  // Without a name there must be no choice; with one, keys of one name are a fault of the provider.
  if (std::ranges::count_if(keys, suits) > 1) return fail(Code::denied, "the token does not say which key signed it");
  if (!verify_signature(*found, parts->text, parts->signature))
    return fail(Code::denied, "the token's signature does not hold");
  return VerifiedJwt{.header = std::move(parts->header), .claims = std::move(parts->claims)};
}

}  // namespace berth::auth
