// The only file of the local authority that knows OpenSSL.
#include "edge/certificate.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "base/text.h"

namespace berth::edge {
namespace {

using namespace std::chrono_literals;
using Time = std::chrono::sys_seconds;

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Cert = std::unique_ptr<X509, Deleter<X509_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>>;
using Constraints = std::unique_ptr<NAME_CONSTRAINTS, Deleter<NAME_CONSTRAINTS_free>>;

constexpr auto kRootLife = std::chrono::days(3650), kLeafLife = std::chrono::days(90);
constexpr auto kSkew = 1h;  // clients' clocks may be behind

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
Bio read_bio(std::string_view text) {
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
std::string ip_bytes(const Ip& ip) {
  const std::string all(reinterpret_cast<const char*>(ip.bytes.data()), ip.bytes.size());
  return ip.is_v4() ? all.substr(12) : all;
}

/// DNS names as given, and of addresses loopback only; of other kinds of names none.
Result<void> add_constraints(X509* certificate, const std::vector<std::string>& permitted) {
  const Constraints constraints(NAME_CONSTRAINTS_new());
  constraints->permittedSubtrees = sk_GENERAL_SUBTREE_new_null();
  std::vector<GENERAL_NAME*> names;
  for (const std::string& each : permitted) names.push_back(dns_name(each));
  names.push_back(ip_name(std::string("\x7f\0\0\0\xff\0\0\0", 8)));
  names.push_back(ip_name(std::string(15, '\0') + "\x01" + std::string(16, '\xff')));
  for (GENERAL_NAME* name : names) {
    GENERAL_SUBTREE* subtree = GENERAL_SUBTREE_new();
    GENERAL_NAME_free(subtree->base);
    subtree->base = name;
    sk_GENERAL_SUBTREE_push(constraints->permittedSubtrees, subtree);
  }
  if (X509_add1_ext_i2d(certificate, NID_name_constraints, constraints.get(), 1, X509V3_ADD_DEFAULT) != 1) {
    return crypto_failed("adding name constraints");
  }
  return {};
}

Result<void> add_hosts(X509* certificate, const std::vector<std::string>& hosts) {
  const Names names(sk_GENERAL_NAME_new_null());
  for (const std::string& host : hosts) {
    const auto ip = parse_ip(host);
    sk_GENERAL_NAME_push(names.get(), ip ? ip_name(ip_bytes(*ip)) : dns_name(host));
  }
  if (X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) != 1) {
    return crypto_failed("adding the names of a certificate");
  }
  return {};
}

/// Version 3, a random serial, dates, and the public key.
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

std::vector<std::string> dns_names_of(const GENERAL_NAMES* names) {
  std::vector<std::string> out;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type == GEN_DNS) {
      out.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                       static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    } else if (name->type == GEN_IPADD) {
      const auto* bytes = ASN1_STRING_get0_data(name->d.iPAddress);
      Ip ip = *parse_ip("0.0.0.0");
      const auto size = static_cast<std::size_t>(ASN1_STRING_length(name->d.iPAddress));
      if (size != 4 && size != 16) continue;
      std::copy(bytes, bytes + size, ip.bytes.end() - static_cast<std::ptrdiff_t>(size));
      out.push_back(ip.text());
    }
  }
  return out;
}

bool below(std::string_view host, std::string_view domain) {
  return host == domain ||
         (host.size() > domain.size() && host.ends_with(domain) && host[host.size() - domain.size() - 1] == '.');
}

Result<std::string> plain_host(std::string_view host) {
  if (auto ip = parse_ip(host)) return ip->text();
  if (host == "*" || host.contains(':')) {
    return fail(Code::invalid, "\"" + std::string(host) + "\" is not a name that a certificate can have");
  }
  return canonical_host(host);
}

}  // namespace

const std::vector<std::string>& reserved_domains() {
  static const std::vector<std::string> domains{"localhost", "internal",  "test",    "local",
                                                "lan",       "home.arpa", "example", "invalid"};
  return domains;
}

std::string parent_domain(std::string_view host) {
  if (host.starts_with("*.")) host.remove_prefix(2);
  for (const std::string& domain : reserved_domains()) {
    if (below(host, domain)) return "";
  }
  const auto labels = split(host, '.');
  const std::size_t count = labels.size();
  if (count <= 2) return std::string(host);
  const bool short_second = labels[count - 1].size() == 2 && labels[count - 2].size() <= 3;  // co.uk, com.au
  const std::size_t take = short_second ? 3 : 2;
  std::string domain(labels[count - take]);
  for (std::size_t i = count - take + 1; i < count; ++i) domain += "." + std::string(labels[i]);
  return domain;
}

Result<Authority> make_authority(std::string_view name, std::vector<std::string> permitted, Time now) {
  if (permitted.empty()) return fail(Code::invalid, "a certificate authority needs at least one permitted domain");
  for (std::string& domain : permitted) {
    domain = TRY(plain_host(domain));
    if (domain.starts_with("*.") || parse_ip(domain)) {
      return fail(Code::invalid, "\"" + domain + "\" is not a domain that an authority can be limited to");
    }
  }
  const Key key(EVP_EC_gen("P-256"));
  if (!key) return crypto_failed("making a key");
  const Cert root = TRY(blank(key.get(), now - kSkew, now + kRootLife));
  TRY(set_name(X509_get_subject_name(root.get()), name));
  X509_set_issuer_name(root.get(), X509_get_subject_name(root.get()));
  TRY(add_text_extension(root.get(), root.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
  TRY(add_text_extension(root.get(), root.get(), NID_key_usage, "critical,keyCertSign,cRLSign"));
  TRY(add_text_extension(root.get(), root.get(), NID_subject_key_identifier, "hash"));
  TRY(add_constraints(root.get(), permitted));
  if (X509_sign(root.get(), key.get(), EVP_sha256()) == 0) return crypto_failed("signing a certificate");
  return Authority{TRY(pem_of(root.get())), TRY(pem_of(key.get())), std::move(permitted), now + kRootLife};
}

Result<Authority> load_authority(std::string_view certificate_pem, std::string_view key_pem) {
  const Cert root = TRY(certificate_from(certificate_pem));
  const Key key = TRY(key_from(key_pem));
  if (X509_check_private_key(root.get(), key.get()) != 1 || X509_check_ca(root.get()) != 1) {
    ERR_clear_error();
    return fail(Code::invalid, "certificate and key do not belong together, or it is no authority");
  }
  Authority authority{
      std::string(certificate_pem), std::string(key_pem), {}, TRY(time_from(X509_get0_notAfter(root.get())))};
  const Constraints constraints(
      static_cast<NAME_CONSTRAINTS*>(X509_get_ext_d2i(root.get(), NID_name_constraints, nullptr, nullptr)));
  for (int i = 0; constraints && i < sk_GENERAL_SUBTREE_num(constraints->permittedSubtrees); ++i) {
    const GENERAL_NAME* base = sk_GENERAL_SUBTREE_value(constraints->permittedSubtrees, i)->base;
    if (base->type != GEN_DNS) continue;
    authority.permitted.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(base->d.dNSName)),
                                     static_cast<std::size_t>(ASN1_STRING_length(base->d.dNSName)));
  }
  if (authority.permitted.empty()) return fail(Code::invalid, "the authority has no name constraints");
  return authority;
}

bool permits(const Authority& authority, std::string_view host) {
  if (const auto ip = parse_ip(host)) return ip->is_loopback();
  if (host.starts_with("*.")) host.remove_prefix(2);
  return std::ranges::any_of(authority.permitted, [&](const std::string& domain) { return below(host, domain); });
}

Result<Certificate> issue(const Authority& authority, const std::vector<std::string>& hosts, Time now) {
  if (hosts.empty()) return fail(Code::invalid, "a certificate needs at least one host");
  Certificate made{.hosts = {},
                   .chain = {},
                   .key = {},
                   .not_before = now - kSkew,
                   .not_after = std::min<Time>(now + kLeafLife, authority.not_after)};
  for (const std::string& host : hosts) {
    made.hosts.push_back(TRY(plain_host(host)));
    if (!permits(authority, made.hosts.back())) {
      return fail(Code::invalid,
                  "host \"" + host + "\" is outside of the domains that the local authority is limited to");
    }
  }
  const Cert root = TRY(certificate_from(authority.certificate));
  const Key root_key = TRY(key_from(authority.key));
  const Key key(EVP_EC_gen("P-256"));
  if (!key) return crypto_failed("making a key");
  const Cert leaf = TRY(blank(key.get(), made.not_before, made.not_after));
  TRY(set_name(X509_get_subject_name(leaf.get()), made.hosts.front()));
  X509_set_issuer_name(leaf.get(), X509_get_subject_name(root.get()));
  TRY(add_text_extension(leaf.get(), root.get(), NID_basic_constraints, "critical,CA:FALSE"));
  TRY(add_text_extension(leaf.get(), root.get(), NID_key_usage, "critical,digitalSignature"));
  TRY(add_text_extension(leaf.get(), root.get(), NID_ext_key_usage, "serverAuth"));
  TRY(add_text_extension(leaf.get(), root.get(), NID_subject_key_identifier, "hash"));
  TRY(add_text_extension(leaf.get(), root.get(), NID_authority_key_identifier, "keyid:always"));
  TRY(add_hosts(leaf.get(), made.hosts));
  if (X509_sign(leaf.get(), root_key.get(), EVP_sha256()) == 0) return crypto_failed("signing a certificate");
  made.chain = TRY(pem_of(leaf.get()));
  made.key = TRY(pem_of(key.get()));
  return made;
}

Result<Certificate> load_certificate(std::string chain_pem, std::string key_pem) {
  const Cert leaf = TRY(certificate_from(chain_pem));
  const Key key = TRY(key_from(key_pem));
  if (X509_check_private_key(leaf.get(), key.get()) != 1) {
    ERR_clear_error();
    return fail(Code::invalid, "certificate and key do not belong together");
  }
  const Names names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf.get(), NID_subject_alt_name, nullptr, nullptr)));
  Certificate certificate{.hosts = names ? dns_names_of(names.get()) : std::vector<std::string>{},
                          .chain = std::move(chain_pem),
                          .key = std::move(key_pem),
                          .not_before = TRY(time_from(X509_get0_notBefore(leaf.get()))),
                          .not_after = TRY(time_from(X509_get0_notAfter(leaf.get())))};
  for (std::string& host : certificate.hosts) host = lower(host);
  if (certificate.hosts.empty()) return fail(Code::invalid, "the certificate names no host");
  return certificate;
}

bool is_signed_by(const Certificate& certificate, const Authority& authority) {
  const auto leaf = certificate_from(certificate.chain), root = certificate_from(authority.certificate);
  const bool right = leaf && root && X509_verify(leaf->get(), X509_get0_pubkey(root->get())) == 1;
  ERR_clear_error();
  return right;
}

bool is_due(const Certificate& certificate, Time now) {
  return now >= certificate.not_before + (certificate.not_after - certificate.not_before) * 2 / 3;
}

Result<std::string> fingerprint(std::string_view pem) {
  const Cert certificate = TRY(certificate_from(pem));
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (X509_digest(certificate.get(), EVP_sha256(), digest, &size) != 1) return crypto_failed("hashing a certificate");
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    if (i > 0) text += ':';
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15];
  }
  return text;
}

}  // namespace berth::edge
