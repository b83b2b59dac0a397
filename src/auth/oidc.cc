#include "auth/oidc.h"

#include <algorithm>

#include "auth/answer.h"
#include "auth/token.h"
#include "base/base64.h"
#include "base/hash.h"
#include "base/text.h"
#include "http/url.h"

namespace berth::auth {
namespace {

constexpr std::int64_t kSkew = 60;
constexpr std::int64_t kOldest = 600;
constexpr std::size_t kMostGroups = 1000, kMostSubject = 255;

std::unexpected<Error> denied(std::string_view why) {
  return fail(Code::denied, std::string(why));
}

Result<void> check_audience(const Json& claims, const std::string& client) {
  const Json& audience = claims["aud"];
  const Json& party = claims["azp"];
  bool named = audience.is_text() && audience.text() == client;
  for (const auto& item : audience.items()) named = named || item.text() == client;
  if (!named) return denied("the token is for another client");
  if (audience.items().size() > 1 && party.is_null())
    return denied("the token is for several and does not say for whom");
  if (!party.is_null() && party.text() != client) return denied("the token was given to another client");
  return {};
}

Result<void> check_times(const Json& claims, std::int64_t now) {
  if (!claims["exp"].is_number() || !claims["iat"].is_number()) return denied("the token does not say how old it is");
  const auto at = [&](std::string_view name) { return static_cast<std::int64_t>(claims[name].number()); };
  if (at("exp") + kSkew <= now) return denied("the token has expired");
  if (at("iat") > now + kSkew) return denied("the token is from the future; compare the clocks");
  if (at("iat") + kOldest < now) return denied("the token is old");
  if (claims["nbf"].is_number() && at("nbf") > now + kSkew) return denied("the token is not valid yet");
  return {};
}

std::string subject_text(const Json& value) {
  if (value.is_integer()) return std::to_string(value.integer());
  return std::string(value.text());
}

/// First of the user's data, then of the ID token.
const Json& member(const Json& user, const Json& claims, std::string_view path) {
  const Json& found = user.at(path);
  return found.is_null() ? claims.at(path) : found;
}

/// `last` is the key that led to `value`.
void collect_names(const Json& value, std::string_view path, std::string_view last, std::set<std::string>& names) {
  if (names.size() >= kMostGroups) return;
  for (const auto& item : value.items()) collect_names(item, path, last, names);
  if (path.empty()) {
    const std::string name = value.is_bool() && value.boolean() ? std::string(last) : subject_text(value);
    if (!name.empty()) names.insert(name);
  } else if (value.contains(path)) {
    collect_names(value[path], {}, path, names);
  } else if (value.is_object()) {
    const auto [key, rest, divided] = cut(path, '.');
    if (divided) collect_names(value[key], rest, key, names);
  }
}

std::set<std::string> groups_of(const OAuthSettings& settings, const Vouched& vouched) {
  std::set<std::string> groups;
  for (const auto& path : settings.groups_members) {
    if (!settings.groups.empty()) {
      groups.merge(names_at(vouched.groups, path));
      continue;
    }
    auto names = names_at(vouched.user, path);
    groups.merge(names.empty() ? names_at(vouched.claims, path) : std::move(names));
  }
  return groups;
}

}  // namespace

std::string discovery_url(std::string_view issuer) {
  std::string url(issuer);
  while (url.ends_with('/')) url.pop_back();
  return url + "/.well-known/openid-configuration";
}

Result<Metadata> parse_metadata(std::string_view issuer, const Json& document) {
  if (document["issuer"].text() != issuer) {
    return fail(Code::invalid,
                "provider: its discovery document names another issuer than the one that was configured");
  }
  Metadata metadata{.issuer = std::string(issuer),
                    .authorize = std::string(document["authorization_endpoint"].text()),
                    .token = std::string(document["token_endpoint"].text()),
                    .user = std::string(document["userinfo_endpoint"].text()),
                    .keys = std::string(document["jwks_uri"].text()),
                    .names_issuer = document["authorization_response_iss_parameter_supported"].boolean()};
  TRY(check_endpoint("authorization_endpoint", metadata.authorize));
  TRY(check_endpoint("token_endpoint", metadata.token));
  TRY(check_endpoint("jwks_uri", metadata.keys));
  if (!metadata.user.empty()) TRY(check_endpoint("userinfo_endpoint", metadata.user));
  // Without the member, Basic is what it means (OIDC Discovery 3).
  const Json& methods = document["token_endpoint_auth_methods_supported"];
  const auto is_basic = [](const Json& method) { return method.text() == "client_secret_basic"; };
  metadata.basic_secret = !methods.is_array() || std::ranges::any_of(methods.items(), is_basic);
  return metadata;
}

Metadata metadata_of(const OAuthSettings& settings) {
  return {.issuer = settings.issuer,
          .authorize = settings.authorize,
          .token = settings.token,
          .user = settings.user,
          .basic_secret = false};
}

std::string pkce_challenge(std::string_view verifier) {
  return encode_base64url(sha256(verifier));
}

std::string authorize_url(const Metadata& metadata, const OAuthSettings& settings, const Login& login) {
  std::vector<std::pair<std::string, std::string>> query = {
      {"response_type", "code"},        {"client_id", settings.client},
      {"redirect_uri", login.redirect}, {"scope", join(settings.scopes, " ")},
      {"state", login.state},           {"code_challenge", pkce_challenge(login.verifier)},
      {"code_challenge_method", "S256"}};
  if (!metadata.issuer.empty()) query.emplace_back("nonce", login.nonce);
  return metadata.authorize + (metadata.authorize.contains('?') ? "&" : "?") + http::encode_query(query);
}

std::vector<std::pair<std::string, std::string>> token_form(const OAuthSettings& settings, const Login& login,
                                                            std::string_view code) {
  return {{"grant_type", "authorization_code"},
          {"code", std::string(code)},
          {"redirect_uri", login.redirect},
          {"client_id", settings.client},
          {"code_verifier", login.verifier}};
}

Result<Callback> parse_callback(std::string_view query) {
  Callback callback;
  const std::map<std::string_view, std::string*> known = {
      {"code", &callback.code}, {"state", &callback.state}, {"iss", &callback.issuer}, {"error", &callback.error}};
  for (auto& [name, value] : TRY(http::decode_query(query))) {
    const auto into = known.find(name);
    if (into == known.end()) continue;
    if (!into->second->empty()) return fail(Code::invalid, "the provider's answer has " + name + " twice");
    if (value.size() > 4096) return fail(Code::invalid, "the provider's answer is too long");
    *into->second = std::move(value);
  }
  return callback;
}

Result<void> check_callback(const Callback& callback, const Metadata& metadata) {
  // Of an OAuth 2 provider the name may be unknown: its callback is an address of its own, so that no other's answer
  // comes to it unnoticed (RFC 9700 4.4.2).
  if (!callback.issuer.empty() && !metadata.issuer.empty() && callback.issuer != metadata.issuer)
    return denied("another provider answered than the one that was asked");
  if (metadata.names_issuer && callback.issuer.empty()) return denied("the answer does not say which provider gave it");
  // What the RFC calls it when the user says no; other errors are the client's or the provider's.
  if (callback.error == "access_denied") return fail(Code::cancelled, "the user did not consent at the provider");
  if (!callback.error.empty()) return denied("the provider refused" + error_words(callback.error));
  if (callback.code.empty()) return denied("the provider gave no code");
  return {};
}

Result<void> check_claims(const Json& claims, const Expected& expected) {
  if (claims["iss"].text() != expected.issuer || expected.issuer.empty())
    return denied("the token is of another issuer");
  TRY(check_audience(claims, expected.client));
  TRY(check_times(claims, expected.now));
  if (expected.nonce.empty() || !same_secret(claims["nonce"].text(), expected.nonce))
    return denied("the token belongs to another sign-in");
  const std::string_view subject = claims["sub"].text();
  if (subject.empty() || subject.size() > kMostSubject) return denied("the token names no subject");
  return {};
}

std::set<std::string> names_at(const Json& value, std::string_view path) {
  std::set<std::string> names;
  collect_names(value, path, path, names);
  return names;
}

Result<Identity> identity_of(const OAuthSettings& settings, const Vouched& vouched) {
  const auto& [claims, user, groups] = vouched;
  Identity identity;
  if (!claims.is_null()) {
    identity.subject = claims["sub"].text();
    if (!user.is_null() && user["sub"].text() != identity.subject)
      return denied("the user's data is another subject's");
  } else {
    identity.subject = subject_text(user.at(settings.id_member));
  }
  if (identity.subject.empty() || identity.subject.size() > kMostSubject)
    return denied("the provider gave no " + settings.id_member);
  identity.name = member(user, claims, settings.name_member).text();
  for (const auto* other : {"preferred_username", "nickname", "email", "name"})
    if (identity.name.empty()) identity.name = member(user, claims, other).text();
  identity.groups = groups_of(settings, vouched);
  return identity;
}

}  // namespace berth::auth
