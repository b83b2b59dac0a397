// The local authority: roots with constraints, leaves, and what can be read from a certificate.
#include "edge/certificate.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "base/text.h"
#include "edge/x509.h"

namespace berth::edge {
namespace {

using namespace std::chrono_literals;
using namespace x509;

struct FreeLists {
  void operator()(NAME_CONSTRAINTS* constraints) const { NAME_CONSTRAINTS_free(constraints); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
using Constraints = std::unique_ptr<NAME_CONSTRAINTS, FreeLists>;
using Names = std::unique_ptr<GENERAL_NAMES, FreeLists>;

constexpr auto kRootLife = std::chrono::days(3650), kLeafLife = std::chrono::days(90);
constexpr auto kSkew = 1h;  // clients' clocks may be behind

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
  const Extension names = TRY(hosts_extension(made.hosts));
  X509_add_ext(leaf.get(), names.get(), -1);
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
