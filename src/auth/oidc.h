// The code flow of OpenID Connect Core 1.0 and OAuth 2 with RFC 7636 (PKCE), 9207 (iss), 9700, as values. Pure.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/jose.h"
#include "auth/provider.h"

namespace berth::auth {

/// What a flow needs of a provider's metadata.
struct Metadata {
  std::string issuer{};  ///< "" of plain OAuth 2 where it is not known
  std::string authorize{}, token{}, user{}, keys{};
  bool names_issuer = false;  ///< it says iss in its answers (RFC 9207)
  bool basic_secret = true;   ///< takes the client's secret by Basic authentication
};
/// "<issuer>/.well-known/openid-configuration".
std::string discovery_url(std::string_view issuer);
/// Code::invalid when the issuer differs by one byte, or an address is missing or not protected by TLS.
Result<Metadata> parse_metadata(std::string_view issuer, const Json& document);
Metadata metadata_of(const OAuthSettings& settings);

/// One sign-in under way.
struct Login {
  std::string state{};     ///< 256 bits, once
  std::string verifier{};  ///< of PKCE
  std::string nonce{};
  std::string redirect{};  ///< our callback
};
/// base64url(SHA-256(verifier)).
std::string pkce_challenge(std::string_view verifier);
/// Where the browser goes.
std::string authorize_url(const Metadata& metadata, const OAuthSettings& settings, const Login& login);
/// The form that exchanges the code, without the client's secret.
std::vector<std::pair<std::string, std::string>> token_form(const OAuthSettings& settings, const Login& login,
                                                            std::string_view code);

/// What the provider sent the browser back with.
struct Callback {
  std::string code{}, state{}, issuer{}, error{};
};
/// From a query; Code::invalid for a parameter given twice or a broken query.
Result<Callback> parse_callback(std::string_view query);
/// Code::denied for an error of the provider, a missing code, and an answer that says another issuer than
/// is known (mix-up).
Result<void> check_callback(const Callback& callback, const Metadata& metadata);

/// What an ID token must say.
struct Expected {
  std::string issuer{}, client{}, nonce{};
  std::int64_t now = 0;  ///< seconds
};
/// OIDC Core 3.1.3.7. Code::denied with what does not fit.
Result<void> check_claims(const Json& claims, const Expected& expected);

/// What a provider says of a user; what it was not asked for is null.
struct Vouched {
  Json claims{};  ///< of the ID token; null for plain OAuth 2
  Json user{};    ///< the user's data
  Json groups{};  ///< what OAuthSettings::groups answered
};
/// The identity that these give together. Code::denied when the data is another subject's, or has no usable id.
Result<Identity> identity_of(const OAuthSettings& settings, const Vouched& vouched);

/// The names at `path`, keys divided by dots that lead into each item of lists on the way: "groups.name". Whole numbers
/// are names as they are written, and so is the last key where it is true. At most 1000. A key may itself hold dots.
std::set<std::string> names_at(const Json& value, std::string_view path);

}  // namespace berth::auth
