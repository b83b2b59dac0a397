// OpenSSL's keys and certificates as owned values, for the files of this room that make or read them. Names only:
// OpenSSL's heavy headers stay in the .cc files.
#pragma once

#include <openssl/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

struct GENERAL_NAME_st;
struct X509_extension_st;

namespace berth::edge::x509 {

using Time = std::chrono::sys_seconds;

/// Deletes by OpenSSL's own function for the type.
struct Free {
  void operator()(EVP_PKEY* key) const;
  void operator()(X509* certificate) const;
  void operator()(BIO* bio) const;
  void operator()(X509_extension_st* extension) const;
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Cert = std::unique_ptr<X509, Free>;
using Bio = std::unique_ptr<BIO, Free>;
using Extension = std::unique_ptr<X509_extension_st, Free>;

/// Code::internal with OpenSSL's reason; empties its queue.
std::unexpected<Error> crypto_failed(std::string_view what);

/// What was written to a BIO in memory.
std::string bio_text(BIO* bio);
Result<std::string> pem_of(X509* certificate);
/// PKCS #8, not encrypted.
Result<std::string> pem_of(EVP_PKEY* key);
/// The first certificate in `pem`. Code::invalid without one.
Result<Cert> certificate_from(std::string_view pem);
/// Never asks for a passphrase. Code::invalid.
Result<Key> key_from(std::string_view pem);
Result<Time> time_from(const ASN1_TIME* text);

Result<void> set_name(X509_NAME* name, std::string_view common);
/// `value` in the language of OpenSSL's configuration: "critical,CA:TRUE".
Result<void> add_text_extension(X509* certificate, X509* issuer, int kind, const char* value);
/// For the caller to own.
GENERAL_NAME_st* dns_name(std::string_view name);
GENERAL_NAME_st* ip_name(std::string_view bytes);
/// subjectAltName of names and IP literals.
Result<Extension> hosts_extension(const std::vector<std::string>& hosts);
/// Version 3, a random serial, dates and the public key; neither names nor a signature.
Result<Cert> blank(EVP_PKEY* key, Time from, Time to);

}  // namespace berth::edge::x509
