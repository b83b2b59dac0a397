#include "app/resolver_options.h"

#include <charconv>

#include "app/static_tree.h"
#include "base/json_fold.h"
#include "base/text.h"
#include "edge/file_value.h"
#include "edge/tls_options.h"
#include "http/url.h"
#include "io/file.h"

namespace berth::app {
namespace {

using edge::Resolver;

std::string lookup(const Environment& environment, const std::string& key) {
  const auto found = environment.find(key);
  return found == environment.end() ? "" : found->second;
}

Result<std::chrono::seconds> seconds_of(std::string_view text) {
  if (text.ends_with('s')) text.remove_suffix(1);
  int count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end != text.data() + text.size() || count < 0 || count > 3600)
    return fail(Code::invalid, "\"" + std::string(text) + "\" is not a number of seconds");
  return std::chrono::seconds(count);
}

/// Reads one resolver; keeps where it is for messages.
class Reader {
 public:
  Reader(std::string name, const Json& acme, const Environment& environment)
      : acme_(acme), environment_(environment), where_(std::string(kResolvers) + "." + name + ".acme") {
    out_.name = std::move(name);
  }

  Result<Resolver> read() {
    TRY(check_keys());
    out_.email = scalar(folded_member(acme_, "email"));
    out_.fallback = scalar(folded_member(acme_, "fallback"));
    if (const auto text = scalar(folded_member(acme_, "caServer")); !text.empty()) out_.directory = text;
    if (const auto url = http::parse_url(out_.directory); !url) return wrong("caServer", url.error().message);
    if (const auto text = scalar(folded_member(acme_, "keyType")); !text.empty()) {
      const auto type = edge::parse_key_type(text);
      if (!type) return wrong("keyType", type.error().message);
      out_.key_type = *type;
    }
    const Json& eab = folded_member(acme_, "eab");
    out_.binding = {.kid = scalar(folded_member(eab, "kid")), .hmac = scalar(folded_member(eab, "hmacEncoded"))};
    TRY(read_roots());
    TRY(read_challenge());
    return std::move(out_);
  }

 private:
  std::unexpected<Error> wrong(std::string_view key, std::string message) const {
    return fail(Code::invalid, where_ + "." + std::string(key) + ": " + std::move(message));
  }

  Result<void> check_keys() const {
    static constexpr std::string_view kKeys[] = {"email",         "caServer",      "keyType",      "eab",
                                                 "httpChallenge", "tlsChallenge",  "dnsChallenge", "storage",
                                                 "fallback",      "caCertificates"};
    for (const auto& [name, value] : acme_.members()) {
      const auto known = [&](std::string_view key) { return equal_fold(key, name); };
      if (std::ranges::none_of(kKeys, known))
        return fail(Code::invalid, where_ + "." + name + " is not known" + suggestion(name, kKeys));
    }
    return {};
  }

  Result<void> read_roots() {
    std::vector<std::string> paths;
    const Json& given = folded_member(acme_, "caCertificates");
    for (const Json& path : given.items()) paths.push_back(scalar(path));
    if (given.is_text()) paths.emplace_back(given.text());
    if (paths.empty()) {
      if (const auto path = lookup(environment_, "LEGO_CA_CERTIFICATES"); !path.empty()) paths.push_back(path);
    }
    for (const std::string& path : paths) {
      const auto text = io::read_file(path, 1u << 20);
      if (!text) return wrong("caCertificates", text.error().message);
      out_.ca_pem += *text + "\n";
    }
    return {};
  }

  bool has(std::string_view key) const {
    const Json& value = folded_member(acme_, key);
    return acme_.contains(folded_name(acme_, key)) && !(value.is_bool() && !value.boolean()) && value.text() != "false";
  }

  Result<void> read_challenge() {
    const int count = int{has("httpChallenge")} + int{has("tlsChallenge")} + int{has("dnsChallenge")};
    if (count > 1) return fail(Code::invalid, where_ + " has several challenges; leave one of them");
    if (has("httpChallenge")) {
      out_.challenge = edge::ChallengeType::http;
      const std::string entry = lower(scalar(folded_member(folded_member(acme_, "httpChallenge"), "entryPoint")));
      if (!entry.empty() && entry != "web" && entry != "http")
        return wrong("httpChallenge.entryPoint", "\"" + entry + "\" is not the plain listener; use web");
    }
    if (has("dnsChallenge")) return read_dns(folded_member(acme_, "dnsChallenge"));
    return {};
  }

  Result<void> read_dns(const Json& dns) {
    out_.challenge = edge::ChallengeType::dns;
    const std::string provider = lower(scalar(folded_member(dns, "provider")));
    if (const Json& delay = folded_member(dns, "delayBeforeCheck"); !delay.is_null()) {
      const auto time = seconds_of(scalar(delay));
      if (!time) return wrong("dnsChallenge.delayBeforeCheck", time.error().message);
      out_.dns.delay = *time;
    }
    if (provider == "exec") {
      out_.dns.hook = lookup(environment_, "EXEC_PATH");
      if (out_.dns.hook.empty()) return wrong("dnsChallenge", "provider exec needs its program in EXEC_PATH");
      return {};
    }
    if (provider == "rfc2136") return read_rfc2136();
    return wrong("dnsChallenge.provider", "\"" + provider + "\" is not known; use exec with EXEC_PATH, or rfc2136");
  }

  Result<void> read_rfc2136() {
    edge::DnsSettings& dns = out_.dns;
    dns.nameserver = lookup(environment_, "RFC2136_NAMESERVER");
    dns.zone = lookup(environment_, "RFC2136_ZONE");
    dns.key_name = lookup(environment_, "RFC2136_TSIG_KEY");
    dns.key_secret = lookup(environment_, "RFC2136_TSIG_SECRET");
    std::string algorithm = lookup(environment_, "RFC2136_TSIG_ALGORITHM");
    if (algorithm.ends_with('.')) algorithm.pop_back();
    if (!algorithm.empty()) dns.key_algorithm = algorithm;
    if (dns.nameserver.empty()) return wrong("dnsChallenge", "provider rfc2136 needs RFC2136_NAMESERVER");
    if (dns.key_name.empty() != dns.key_secret.empty())
      return wrong("dnsChallenge", "RFC2136_TSIG_KEY and RFC2136_TSIG_SECRET belong together");
    return {};
  }

  const Json& acme_;
  const Environment& environment_;
  std::string where_;
  Resolver out_;
};

}  // namespace

Result<std::vector<Resolver>> read_resolvers(const Json& tree, const Environment& environment) {
  std::vector<Resolver> out;
  for (const auto& [name, value] : folded_member(tree, kResolvers).members()) {
    const Json& acme = folded_member(value, "acme");
    // `acme: {}` and a bare flag are an account at the default CA.
    if (!value.contains(folded_name(value, "acme")))
      return fail(Code::invalid, std::string(kResolvers) + "." + name + " has no acme; other kinds are not supported");
    out.push_back(TRY(Reader(name, acme, environment).read()));
  }
  for (const Resolver& each : out) {
    if (each.fallback.empty() || std::ranges::count(out, each.fallback, &Resolver::name) > 0) continue;
    return fail(Code::invalid, std::string(kResolvers) + "." + each.name + ".acme.fallback: there is no resolver \"" +
                                   each.fallback + "\"");
  }
  return out;
}

namespace {

Result<void> read_client_auth(const Json& auth, edge::TlsOptions& out) {
  out.client_auth = scalar(folded_member(auth, "clientAuthType"));
  for (const std::string& path : edge::list_of(folded_member(auth, "caFiles")))
    out.client_ca += TRY(io::read_file(path, 1u << 20));
  return {};
}

Result<edge::TlsOptions> read_options(const std::string& name, const Json& json) {
  static constexpr std::string_view kKeys[] = {"minVersion", "maxVersion",    "cipherSuites", "curvePreferences",
                                               "sniStrict",  "alpnProtocols", "clientAuth"};
  for (const auto& [key, value] : json.members()) {
    const auto known = [&](std::string_view each) { return equal_fold(each, key); };
    if (std::ranges::none_of(kKeys, known)) return fail(Code::invalid, key + " is not known" + suggestion(key, kKeys));
  }
  edge::TlsOptions out{.name = name,
                       .ciphers = edge::list_of(folded_member(json, "cipherSuites")),
                       .curves = edge::list_of(folded_member(json, "curvePreferences")),
                       .alpn = edge::list_of(folded_member(json, "alpnProtocols"))};
  if (const auto text = scalar(folded_member(json, "minVersion")); !text.empty())
    out.min_version = TRY(edge::parse_tls_version(text));
  if (const auto text = scalar(folded_member(json, "maxVersion")); !text.empty())
    out.max_version = TRY(edge::parse_tls_version(text));
  TRY(read_client_auth(folded_member(json, "clientAuth"), out));
  return out;
}

}  // namespace

Result<std::vector<edge::TlsOptions>> read_tls_options(const Json& tree) {
  std::vector<edge::TlsOptions> out;
  for (const auto& [name, value] : folded_member(folded_member(tree, "tls"), "options").members()) {
    auto options = read_options(name, value);
    if (!options) return fail(std::move(options.error()).within("tls.options." + name));
    TRY(edge::make_policy(*options));
    out.push_back(std::move(*options));
  }
  return out;
}

}  // namespace berth::app
