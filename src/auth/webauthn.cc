#include "auth/webauthn.h"

#include "auth/cbor.h"
#include "base/base64.h"
#include "base/hash.h"

namespace berth::auth {
namespace {

constexpr unsigned kPresent = 0x01, kVerified = 0x04, kMayBackUp = 0x08, kBackedUp = 0x10, kHasKey = 0x40;
constexpr std::size_t kHead = 37, kModel = 16, kMostId = 1023, kMostText = 64u << 10;

std::unexpected<Error> denied(std::string_view why) {
  return fail(Code::denied, "passkey: " + std::string(why));
}

Result<std::string> bytes_at(const Json& value) {
  if (value.text().empty() || value.text().size() > kMostText) return denied("the answer is incomplete");
  auto bytes = decode_base64(value.text());
  if (!bytes) return denied("the answer is malformed");
  return std::move(*bytes);
}

Result<void> check_client_data(const std::string& text, std::string_view type, const Ceremony& ceremony) {
  const auto data = parse_json(text, {.bytes = kMostText, .depth = 10});
  if (!data) return denied("the browser's data is malformed");
  if ((*data)["type"].text() != type) return denied("the answer is of another kind");
  if ((*data)["origin"].text() != ceremony.origin) return denied("the answer is for another site");
  if ((*data)["crossOrigin"].boolean()) return denied("the answer was given within another site");
  return {};
}

struct AuthenticatorData {
  unsigned flags = 0;
  std::int64_t counter = 0;
  std::string_view rest{};
};
Result<AuthenticatorData> check_authenticator_data(std::string_view data, const Ceremony& ceremony) {
  if (data.size() < kHead) return denied("the authenticator's data is cut off");
  if (data.substr(0, 32) != sha256(ceremony.host)) return denied("the answer is for another host");
  AuthenticatorData out{.flags = static_cast<unsigned char>(data[32]), .rest = data.substr(kHead)};
  for (std::size_t i = 33; i < kHead; ++i) out.counter = out.counter << 8 | static_cast<unsigned char>(data[i]);
  if ((out.flags & kPresent) == 0 || (out.flags & kVerified) == 0)
    return denied("the authenticator did not verify who uses it");
  if ((out.flags & kBackedUp) != 0 && (out.flags & kMayBackUp) == 0) return denied("the flags contradict each other");
  return out;
}

/// A COSE key (RFC 9053) of one of three kinds.
Result<VerifyKey> key_of(const Cbor& cose) {
  const std::int64_t kind = cose.at(1).number, algorithm = cose.at(3).number, curve = cose.at(-1).number;
  const auto& first = cose.at(-1).bytes;
  const auto& second = cose.at(-2).bytes;
  if (kind == 2 && algorithm == -7 && curve == 1 && second.size() == 32 && cose.at(-3).bytes.size() == 32)
    return VerifyKey{.algorithm = Algorithm::es256, .x = second, .y = cose.at(-3).bytes};
  if (kind == 1 && algorithm == -8 && curve == 6 && second.size() == 32)
    return VerifyKey{.algorithm = Algorithm::eddsa, .x = second};
  if (kind == 3 && algorithm == -257 && first.size() >= 256 && first.size() <= 1024 && !second.empty() &&
      second.size() <= 8) {
    return VerifyKey{.algorithm = Algorithm::rs256, .n = first, .e = second};
  }
  return denied("its key is of a kind that is not known");
}

Result<PasskeyMade> attested(const AuthenticatorData& data) {
  std::string_view rest = data.rest;
  if ((data.flags & kHasKey) == 0 || rest.size() < kModel + 2) return denied("the answer holds no key");
  const std::size_t size =
      static_cast<std::size_t>(static_cast<unsigned char>(rest[16])) << 8 | static_cast<unsigned char>(rest[17]);
  rest.remove_prefix(kModel + 2);
  if (size == 0 || size > kMostId || rest.size() < size) return denied("the answer holds no id");
  PasskeyMade made{.id = encode_base64url(rest.substr(0, size)), .counter = data.counter};
  rest.remove_prefix(size);
  const auto cose = parse_cbor(rest);
  if (!cose) return denied("its key is malformed");
  made.key = TRY(key_of(*cose));
  return made;
}

}  // namespace

std::string challenge_of(const Json& credential) {
  const auto text = bytes_at(credential.at("response.clientDataJSON"));
  if (!text) return {};
  const auto data = parse_json(*text, {.bytes = kMostText, .depth = 10});
  return data ? std::string((*data)["challenge"].text()) : std::string();
}

Result<PasskeyMade> check_new_passkey(const Json& credential, const Ceremony& ceremony) {
  const std::string client = TRY(bytes_at(credential.at("response.clientDataJSON")));
  TRY(check_client_data(client, "webauthn.create", ceremony));
  const std::string object = TRY(bytes_at(credential.at("response.attestationObject")));
  std::string_view text = object;
  const auto attestation = parse_cbor(text);
  if (!attestation || !text.empty()) return denied("the answer is malformed");
  const auto data = TRY(check_authenticator_data(attestation->at("authData").bytes, ceremony));
  auto made = TRY(attested(data));
  if (made.id != credential["id"].text()) return denied("the answer contradicts itself");
  return made;
}

Result<std::int64_t> check_passkey(const Json& assertion, const Ceremony& ceremony, const VerifyKey& key,
                                   std::int64_t counter) {
  const std::string client = TRY(bytes_at(assertion.at("response.clientDataJSON")));
  TRY(check_client_data(client, "webauthn.get", ceremony));
  const std::string bytes = TRY(bytes_at(assertion.at("response.authenticatorData")));
  const auto data = TRY(check_authenticator_data(bytes, ceremony));
  const std::string signature = TRY(bytes_at(assertion.at("response.signature")));
  if (!verify_der_signature(key, bytes + sha256(client), signature)) return denied("the signature does not hold");
  if ((data.counter != 0 || counter != 0) && data.counter <= counter)
    return denied("its counter did not grow; it may have been copied");
  return data.counter;
}

std::string encode_key(const VerifyKey& key) {
  const auto text = [](const std::string& bytes) { return Json(encode_base64url(bytes)); };
  return Json::object({{"alg", static_cast<int>(key.algorithm)},
                       {"n", text(key.n)},
                       {"e", text(key.e)},
                       {"x", text(key.x)},
                       {"y", text(key.y)}})
      .dump();
}

Result<VerifyKey> decode_key(std::string_view text) {
  const Json json = TRY(parse_json(text));
  const auto bytes = [&](std::string_view name) { return decode_base64(json[name].text()).value_or(""); };
  return VerifyKey{.algorithm = static_cast<Algorithm>(json["alg"].integer()),
                   .n = bytes("n"),
                   .e = bytes("e"),
                   .x = bytes("x"),
                   .y = bytes("y")};
}

}  // namespace berth::auth
