#include "edge/x509.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "edge/ip.h"

namespace berth::edge::x509 {

void Free::operator()(EVP_PKEY* key) const {
  EVP_PKEY_free(key);
}
void Free::operator()(X509* certificate) const {
  X509_free(certificate);
}
void Free::operator()(BIO* bio) const {
  BIO_free_all(bio);
}
void Free::operator()(X509_extension_st* extension) const {
  X509_EXTENSION_free(extension);
}

std::unexpected<Error> crypto_failed(std::string_view what) {
  char reason[256] = "no reason given";
  if (const auto code = ERR_get_error(); code != 0) ERR_error_string_n(code, reason, sizeof reason);
  ERR_clear_error();
  return fail(Code::internal, std::string(what) + " failed: " + reason);
}

std::string bio_text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}
static Bio read_bio(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Result<std::string> pem_of(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), certificate) != 1) return crypto_failed("writing a certificate");
  return bio_text(bio.get());
}
Result<std::string> pem_of(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_secmem()));
  if (PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return crypto_failed("writing a key");
  }
  return bio_text(bio.get());
}
Result<Cert> certificate_from(std::string_view pem) {
  Cert certificate(PEM_read_bio_X509(read_bio(pem).get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (!certificate) return fail(Code::invalid, "it holds no PEM certificate");
  return certificate;
}
Result<Key> key_from(std::string_view pem) {
  // The callback refuses to ask a terminal for a passphrase.
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  Key key(PEM_read_bio_PrivateKey(read_bio(pem).get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (!key) return fail(Code::invalid, "it holds no PEM key without passphrase");
  return key;
}

Result<Time> time_from(const ASN1_TIME* text) {
  tm parts{};
  if (ASN1_TIME_to_tm(text, &parts) != 1) return fail(Code::invalid, "a certificate has a wrong date");
  return Time(std::chrono::seconds(timegm(&parts)));
}

Result<void> set_name(X509_NAME* name, std::string_view common) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(common.data());
  const int size = static_cast<int>(std::min<std::size_t>(common.size(), 64));  // ub-common-name
  if (X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, bytes, size, -1, 0) != 1) {
    return crypto_failed("naming a certificate");
  }
  return {};
}

Result<void> add_text_extension(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value));
  if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) return crypto_failed("adding an extension");
  return {};
}

GENERAL_NAME* dns_name(std::string_view name) {
  GENERAL_NAME* general = GENERAL_NAME_new();
  ASN1_IA5STRING* text = ASN1_IA5STRING_new();
  ASN1_STRING_set(text, name.data(), static_cast<int>(name.size()));
  GENERAL_NAME_set0_value(general, GEN_DNS, text);
  return general;
}
GENERAL_NAME* ip_name(std::string_view bytes) {
  GENERAL_NAME* general = GENERAL_NAME_new();
  ASN1_OCTET_STRING* octets = ASN1_OCTET_STRING_new();
  ASN1_STRING_set(octets, bytes.data(), static_cast<int>(bytes.size()));
  GENERAL_NAME_set0_value(general, GEN_IPADD, octets);
  return general;
}
static std::string ip_bytes(const Ip& ip) {
  const std::string all(reinterpret_cast<const char*>(ip.bytes.data()), ip.bytes.size());
  return ip.is_v4() ? all.substr(12) : all;
}

Result<Extension> hosts_extension(const std::vector<std::string>& hosts) {
  GENERAL_NAMES* names = sk_GENERAL_NAME_new_null();
  for (const std::string& host : hosts) {
    const auto ip = parse_ip(host);
    sk_GENERAL_NAME_push(names, ip ? ip_name(ip_bytes(*ip)) : dns_name(host));
  }
  Extension extension(X509V3_EXT_i2d(NID_subject_alt_name, 0, names));
  GENERAL_NAMES_free(names);
  if (!extension) return crypto_failed("adding the names of a certificate");
  return extension;
}

Result<Cert> blank(EVP_PKEY* key, Time from, Time to) {
  Cert certificate(X509_new());
  unsigned char serial[16];
  if (!certificate || RAND_bytes(serial, sizeof serial) != 1) return crypto_failed("making a certificate");
  serial[0] = static_cast<unsigned char>((serial[0] & 0x3f) | 0x40);  // positive, and never shorter
  BIGNUM* number = BN_bin2bn(serial, sizeof serial, nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate.get()));
  BN_free(number);
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), from.time_since_epoch().count());
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), to.time_since_epoch().count());
  if (X509_set_pubkey(certificate.get(), key) != 1) return crypto_failed("making a certificate");
  return certificate;
}

}  // namespace berth::edge::x509
