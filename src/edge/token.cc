#include "edge/token.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <algorithm>

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"
#include "edge/password.h"

namespace berth::edge {

struct TokenKeys::Key {
  std::string id;         ///< empty: any
  std::string algorithm;  ///< RS256 or ES256
  EVP_PKEY* key = nullptr;
  Key(std::string id_text, std::string algorithm_name, EVP_PKEY* owned)
      : id(std::move(id_text)), algorithm(std::move(algorithm_name)), key(owned) {}
  Key(const Key&) = delete;
  ~Key() { EVP_PKEY_free(key); }
};

namespace {

constexpr std::size_t kMostToken = 8u << 10;
constexpr std::int64_t kSkew = 60;

template <auto Free>
struct Freeing {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
template <class T, auto Free>
using Owned = std::unique_ptr<T, Freeing<Free>>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::unexpected<Error> denied(std::string_view why) {
  return fail(Code::denied, "token: " + std::string(why));
}

/// base64url without padding, as RFC 7515 wants it; one text for one value.
Result<std::string> decode(std::string_view text) {
  auto bytes = decode_base64(text);
  if (!bytes || encode_base64url(*bytes) != text) return denied("is not base64url");
  return bytes;
}

std::string_view algorithm_of(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") == 1) return EVP_PKEY_get_bits(key) >= 2048 ? "RS256" : "";
  char group[32] = "";
  std::size_t length = 0;
  const bool named = EVP_PKEY_get_group_name(key, group, sizeof group, &length) == 1;
  return named && (std::string_view(group) == "prime256v1" || std::string_view(group) == "P-256") ? "ES256" : "";
}

using Params = Owned<OSSL_PARAM, OSSL_PARAM_free>;
using Number = Owned<BIGNUM, BN_free>;

EVP_PKEY* from_params(const char* kind, const Params& params) {
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
  EVP_PKEY* key = nullptr;
  if (!context || !params || EVP_PKEY_fromdata_init(context.get()) != 1) return nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) return nullptr;
  return key;
}

Number number_of(std::string_view bytes) {
  return Number(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

/// A key of a set; null when it is of another kind or wrong.
EVP_PKEY* from_jwk(const Json& jwk) {
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  if (jwk["kty"].text() == "RSA") {
    const auto n = decode(jwk["n"].text()), e = decode(jwk["e"].text());
    if (!n || !e) return nullptr;
    const Number modulus = number_of(*n), exponent = number_of(*e);
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
    return from_params("RSA", Params(OSSL_PARAM_BLD_to_param(builder.get())));
  }
  if (jwk["kty"].text() != "EC" || jwk["crv"].text() != "P-256") return nullptr;
  const auto x = decode(jwk["x"].text()), y = decode(jwk["y"].text());
  if (!x || !y || x->size() != 32 || y->size() != 32) return nullptr;
  const std::string point = "\x04" + *x + *y;
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  return from_params("EC", Params(OSSL_PARAM_BLD_to_param(builder.get())));
}

/// OpenSSL wants r and s in DER; a token has them side by side.
std::string der_of(std::string_view signature) {
  const Owned<ECDSA_SIG, ECDSA_SIG_free> made(ECDSA_SIG_new());
  if (signature.size() != 64 || !made) return {};
  if (ECDSA_SIG_set0(made.get(), number_of(signature.substr(0, 32)).release(),
                     number_of(signature.substr(32)).release()) != 1) {
    return {};
  }
  unsigned char* out = nullptr;
  const int length = i2d_ECDSA_SIG(made.get(), &out);
  std::string der = length > 0 ? std::string(reinterpret_cast<char*>(out), static_cast<std::size_t>(length)) : "";
  OPENSSL_free(out);
  return der;
}

bool verifies(const TokenKeys::Key& key, std::string_view text, std::string_view signature) {
  const std::string der = key.algorithm == "ES256" ? der_of(signature) : std::string(signature);
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  return !der.empty() && context && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.key) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(der), der.size(), bytes_of(text), text.size()) == 1;
}

bool holds_audience(const Json& claim, std::string_view wanted) {
  if (claim.is_text()) return claim.text() == wanted;
  return std::ranges::any_of(claim.items(), [&](const Json& each) { return each.text() == wanted; });
}

Result<std::string> check_claims(const Json& claims, const TokenRules& rules, std::chrono::sys_seconds now) {
  const double seconds = static_cast<double>(now.time_since_epoch().count());
  // A token that never ends cannot be taken back.
  if (!claims["exp"].is_number()) return denied("says no end (exp)");
  if (seconds > claims["exp"].number() + kSkew) return denied("is no longer valid");
  if (claims.contains("nbf") && seconds < claims["nbf"].number(1e18) - kSkew) return denied("is not valid yet");
  if (!rules.issuer.empty() && claims["iss"].text() != rules.issuer) return denied("is of another issuer");
  if (!rules.audience.empty() && !holds_audience(claims["aud"], rules.audience))
    return denied("is for another audience");
  return std::string(claims["sub"].text());
}

}  // namespace

class TokenCheck {
 public:
  static bool is_signed(const TokenKeys& keys, const Json& header, std::string_view text, std::string_view signature) {
    const std::string_view algorithm = header["alg"].text();
    if (!keys.secret_.empty()) {
      if (algorithm != "HS256") return false;
      unsigned char mac[EVP_MAX_MD_SIZE];
      unsigned length = 0;
      HMAC(EVP_sha256(), keys.secret_.data(), static_cast<int>(keys.secret_.size()), bytes_of(text), text.size(), mac,
           &length);
      return equal_secret(std::string_view(reinterpret_cast<char*>(mac), length), signature);
    }
    // The key says for which algorithm it is: a token cannot choose another one for it.
    return std::ranges::any_of(keys.keys_, [&](const auto& key) {
      const bool meant = key->algorithm == algorithm &&
                         (key->id.empty() || !header.contains("kid") || key->id == header["kid"].text());
      return meant && verifies(*key, text, signature);
    });
  }
};

TokenKeys TokenKeys::shared_secret(std::string secret) {
  TokenKeys keys;
  keys.secret_ = std::move(secret);
  return keys;
}

Result<TokenKeys> TokenKeys::public_key(const std::string& pem) {
  const Owned<BIO, BIO_free> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Owned<EVP_PKEY, EVP_PKEY_free> key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  if (!key) return fail(Code::invalid, "the public key is not PEM");
  const std::string_view algorithm = algorithm_of(key.get());
  if (algorithm.empty()) return fail(Code::invalid, "the public key is neither RSA of 2048 bits nor P-256");
  TokenKeys keys;
  keys.keys_.push_back(std::make_shared<const Key>("", std::string(algorithm), key.release()));
  return keys;
}

Result<TokenKeys> TokenKeys::key_set(std::string_view json) {
  const Json set = TRY(parse_json(json, {.bytes = 1u << 20, .depth = 8}));
  TokenKeys keys;
  for (const Json& jwk : set["keys"].items()) {
    if (jwk.contains("use") && jwk["use"].text() != "sig") continue;
    Owned<EVP_PKEY, EVP_PKEY_free> key(from_jwk(jwk));
    const std::string algorithm(key ? algorithm_of(key.get()) : std::string_view());
    if (algorithm.empty() || keys.keys_.size() == 32) continue;
    keys.keys_.push_back(std::make_shared<const Key>(std::string(jwk["kid"].text()), algorithm, key.release()));
  }
  if (keys.keys_.empty()) return fail(Code::invalid, "the key set has no RSA or P-256 key");
  return keys;
}

Result<std::string> check_token(const TokenKeys& keys, const TokenRules& rules, std::string_view token,
                                std::chrono::sys_seconds now) {
  if (token.size() > kMostToken) return denied("is longer than 8 KiB");
  const auto parts = split(token, '.');
  if (parts.size() != 3) return denied("does not have three parts");
  const auto header = parse_json(TRY(decode(parts[0])), {.bytes = kMostToken, .depth = 8});
  if (!header || !header->is_object()) return denied("has a header that is no JSON object");
  if (header->contains("crit")) return denied("asks for extensions");
  const std::string_view text = token.substr(0, parts[0].size() + 1 + parts[1].size());
  if (!TokenCheck::is_signed(keys, *header, text, TRY(decode(parts[2])))) return denied("is not signed by a known key");
  const auto claims = parse_json(TRY(decode(parts[1])), {.bytes = kMostToken, .depth = 16});
  if (!claims || !claims->is_object()) return denied("has claims that are no JSON object");
  return check_claims(*claims, rules, now);
}

}  // namespace berth::edge
