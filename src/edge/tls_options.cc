#include "edge/tls_options.h"

#include <openssl/ssl.h>

#include "base/text.h"

namespace berth::edge {
namespace {

using Auth = io::TlsPolicy::ClientAuth;

Result<Auth> parse_auth(std::string_view text) {
  static constexpr std::pair<std::string_view, Auth> kTypes[] = {
      {"", Auth::none},
      {"NoClientCert", Auth::none},
      {"RequestClientCert", Auth::request},
      {"RequireAnyClientCert", Auth::require_any},
      {"VerifyClientCertIfGiven", Auth::verify_if_given},
      {"RequireAndVerifyClientCert", Auth::require_and_verify},
  };
  for (const auto& [name, auth] : kTypes)
    if (equal_fold(name, text)) return auth;
  return fail(Code::invalid, "clientAuthType \"" + std::string(text) + "\" is not known");
}

void append(std::string& list, std::string_view item) {
  list.append(list.empty() ? "" : ":").append(item);
}

/// Go's name for a curve in OpenSSL's terms.
std::string curve_of(std::string_view name) {
  return name.starts_with("CurveP") ? "P-" + std::string(name.substr(6)) : std::string(name);
}

/// IANA's name in OpenSSL's terms; Go leaves out a part of two of them.
Result<std::string> cipher_of(std::string name) {
  if (name.ends_with("CHACHA20_POLY1305")) name += "_SHA256";
  const std::string known = OPENSSL_cipher_name(name.c_str());
  if (known == "(NONE)") return fail(Code::invalid, "cipher suite \"" + name + "\" is not known");
  return known;
}

Result<io::TlsPolicy::Options> policy_options(const TlsOptions& options) {
  io::TlsPolicy::Options out{.min_version = options.min_version,
                             .max_version = options.max_version,
                             .alpn = options.alpn,
                             .client_auth = TRY(parse_auth(options.client_auth)),
                             .client_ca = options.client_ca};
  for (const std::string& name : options.ciphers) {
    const std::string cipher = TRY(cipher_of(name));
    append(cipher.starts_with("TLS_") ? out.suites : out.ciphers, cipher);
  }
  for (const std::string& name : options.curves) append(out.curves, curve_of(name));
  return out;
}

}  // namespace

Result<int> parse_tls_version(std::string_view text) {
  static constexpr std::string_view kVersions[] = {"VersionTLS10", "VersionTLS11", "VersionTLS12", "VersionTLS13"};
  for (int i = 0; i < 4; ++i)
    if (equal_fold(text, kVersions[i])) return 10 + i;
  return fail(Code::invalid, "\"" + std::string(text) + "\" is no version; use VersionTLS12 or VersionTLS13");
}

Result<std::shared_ptr<const io::TlsPolicy>> make_policy(const TlsOptions& options) {
  const auto known = policy_options(options);
  auto made = known ? io::TlsPolicy::make(*known) : Result<std::shared_ptr<const io::TlsPolicy>>(fail(known.error()));
  if (!made) return fail(std::move(made.error()).within("tls.options." + options.name));
  return made;
}

}  // namespace berth::edge
