// What a provider's answers must be, and sixty ways in which they are not.
#include "auth/oidc.h"

#include <gtest/gtest.h>

#include "auth/oidc_fixture.h"
#include "base/hash.h"
#include "http/url.h"

namespace berth::auth {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;
constexpr std::string_view kIssuer = "https://id.example", kClient = "berth", kNonce = "nonce-of-this-sign-in";

const SigningKey& rsa() {
  static const SigningKey kKey("rsa-1", "RS256");
  return kKey;
}
const SigningKey& ec() {
  static const SigningKey kKey("ec-1", "ES256");
  return kKey;
}
const SigningKey& ed() {
  static const SigningKey kKey("ed-1", "EdDSA");
  return kKey;
}
const SigningKey& stranger() {
  static const SigningKey kKey("rsa-1", "RS256");  // the same name, another key
  return kKey;
}

VerifyKeys known_keys() {
  const auto keys = parse_jwks(Json::object({{"keys", Json::array({rsa().jwk(), ec().jwk(), ed().jwk()})}}));
  EXPECT_TRUE(keys);
  return *keys;
}

Json good_claims() {
  return Json::object({{"iss", kIssuer},
                       {"sub", "alice"},
                       {"aud", kClient},
                       {"nonce", kNonce},
                       {"iat", kNow - 5},
                       {"exp", kNow + 300}});
}

/// A token in the making; a case spoils one thing.
struct Forge {
  Json header = Json::object({{"alg", "RS256"}, {"kid", "rsa-1"}});
  Json claims = good_claims();
  const SigningKey* key = &rsa();
  std::function<std::string(std::string)> after{};

  std::string text() const {
    std::string token = signed_token(*key, header, claims);
    return after ? after(std::move(token)) : token;
  }
};

Result<void> accept(const std::string& token, const VerifyKeys& keys = known_keys()) {
  const auto verified = verify_jwt(token, keys);
  if (!verified) return fail(verified.error());
  return check_claims(
      verified->claims,
      {.issuer = std::string(kIssuer), .client = std::string(kClient), .nonce = std::string(kNonce), .now = kNow});
}

TEST(Oidc, TakesTokensOfThreeAlgorithms) {
  for (const SigningKey* key : {&rsa(), &ec(), &ed()}) {
    const Forge forge{.header = Json::object({{"alg", key->algorithm()}, {"kid", key->kid()}}), .key = key};
    const auto accepted = accept(forge.text());
    EXPECT_TRUE(accepted) << key->algorithm() << ": " << accepted.error().text();
  }
  Forge many;
  many.claims.set("aud", Json::array({kClient, "other"}));
  many.claims.set("azp", kClient);
  EXPECT_TRUE(accept(many.text()));
  const Forge unnamed{.header = Json::object({{"alg", "RS256"}})};
  EXPECT_TRUE(accept(unnamed.text())) << "there is one RSA key only";
}

using Spoil = void (*)(Forge& forge);
struct Negative {
  std::string_view what;
  Spoil spoil;
};
std::string with_signature(const std::string& token, const std::string& signature) {
  return token.substr(0, token.rfind('.') + 1) + signature;
}
std::string hmac_token(Forge& forge, const std::string& key, std::string_view algorithm) {
  forge.header.set("alg", algorithm);
  const std::string input = signing_input(forge.header, forge.claims);
  return input + "." + encode_base64url(hmac_sha256(key, input));
}

const Negative kTokens[] = {
    {"alg none", [](Forge& f) { f.header.set("alg", "none"); }},
    {"alg none without a signature",
     [](Forge& f) {
       f.header.set("alg", "none");
       f.after = [](std::string t) { return with_signature(t, ""); };
     }},
    {"alg NONE", [](Forge& f) { f.header.set("alg", "NONE"); }},
    {"alg missing", [](Forge& f) { f.header.erase("alg"); }},
    {"alg null", [](Forge& f) { f.header.set("alg", Json()); }},
    {"alg as a list", [](Forge& f) { f.header.set("alg", Json::array({"RS256"})); }},
    {"HS256 with the public key as secret",
     [](Forge& f) {
       const std::string forged = hmac_token(f, rsa().public_text(), "HS256");
       f.after = [forged](std::string) { return forged; };
     }},
    {"HS256 with the client id as secret",
     [](Forge& f) {
       const std::string forged = hmac_token(f, std::string(kClient), "HS256");
       f.after = [forged](std::string) { return forged; };
     }},
    {"HMAC that says RS256",
     [](Forge& f) {
       const std::string forged = hmac_token(f, rsa().public_text(), "RS256");
       f.after = [forged](std::string) { return forged; };
     }},
    {"HS384", [](Forge& f) { f.header.set("alg", "HS384"); }},
    {"PS256", [](Forge& f) { f.header.set("alg", "PS256"); }},
    {"RS512", [](Forge& f) { f.header.set("alg", "RS512"); }},
    {"rs256 in small letters", [](Forge& f) { f.header.set("alg", "rs256"); }},
    {"ES256 under an RSA key's name", [](Forge& f) { f.header.set("alg", "ES256"); }},
    {"signed by a stranger of the same name", [](Forge& f) { f.key = &stranger(); }},
    {"unknown kid", [](Forge& f) { f.header.set("kid", "rsa-2"); }},
    {"kid of another kind", [](Forge& f) { f.header.set("kid", "ec-1"); }},
    {"kid that is a path", [](Forge& f) { f.header.set("kid", "../../dev/null"); }},
    {"kid with a statement", [](Forge& f) { f.header.set("kid", "x' UNION SELECT 'a"); }},
    {"empty kid", [](Forge& f) { f.header.set("kid", ""); }},
    {"kid that is a number", [](Forge& f) { f.header.set("kid", 1); }},
    {"own key in the header",
     [](Forge& f) {
       f.key = &stranger();
       f.header.set("jwk", stranger().jwk());
     }},
    {"own key behind jku",
     [](Forge& f) {
       f.key = &stranger();
       f.header.set("jku", "https://evil.example/keys");
     }},
    {"crit", [](Forge& f) { f.header.set("crit", Json::array({"b64"})); }},
    {"no signature", [](Forge& f) { f.after = [](std::string t) { return with_signature(t, ""); }; }},
    {"two parts", [](Forge& f) { f.after = [](std::string t) { return t.substr(0, t.rfind('.')); }; }},
    {"four parts", [](Forge& f) { f.after = [](std::string t) { return t + ".x"; }; }},
    {"nothing", [](Forge& f) { f.after = [](std::string) { return std::string(); }; }},
    {"a cut signature", [](Forge& f) { f.after = [](std::string t) { return t.substr(0, t.size() - 8); }; }},
    {"a longer signature", [](Forge& f) { f.after = [](std::string t) { return t + "AAAA"; }; }},
    {"padding", [](Forge& f) { f.after = [](std::string t) { return t + "=="; }; }},
    {"a changed claim",
     [](Forge& f) {
       f.after = [](std::string t) {
         Json other = good_claims();
         other.set("sub", "admin");
         const auto first = t.find('.'), last = t.rfind('.');
         return t.substr(0, first + 1) + encode_base64url(other.dump()) + t.substr(last);
       };
     }},
    {"claims that are a list", [](Forge& f) { f.claims = Json::array({"iss"}); }},
    {"an oversized token", [](Forge& f) { f.claims.set("x", std::string(40'000, 'x')); }},
    {"another issuer", [](Forge& f) { f.claims.set("iss", "https://evil.example"); }},
    {"the issuer with a slash", [](Forge& f) { f.claims.set("iss", "https://id.example/"); }},
    {"the issuer in capitals", [](Forge& f) { f.claims.set("iss", "https://ID.example"); }},
    {"the issuer over http", [](Forge& f) { f.claims.set("iss", "http://id.example"); }},
    {"no issuer", [](Forge& f) { f.claims.erase("iss"); }},
    {"another audience", [](Forge& f) { f.claims.set("aud", "other"); }},
    {"an audience that begins alike", [](Forge& f) { f.claims.set("aud", "berth2"); }},
    {"no audience", [](Forge& f) { f.claims.erase("aud"); }},
    {"an empty list of audiences", [](Forge& f) { f.claims.set("aud", Json::array()); }},
    {"several audiences without azp", [](Forge& f) { f.claims.set("aud", Json::array({kClient, "other"})); }},
    {"azp of another client", [](Forge& f) { f.claims.set("azp", "other"); }},
    {"azp that is a list", [](Forge& f) { f.claims.set("azp", Json::array({kClient})); }},
    {"expired", [](Forge& f) { f.claims.set("exp", kNow - 61); }},
    {"no expiry", [](Forge& f) { f.claims.erase("exp"); }},
    {"expiry as text", [](Forge& f) { f.claims.set("exp", "9999999999"); }},
    {"from the future", [](Forge& f) { f.claims.set("iat", kNow + 61); }},
    {"no time of issue", [](Forge& f) { f.claims.erase("iat"); }},
    {"old, though it has not expired", [](Forge& f) { f.claims.set("iat", kNow - 601); }},
    {"not valid yet", [](Forge& f) { f.claims.set("nbf", kNow + 61); }},
    {"another nonce", [](Forge& f) { f.claims.set("nonce", "nonce-of-another-sign-in"); }},
    {"no nonce", [](Forge& f) { f.claims.erase("nonce"); }},
    {"an empty nonce", [](Forge& f) { f.claims.set("nonce", ""); }},
    {"no subject", [](Forge& f) { f.claims.erase("sub"); }},
    {"an empty subject", [](Forge& f) { f.claims.set("sub", ""); }},
    {"a subject that is a number", [](Forge& f) { f.claims.set("sub", 1); }},
    {"a subject without end", [](Forge& f) { f.claims.set("sub", std::string(256, 's')); }},
};

TEST(Oidc, RefusesSixtyTokens) {
  EXPECT_GE(std::size(kTokens), 60U);
  EXPECT_TRUE(accept(Forge{}.text())) << "what is spoilt below is good before";
  for (const auto& [what, spoil] : kTokens) {
    Forge forge;
    spoil(forge);
    EXPECT_FALSE(accept(forge.text())) << what;
  }
  std::printf("oidc: %zu hostile tokens, 0 accepted\n", std::size(kTokens));
}

TEST(Oidc, RefusesAnUnnamedKeyWhereThereIsAChoice) {
  const auto two = parse_jwks(Json::object({{"keys", Json::array({rsa().jwk(), stranger().jwk()})}}));
  ASSERT_TRUE(two);
  EXPECT_FALSE(accept(Forge{.header = Json::object({{"alg", "RS256"}})}.text(), *two));
  EXPECT_FALSE(accept(Forge{}.text(), *two)) << "two keys of one name";
}

TEST(Oidc, PassesOverKeysThatAreNotForSignatures) {
  const auto parse = [](std::function<void(Json&)> spoil) {
    Json jwk = rsa().jwk();
    spoil(jwk);
    return parse_jwks(Json::object({{"keys", Json::array({std::move(jwk)})}}));
  };
  EXPECT_TRUE(parse([](Json&) {}));
  EXPECT_FALSE(parse([](Json& k) { k.set("use", "enc"); }));
  EXPECT_FALSE(parse([](Json& k) { k.set("alg", "RS512"); }));
  EXPECT_FALSE(parse([](Json& k) { k.set("alg", "HS256"); }));
  EXPECT_FALSE(parse([](Json& k) { k.set("kty", "oct"); }));
  EXPECT_FALSE(parse([](Json& k) { k.set("n", encode_base64url(std::string(128, '\xff'))); })) << "1024 bits";
  EXPECT_FALSE(parse([](Json& k) { k.set("n", "no base64 !"); }));
  EXPECT_FALSE(parse([](Json& k) { k.set("kty", "EC"); }));
  EXPECT_FALSE(parse_jwks(Json()));
}

Json good_document() {
  return Json::object({{"issuer", kIssuer},
                       {"authorization_endpoint", "https://id.example/auth"},
                       {"token_endpoint", "https://id.example/token"},
                       {"userinfo_endpoint", "https://id.example/me"},
                       {"jwks_uri", "https://id.example/keys"},
                       {"authorization_response_iss_parameter_supported", true}});
}

TEST(Oidc, ReadsMetadataOfItsIssuerOverTlsOnly) {
  const auto parse = [](std::string_view name, Json value) {
    Json document = good_document();
    document.set(name, std::move(value));
    return parse_metadata(kIssuer, document);
  };
  EXPECT_TRUE(parse_metadata(kIssuer, good_document()));
  EXPECT_FALSE(parse("issuer", "https://evil.example"));
  EXPECT_FALSE(parse("issuer", "https://id.example/"));
  for (const auto* name : {"authorization_endpoint", "token_endpoint", "jwks_uri"}) {
    EXPECT_FALSE(parse(name, Json())) << name;
    EXPECT_FALSE(parse(name, "http://id.example/x")) << name;
    EXPECT_FALSE(parse(name, "file:///etc/passwd")) << name;
  }
  EXPECT_TRUE(parse("userinfo_endpoint", Json()));
  EXPECT_FALSE(parse("userinfo_endpoint", "http://id.example/me"));
  EXPECT_FALSE(parse("token_endpoint_auth_methods_supported", Json::array({"client_secret_post"}))->basic_secret);
}

TEST(Oidc, AsksWithPkceStateAndNonce) {
  EXPECT_EQ(pkce_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
      << "RFC 7636 appendix B";
  const OAuthSettings settings{.client = "berth", .scopes = {"openid", "email"}};
  const Login login{.state = "s", .verifier = "v", .nonce = "n", .redirect = "https://berth.localhost/cb"};
  const std::string url = authorize_url(*parse_metadata(kIssuer, good_document()), settings, login);
  const auto query = http::decode_query(url.substr(url.find('?') + 1));
  ASSERT_TRUE(query);
  const std::map<std::string, std::string> asked(query->begin(), query->end());
  const std::map<std::string, std::string> wanted = {{"response_type", "code"},
                                                     {"client_id", "berth"},
                                                     {"redirect_uri", "https://berth.localhost/cb"},
                                                     {"scope", "openid email"},
                                                     {"state", "s"},
                                                     {"nonce", "n"},
                                                     {"code_challenge", pkce_challenge("v")},
                                                     {"code_challenge_method", "S256"}};
  EXPECT_EQ(asked, wanted);
}

TEST(Oidc, RefusesAnswersOfOthers) {
  const auto metadata = *parse_metadata(kIssuer, good_document());
  const auto judge = [&](std::string_view query) -> Result<void> {
    return check_callback(TRY(parse_callback(query)), metadata);
  };
  EXPECT_TRUE(judge("code=c&state=s&iss=https%3A%2F%2Fid.example"));
  EXPECT_FALSE(judge("code=c&state=s"));
  EXPECT_FALSE(judge("code=c&state=s&iss=https%3A%2F%2Fevil.example"));
  EXPECT_FALSE(judge("code=c&state=s&iss=https%3A%2F%2Fid.example%2F"));
  EXPECT_FALSE(judge("state=s&iss=https%3A%2F%2Fid.example"));
  EXPECT_FALSE(judge("error=access_denied&state=s&iss=https%3A%2F%2Fid.example"));
  EXPECT_FALSE(judge("code=c&code=d&state=s&iss=https%3A%2F%2Fid.example"));
  EXPECT_FALSE(judge("code=c&state=s&state=t&iss=https%3A%2F%2Fid.example"));
  EXPECT_FALSE(judge("code=%zz"));
  EXPECT_FALSE(judge("code=" + std::string(5000, 'c')));
}

TEST(Oidc, ComparesAnIssuerOfOAuth2WhereItIsKnown) {
  const auto judge = [](Json settings, std::string_view issuer) {
    settings.set("kind", "oauth2");
    settings.set("clientId", "berth");
    const auto provider = parse_provider("hub", settings);
    EXPECT_TRUE(provider);
    return provider &&
           check_callback({.code = "c", .state = "s", .issuer = std::string(issuer)}, metadata_of(provider->oauth))
               .has_value();
  };
  const Json github = Json::object({{"preset", "github"}});
  EXPECT_TRUE(judge(github, "https://github.com/login/oauth")) << "what GitHub says since 2026";
  EXPECT_TRUE(judge(github, ""));
  EXPECT_FALSE(judge(github, "https://evil.example"));
  const Json own = Json::object({{"preset", "github"}, {"authorizeUrl", "https://git.example/login/oauth/authorize"}});
  EXPECT_TRUE(judge(own, "https://git.example/login/oauth"));
  Json named = own;
  named.set("issuer", "https://git.example/login/oauth");
  EXPECT_TRUE(judge(named, "https://git.example/login/oauth"));
  EXPECT_FALSE(judge(named, "https://github.com/login/oauth"));
}

TEST(Oidc, KeysAnIdentityByItsSubject) {
  const OAuthSettings oidc;
  const Json claims = Json::object({{"sub", "alice"}, {"email", "root@example.test"}});
  const auto alice = identity_of(oidc, {.claims = claims, .user = Json::object({{"sub", "alice"}, {"name", "Alice"}})});
  ASSERT_TRUE(alice);
  EXPECT_EQ(alice->subject, "alice");
  EXPECT_FALSE(identity_of(oidc, {.claims = claims, .user = Json::object({{"sub", "root"}})})) << "another subject's";
  EXPECT_FALSE(identity_of(oidc, {.claims = claims, .user = Json::object({{"name", "x"}})}));
  OAuthSettings github;
  github.id_member = "id";
  github.name_member = "login";
  const auto octo = identity_of(github, {.user = Json::object({{"id", 583231}, {"login", "octocat"}})});
  ASSERT_TRUE(octo);
  EXPECT_EQ(octo->subject, "583231");
  EXPECT_EQ(octo->name, "octocat");
  EXPECT_FALSE(identity_of(github, {.user = Json::object({{"login", "octocat"}})}));
}

TEST(Oidc, FindsNamesOfGroupsWhereProvidersHaveThem) {
  using Names = std::set<std::string>;
  const Json me =
      *parse_json(R"({"login":"ada","staff?":true,"alumni?":false,"groups":[{"id":7,"name":"Tutors"},{"id":8}],
    "campus":[{"id":41,"name":"Nice"}],"cursus_users":[{"cursus":{"slug":"42cursus"}},{"cursus":{"slug":"c-piscine"}}],
    "https://id.example/roles":["dev"],"plain":["staff",1,"dev",null,["deep"],true],"one":"alone"})");
  const auto at = [&](std::string_view path) { return names_at(me, path); };
  EXPECT_EQ(at("groups.name"), Names{"Tutors"});
  EXPECT_EQ(at("groups.id"), (Names{"7", "8"}));
  EXPECT_EQ(at("cursus_users.cursus.slug"), (Names{"42cursus", "c-piscine"}));
  EXPECT_EQ(at("https://id.example/roles"), Names{"dev"}) << "a key that holds dots";
  EXPECT_EQ(at("plain"), (Names{"staff", "1", "dev", "deep", "plain"}));
  EXPECT_EQ(at("one"), Names{"alone"});
  EXPECT_EQ(at("staff?"), Names{"staff?"});
  for (const auto* none : {"alumni?", "groups", "groups.name.x", "campus.", ".name", "none", ""})
    EXPECT_EQ(at(none), Names{}) << none;
  EXPECT_EQ(names_at(*parse_json(R"([{"login":"acme"},{"login":"octo"}])"), "login"), (Names{"acme", "octo"}));
}

TEST(Oidc, TakesGroupsFromWhereTheyAreAskedFor) {
  using Names = std::set<std::string>;
  const Json claims = *parse_json(R"({"sub":"a","groups":["of-the-token"]})"), user = *parse_json(R"({"sub":"a"})");
  OAuthSettings settings;
  EXPECT_EQ(identity_of(settings, {.claims = claims, .user = user})->groups, Names{"of-the-token"});
  settings.groups_members = {"groups", "campus.name"};
  const Json me = *parse_json(R"({"sub":"a","groups":["x"],"campus":[{"name":"Nice"}]})");
  EXPECT_EQ(identity_of(settings, {.claims = claims, .user = me})->groups, (Names{"x", "Nice"}));
  settings.groups = "https://id.example/groups";
  EXPECT_EQ(
      identity_of(settings, {.claims = claims, .user = me, .groups = *parse_json(R"([{"groups":["y"]}])")})->groups,
      Names{"y"})
      << "nothing but what that address answers";
  EXPECT_EQ(identity_of(settings, {.claims = claims, .user = me})->groups, Names{});
}

TEST(Provider, PresetsAskForGroupsWhereSomethingDependsOnThem) {
  const auto oauth = [](std::string_view more) {
    const auto parsed =
        parse_provider("hub", *parse_json(R"({"kind":"oauth2","clientId":"x",)" + std::string(more) + "}"));
    EXPECT_TRUE(parsed) << more;
    return parsed ? parsed->oauth : OAuthSettings{};
  };
  using List = std::vector<std::string>;
  EXPECT_EQ(oauth(R"("preset":"github")").scopes, List{"read:user"});
  EXPECT_EQ(oauth(R"("preset":"github")").groups, "");
  const auto github = oauth(R"("preset":"github","roles":{"acme":"developer"})");
  EXPECT_EQ(github.scopes, (List{"read:user", "read:org"}));
  EXPECT_EQ(github.groups, "https://api.github.com/user/orgs?per_page=100");
  EXPECT_EQ(github.groups_members, List{"login"});
  EXPECT_EQ(oauth(R"("preset":"gitlab","onlyGroups":["acme"])").groups, "https://gitlab.com/oauth/userinfo");
  EXPECT_EQ(oauth(R"("preset":"42","roles":{"Tutors":"developer"})").groups_members, List{"groups.name"});
  EXPECT_EQ(oauth(R"("preset":"42","groupsMember":["staff?","campus.name"])").groups_members,
            (List{"staff?", "campus.name"}));
  // A token for another installation never goes to the one that the preset is of.
  EXPECT_EQ(oauth(R"("preset":"gitlab","roles":{"acme":"viewer"},"userUrl":"https://git.example/api/v4/user")").groups,
            "");
  for (const auto* wrong : {R"("groupsMember":[])", R"("groupsMember":5)", R"("groupsMember":[""])",
                            R"("groupsUrl":"http://g.example/")"}) {
    const std::string text = R"({"kind":"oauth2","preset":"github","clientId":"x",)" + std::string(wrong) + "}";
    EXPECT_FALSE(parse_provider("hub", *parse_json(text))) << wrong;
  }
}

TEST(Provider, ReadsWhatAnAdminWrites) {
  const auto parse = [](std::string_view text) { return parse_provider("company", *parse_json(text)); };
  const auto oidc = parse(R"({"kind":"oidc","issuer":"https://id.example","clientId":"berth","provision":"create",
    "role":"viewer","roles":{"admins":"admin","staff":"developer"},"projects":{"staff":{"shop":"developer"}}})");
  ASSERT_TRUE(oidc) << oidc.error().text();
  EXPECT_EQ(oidc->oauth.scopes, (std::vector<std::string>{"openid", "email", "profile"}));
  EXPECT_TRUE(parse(R"({"kind":"oauth2","preset":"42","clientId":"x"})"));
  EXPECT_TRUE(parse(R"({"kind":"ldap","url":"ldaps://ldap.example","userDn":"uid={name},dc=x"})"));
  for (const auto* wrong :
       {R"({"kind":"saml"})", R"({"kind":"oidc","clientId":"x"})", R"({"kind":"oidc","issuer":"https://i.x"})",
        R"({"kind":"oidc","issuer":"http://i.x","clientId":"x"})",
        R"({"kind":"oidc","issuer":"https://i.x","clientId":"x","isuer":"y"})",
        R"({"kind":"oidc","issuer":"https://i.x","clientId":"x","scopes":["email"]})",
        R"({"kind":"oidc","issuer":"https://i.x","clientId":"x","role":"root"})",
        R"({"kind":"oidc","issuer":"https://i.x","clientId":"x","provision":"yes"})",
        R"({"kind":"oidc","issuer":"https://i.x","clientId":"x","projects":{"g":{"shop":"admin"}}})",
        R"({"kind":"oauth2","preset":"gitea","clientId":"x"})", R"({"kind":"oauth2","clientId":"x"})",
        R"({"kind":"ldap","url":"http://l.x","userDn":"uid={name}"})",
        R"({"kind":"ldap","url":"ldap://l.x","userDn":"uid=fixed"})",
        R"x({"kind":"ldap","url":"ldap://l.x","filter":"(uid={name})"})x"}) {
    EXPECT_FALSE(parse(wrong)) << wrong;
  }
  EXPECT_FALSE(parse_provider("../x", *parse_json(R"({"kind":"oauth2","preset":"42","clientId":"x"})")));
}

TEST(Provider, MapsGroups) {
  Admission admission{.role = Role::viewer, .roles = {{"admins", Role::admin}, {"staff", Role::developer}}};
  admission.projects["staff"]["shop"] = Role::developer;
  admission.projects["guests"]["shop"] = Role::viewer;
  const auto both = admit(admission, {.subject = "a", .groups = {"staff", "admins", "guests"}});
  EXPECT_EQ(both->role, Role::admin);
  EXPECT_EQ(both->projects.at("shop"), Role::developer);
  EXPECT_EQ(admit(admission, {.subject = "a"})->role, Role::viewer);
  EXPECT_FALSE(admit({}, {.subject = "a"})->role) << "without a mapping the role stays what it is";
  admission.only = {"staff"};
  EXPECT_FALSE(admit(admission, {.subject = "a", .groups = {"admins"}}));
  EXPECT_TRUE(admit(admission, {.subject = "a", .groups = {"staff"}}));
}

TEST(Provider, MakesNames) {
  EXPECT_EQ(user_name_from("Ada Lovelace"), "Ada-Lovelace");
  EXPECT_EQ(user_name_from("../../etc"), "etc");
  EXPECT_EQ(user_name_from("ada@example.test"), "ada@example.test");
  EXPECT_EQ(user_name_from("<script>"), "script");
  EXPECT_EQ(user_name_from("日本"), "");
}

}  // namespace
}  // namespace berth::auth
