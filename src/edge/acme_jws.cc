#include "edge/acme_jws.h"

#include "base/base64.h"
#include "base/hash.h"
#include "base/json.h"

namespace berth::edge {
namespace {

std::string flattened(std::string_view head, std::string_view payload, std::string_view signature) {
  return Json::object({{"protected", head}, {"payload", payload}, {"signature", signature}}).dump();
}

}  // namespace

Result<std::string> make_jws(const AcmeSigner& signer, const JwsHeader& header, std::string_view payload) {
  Json fields = Json::object({{"alg", signer.algorithm}, {"nonce", header.nonce}, {"url", header.url}});
  if (header.account.empty())
    fields.set("jwk", TRY(parse_json(signer.jwk)));
  else
    fields.set("kid", header.account);
  const std::string head = encode_base64url(fields.dump()), body = encode_base64url(payload);
  const std::string signature = TRY(signer.sign(head + "." + body));
  return flattened(head, body, encode_base64url(signature));
}

Result<std::string> make_binding(const AccountBinding& binding, std::string_view jwk, std::string_view url) {
  const auto key = decode_base64(binding.hmac);
  if (!key || key->empty()) return fail(Code::invalid, "eab.hmacEncoded is not base64; take it as the CA gave it");
  const Json fields = Json::object({{"alg", "HS256"}, {"kid", binding.kid}, {"url", url}});
  const std::string head = encode_base64url(fields.dump()), body = encode_base64url(jwk);
  return flattened(head, body, encode_base64url(hmac_sha256(*key, head + "." + body)));
}

}  // namespace berth::edge
