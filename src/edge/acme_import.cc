#include "edge/acme_import.h"

#include <algorithm>
#include <charconv>

#include "base/base64.h"
#include "base/json_fold.h"
#include "base/text.h"
#include "edge/certificate.h"
#include "edge/rule.h"
#include "edge/x509.h"
#include "http/url.h"

namespace berth::edge {
namespace {

constexpr std::string_view kStaging = "https://acme-staging-v02.api.letsencrypt.org/directory";

Result<std::string> bytes_of(const Json& json, std::string_view key) {
  const Json& value = folded_member(json, key);
  if (!value.is_text() || value.text().empty()) return fail(Code::invalid, std::string(key) + " is missing");
  auto bytes = decode_base64(value.text());
  if (!bytes) return fail(std::move(bytes.error()).within(key));
  return bytes;
}

/// An RSA key as Traefik keeps it, PKCS #1 without PEM; also PKCS #8 and SEC 1.
Result<std::string> account_key(const std::string& der) {
  const std::string body = encode_base64(der);
  for (const std::string kind : {"RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY"}) {
    std::string pem = "-----BEGIN " + kind + "-----\n";
    for (std::size_t at = 0; at < body.size(); at += 64) pem += body.substr(at, 64) + "\n";
    const auto key = x509::key_from(pem + "-----END " + kind + "-----\n");
    if (!key) continue;
    auto text = TRY(x509::pem_of(key->get()));
    TRY(AcmeKey::load(text));
    return text;
  }
  return fail(Code::invalid, "PrivateKey holds no key");
}

/// The directory of the CA at which the account has its URL.
Result<std::string> directory_of(const std::string& account, const std::string& given) {
  if (!given.empty()) return given;
  const auto url = http::parse_url(account);
  if (url && url->host == "acme-v02.api.letsencrypt.org") return std::string(kDefaultCa);
  if (url && url->host == "acme-staging-v02.api.letsencrypt.org") return std::string(kStaging);
  return fail(Code::invalid, "the CA of " + account + " is not known; name its directory with --ca-server");
}

Result<std::vector<std::string>> hosts_of(const Json& domain, const Certificate& certificate) {
  std::vector<std::string> names;
  const std::string main(folded_member(domain, "main").text());
  if (!main.empty()) names.push_back(main);
  for (const Json& each : folded_member(domain, "sans").items()) names.emplace_back(each.text());
  if (names.empty()) return certificate.hosts;
  std::vector<std::string> hosts;
  for (const std::string& name : names) {
    auto host = canonical_host(name);
    if (!host || *host == "*") return fail(Code::invalid, "domain: \"" + name + "\" is no host");
    const auto is_named = [&](const std::string& each) { return covers(each, *host); };
    if (std::ranges::none_of(certificate.hosts, is_named))
      return fail(Code::invalid, "domain: the certificate does not name " + *host);
    hosts.push_back(std::move(*host));
  }
  return hosts;
}

class Reader {
 public:
  explicit Reader(const AcmeImportOptions& options) : options_(options) {}

  Result<AcmeImport> read(const Json& tree) {
    if (tree.is_object() && !folded_member(tree, "DomainsCertificate").is_null())
      return fail(Code::invalid, "it is of Traefik before 1.6, for a protocol that no CA speaks any more");
    const bool flat = folded_member(tree, "Account").is_object() || folded_member(tree, "Certificates").is_array();
    if (flat && options_.resolver.empty())
      return fail(Code::invalid, "it is of Traefik 1, which names no resolver; say which by --resolver NAME");
    if (flat) read_resolver(options_.resolver, "", tree);
    for (const auto& [name, value] : tree.members())
      if (!flat && is_resolver(value)) read_resolver(name, name + ".", value);
    if (!flat && !found_) return fail(Code::invalid, "it is no acme.json: no member has an Account or Certificates");
    return std::move(out_);
  }

 private:
  static bool is_resolver(const Json& value) {
    return value.is_object() &&
           (value.contains(folded_name(value, "Account")) || value.contains(folded_name(value, "Certificates")));
  }

  void read_resolver(const std::string& name, const std::string& prefix, const Json& tree) {
    found_ = true;
    if (const Json& account = folded_member(tree, "Account"); account.is_object())
      take(prefix + "Account", read_account(name, prefix + "Account", account));
    std::size_t number = 0;
    for (const Json& each : folded_member(tree, "Certificates").items()) {
      const std::string place = prefix + "Certificates[" + std::to_string(number++) + "]";
      take(place, read_certificate(name, place, each));
    }
  }

  void take(const std::string& place, const Result<void>& done) {
    if (!done) out_.faults.push_back(place + ": " + done.error().message);
  }

  Result<void> read_account(const std::string& name, const std::string& place, const Json& json) {
    AcmeImport::Account out{.place = place, .resolver = {.name = name}, .account = {}};
    out.resolver.email = folded_member(json, "Email").text();
    out.account.url = folded_member(folded_member(json, "Registration"), "uri").text();
    if (out.account.url.empty()) return fail(Code::invalid, "it is not registered: Registration.uri is missing");
    out.account.key = TRY(account_key(TRY(bytes_of(json, "PrivateKey"))));
    out.resolver.directory = TRY(directory_of(out.account.url, options_.directory));
    out_.accounts.push_back(std::move(out));
    return {};
  }

  Result<void> read_certificate(const std::string& name, const std::string& place, const Json& json) {
    auto certificate = TRY(load_certificate(TRY(bytes_of(json, "certificate")), TRY(bytes_of(json, "key"))));
    auto hosts = TRY(hosts_of(folded_member(json, "domain"), certificate));
    out_.certificates.push_back({.place = place,
                                 .wanted = {.hosts = std::move(hosts), .resolver = name},
                                 .certificate = std::move(certificate)});
    return {};
  }

  const AcmeImportOptions& options_;
  bool found_ = false;
  AcmeImport out_;
};

/// "… at offset 17" -> "line 2, column 5: …".
Error with_line(Error error, std::string_view text) {
  static constexpr std::string_view kMark = " at offset ";
  const auto at = error.message.rfind(kMark);
  if (at == std::string::npos) return error;
  std::size_t offset = 0;
  const std::string_view digits = std::string_view(error.message).substr(at + kMark.size());
  std::from_chars(digits.data(), digits.data() + digits.size(), offset);
  const std::string_view before = text.substr(0, offset);
  const auto line = std::ranges::count(before, '\n') + 1;
  const std::size_t column = before.size() - (before.rfind('\n') + 1) + 1;
  error.message = std::to_string(line) + ":" + std::to_string(column) + ": " + error.message.substr(0, at);
  return error;
}

}  // namespace

Result<AcmeImport> read_acme_json(std::string_view text, const AcmeImportOptions& options) {
  auto tree = parse_json(text);
  if (!tree) return fail(with_line(std::move(tree.error()), text));
  auto import = Reader(options).read(*tree);
  if (!import) import.error().message.insert(0, "1:1: ");
  return import;
}

}  // namespace berth::edge
