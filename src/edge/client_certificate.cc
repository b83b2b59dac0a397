#include "edge/client_certificate.h"

#include <openssl/x509v3.h>

#include <algorithm>

#include "base/base64.h"
#include "base/text.h"
#include "edge/ip.h"
#include "edge/x509.h"

namespace berth::edge {
namespace {

constexpr std::size_t kMost = 16u << 10;

struct FreeNumber {
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(char* text) const { OPENSSL_free(text); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
template <class T>
using Held = std::unique_ptr<T, FreeNumber>;

/// What can stand between quotes and be told apart from what stands beside it.
bool is_plain(std::string_view text) {
  return !text.empty() && std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f || c == '"'; });
}

std::string text_of(const ASN1_STRING* string) {
  unsigned char* bytes = nullptr;
  const int size = ASN1_STRING_to_UTF8(&bytes, string);
  const Held<char> held(reinterpret_cast<char*>(bytes));
  return size > 0 ? std::string(held.get(), static_cast<std::size_t>(size)) : std::string();
}

void add_parts(std::vector<std::string>& parts, X509_NAME* name, int kind, std::string_view label) {
  for (int at = X509_NAME_get_index_by_NID(name, kind, -1); at >= 0; at = X509_NAME_get_index_by_NID(name, kind, at)) {
    const std::string value = text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (is_plain(value)) parts.push_back(std::string(label) + "=" + value);
  }
}

/// "DC=org,C=FR,CN=a": in this order whatever the certificate's is.
std::string name_of(X509_NAME* name, const std::optional<CertNameParts>& wanted) {
  static constexpr struct {
    bool CertNameParts::* wanted;
    int kind;
    std::string_view label;
  } kParts[] = {{&CertNameParts::domain_component, NID_domainComponent, "DC"},
                {&CertNameParts::country, NID_countryName, "C"},
                {&CertNameParts::province, NID_stateOrProvinceName, "ST"},
                {&CertNameParts::locality, NID_localityName, "L"},
                {&CertNameParts::organization, NID_organizationName, "O"},
                {&CertNameParts::organizational_unit, NID_organizationalUnitName, "OU"},
                {&CertNameParts::serial_number, NID_serialNumber, "SN"},
                {&CertNameParts::common_name, NID_commonName, "CN"}};
  std::vector<std::string> parts;
  for (const auto& each : kParts)
    if (wanted && (*wanted).*each.wanted) add_parts(parts, name, each.kind, each.label);
  return join(parts, ",");
}

std::string serial_of(const X509* certificate) {
  const Held<BIGNUM> number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  const Held<char> text(number ? BN_bn2dec(number.get()) : nullptr);
  return text ? text.get() : "";
}

std::string ip_of(const ASN1_STRING* bytes) {
  const std::string_view raw(reinterpret_cast<const char*>(ASN1_STRING_get0_data(bytes)),
                             static_cast<std::size_t>(ASN1_STRING_length(bytes)));
  std::string text;
  if (raw.size() == 4) {
    for (const char byte : raw) text += (text.empty() ? "" : ".") + std::to_string(static_cast<unsigned char>(byte));
    return text;
  }
  static constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = 0; raw.size() == 16 && i < 16; ++i) {
    if (i > 0 && i % 2 == 0) text += ':';
    text += kDigits[static_cast<unsigned char>(raw[i]) >> 4];
    text += kDigits[static_cast<unsigned char>(raw[i]) & 15];
  }
  const auto ip = parse_ip(text);
  return ip ? ip->text() : "";
}

std::string names_of(const X509* certificate) {
  const Held<GENERAL_NAMES> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> out;
  for (const int kind : {GEN_DNS, GEN_EMAIL, GEN_IPADD, GEN_URI}) {
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
      const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
      if (name->type != kind) continue;
      std::string text = kind == GEN_IPADD ? ip_of(name->d.iPAddress) : text_of(name->d.ia5);
      if (is_plain(text)) out.push_back(std::move(text));
    }
  }
  return join(out, ",");
}

void add(std::string& out, std::string_view label, std::string_view value) {
  if (value.empty()) return;
  out.append(out.empty() ? "" : ";").append(label).append("=\"").append(value).append("\"");
}

std::string time_of(const ASN1_TIME* time) {
  const auto known = x509::time_from(time);
  return known ? std::to_string(known->time_since_epoch().count()) : "";
}

/// As forms are: a space is a plus.
std::string escaped(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const unsigned char c : text) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (word || c == '-' || c == '_' || c == '.' || c == '~')
      out += static_cast<char>(c);
    else if (c == ' ')
      out += '+';
    else
      out.append("%").append(1, kDigits[c >> 4]).append(1, kDigits[c & 15]);
  }
  return out;
}

std::string describe(const X509* certificate, const CertInfo& wanted) {
  std::string out;
  add(out, "Subject", name_of(X509_get_subject_name(certificate), wanted.subject));
  add(out, "Issuer", name_of(X509_get_issuer_name(certificate), wanted.issuer));
  if (wanted.serial_number) add(out, "SerialNumber", serial_of(certificate));
  if (wanted.not_before) add(out, "NB", time_of(X509_get0_notBefore(certificate)));
  if (wanted.not_after) add(out, "NA", time_of(X509_get0_notAfter(certificate)));
  if (wanted.sans) add(out, "SAN", names_of(certificate));
  return escaped(out);
}

}  // namespace

std::shared_ptr<const ClientCertificate> ClientCertificate::from_der(std::string der) {
  if (der.empty() || der.size() > kMost) return nullptr;
  return std::make_shared<ClientCertificate>(std::move(der));
}

const std::string& ClientCertificate::pem() const {
  if (pem_.empty()) pem_ = encode_base64(der_);
  return pem_;
}

const std::string& ClientCertificate::info(const CertInfo& wanted) const {
  if (told_ == wanted) return info_;
  const auto* bytes = reinterpret_cast<const unsigned char*>(der_.data());
  const x509::Cert certificate(d2i_X509(nullptr, &bytes, static_cast<long>(der_.size())));
  info_ = certificate ? describe(certificate.get(), wanted) : std::string();
  told_ = wanted;
  return info_;
}

}  // namespace berth::edge
