#include "edge/certificate_request.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/base64.h"
#include "base/hash.h"
#include "edge/acme_key.h"
#include "edge/x509.h"

namespace berth::edge {
namespace {

using namespace x509;

struct FreeRequests {
  void operator()(X509_REQ* request) const { X509_REQ_free(request); }
  void operator()(ASN1_OCTET_STRING* octets) const { ASN1_OCTET_STRING_free(octets); }
  void operator()(ASN1_OBJECT* object) const { ASN1_OBJECT_free(object); }
  void operator()(AUTHORITY_KEYID* key) const { AUTHORITY_KEYID_free(key); }
};
template <class T>
using Owned = std::unique_ptr<T, FreeRequests>;

/// id-pe-acmeIdentifier: an OCTET STRING with the digest, inside the extension's own OCTET STRING.
Result<void> add_acme_identifier(X509* certificate, std::string_view key_authorization) {
  const std::string value = std::string("\x04\x20", 2) + sha256(key_authorization);
  const Owned<ASN1_OBJECT> kind(OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1));
  const Owned<ASN1_OCTET_STRING> octets(ASN1_OCTET_STRING_new());
  ASN1_OCTET_STRING_set(octets.get(), reinterpret_cast<const unsigned char*>(value.data()),
                        static_cast<int>(value.size()));
  const Extension extension(X509_EXTENSION_create_by_OBJ(nullptr, kind.get(), 1, octets.get()));
  if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) return crypto_failed("adding a challenge");
  return {};
}

std::string base64url_of(const ASN1_STRING* text) {
  return encode_base64url(
      {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<std::size_t>(ASN1_STRING_length(text))});
}

}  // namespace

Result<std::string> make_request(std::string_view key_pem, const std::vector<std::string>& hosts) {
  if (hosts.empty()) return fail(Code::invalid, "a certificate needs at least one host");
  const Key key = TRY(key_from(key_pem));
  const Owned<X509_REQ> request(X509_REQ_new());
  Extension names = TRY(hosts_extension(hosts));
  auto* extensions = sk_X509_EXTENSION_new_null();
  sk_X509_EXTENSION_push(extensions, names.get());
  const int added = X509_REQ_add_extensions(request.get(), extensions);
  sk_X509_EXTENSION_free(extensions);
  if (added != 1 || X509_REQ_set_version(request.get(), 0) != 1 || X509_REQ_set_pubkey(request.get(), key.get()) != 1 ||
      X509_REQ_sign(request.get(), key.get(), EVP_sha256()) == 0) {
    return crypto_failed("making a certificate request");
  }
  unsigned char* der = nullptr;
  const int size = i2d_X509_REQ(request.get(), &der);
  if (size <= 0) return crypto_failed("writing a certificate request");
  std::string out(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

Result<Certificate> make_challenge_certificate(const std::string& host, std::string_view key_authorization, Time now) {
  Certificate made{.hosts = {host},
                   .chain = {},
                   .key = TRY(make_key(KeyType::ec256)),
                   .not_before = now - std::chrono::hours(1),
                   .not_after = now + std::chrono::days(7)};
  const Key key = TRY(key_from(made.key));
  const Cert leaf = TRY(blank(key.get(), made.not_before, made.not_after));
  TRY(set_name(X509_get_subject_name(leaf.get()), "ACME challenge"));
  X509_set_issuer_name(leaf.get(), X509_get_subject_name(leaf.get()));
  const Extension names = TRY(hosts_extension(made.hosts));
  X509_add_ext(leaf.get(), names.get(), -1);
  TRY(add_acme_identifier(leaf.get(), key_authorization));
  if (X509_sign(leaf.get(), key.get(), EVP_sha256()) == 0) return crypto_failed("signing a certificate");
  made.chain = TRY(pem_of(leaf.get()));
  return made;
}

Result<std::string> renewal_id(std::string_view chain_pem) {
  const Cert leaf = TRY(certificate_from(chain_pem));
  const Owned<AUTHORITY_KEYID> authority(
      static_cast<AUTHORITY_KEYID*>(X509_get_ext_d2i(leaf.get(), NID_authority_key_identifier, nullptr, nullptr)));
  ERR_clear_error();
  if (!authority || !authority->keyid) return fail(Code::not_found, "the certificate does not name its issuer's key");
  // The serial's own bytes, with the zero that keeps a large one positive.
  const ASN1_INTEGER* serial = X509_get0_serialNumber(leaf.get());
  std::string number(reinterpret_cast<const char*>(ASN1_STRING_get0_data(serial)),
                     static_cast<std::size_t>(ASN1_STRING_length(serial)));
  if (!number.empty() && (static_cast<unsigned char>(number[0]) & 0x80) != 0) number.insert(0, 1, '\0');
  return base64url_of(authority->keyid) + "." + encode_base64url(number);
}

Result<Bundle> split_bundle(std::string_view pem) {
  Bundle out;
  static constexpr std::string_view kBegin = "-----BEGIN ", kEnd = "-----END ";
  for (auto at = pem.find(kBegin); at != std::string_view::npos; at = pem.find(kBegin, at)) {
    auto end = pem.find(kEnd, at);
    if (end != std::string_view::npos) end = pem.find('\n', end);
    const std::string_view block = pem.substr(at, end == std::string_view::npos ? end : end + 1 - at);
    const std::string_view kind = block.substr(0, block.find('\n'));
    if (kind.contains("PRIVATE KEY"))
      out.key = block;
    else if (kind.contains("CERTIFICATE"))
      out.chain += block;
    at += block.size();
  }
  if (out.key.empty() || out.chain.empty())
    return fail(Code::invalid, "it does not hold both a certificate and its key");
  return out;
}

}  // namespace berth::edge
