// The rules of signing in that need no store: permissions, codes, tokens, limits, cookies, where to go next.
#include <gtest/gtest.h>

#include "auth/cookie.h"
#include "auth/kerberos_text.h"
#include "auth/next.h"
#include "auth/password.h"
#include "auth/principal.h"
#include "auth/setup.h"
#include "auth/throttle.h"
#include "auth/token.h"
#include "auth/totp.h"
#include "io/loop.h"

namespace berth::auth {
namespace {

constexpr std::int64_t kSecond = 1'000'000;

Principal somebody(Role role, std::map<std::string, Role, std::less<>> projects = {}) {
  Principal who;
  who.id = "user_1";
  who.role = role;
  who.projects = std::move(projects);
  return who;
}

TEST(Permissions, AreWhatTheTableSays) {
  // For each: viewer, developer (member of shop as such), operator, admin; in shop, elsewhere, of no project.
  struct Case {
    Permission permission;
    std::string_view viewer, developer, operate, admin;
  };
  const Case cases[] = {
      {Permission::view, "s..", "s..", "son", "son"},     {Permission::logs, "s..", "s..", "son", "son"},
      {Permission::act, "...", "s..", "son", "son"},      {Permission::deploy, "...", "s..", "son", "son"},
      {Permission::reveal, "...", "s..", "son", "son"},   {Permission::exec, "...", "s..", "son", "son"},
      {Permission::remove, "...", "s..", "son", "son"},   {Permission::self, "son", "son", "son", "son"},
      {Permission::engine, "...", "...", "son", "son"},   {Permission::audit, "...", "...", "...", "son"},
      {Permission::users, "...", "...", "...", "son"},    {Permission::settings, "...", "...", "...", "son"},
      {Permission::everyone, "son", "son", "son", "son"},
  };
  const auto seen = [](const Principal& who, Permission permission) {
    return std::string(may(who, permission, "shop") ? "s" : ".") + (may(who, permission, "other") ? "o" : ".") +
           (may(who, permission) ? "n" : ".");
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(to_text(c.permission));
    EXPECT_EQ(seen(somebody(Role::viewer, {{"shop", Role::viewer}}), c.permission), c.viewer);
    EXPECT_EQ(seen(somebody(Role::developer, {{"shop", Role::developer}}), c.permission), c.developer);
    EXPECT_EQ(seen(somebody(Role::operate), c.permission), c.operate);
    EXPECT_EQ(seen(somebody(Role::admin), c.permission), c.admin);
    EXPECT_EQ(seen(Principal{}, c.permission), c.permission == Permission::everyone ? "son" : "...");
  }
}

TEST(Permissions, OfATokenOnlyNarrow) {
  auto who = somebody(Role::admin);
  who.scopes = std::set{Permission::view};
  EXPECT_TRUE(may(who, Permission::view, "shop"));
  for (const auto other : {Permission::act, Permission::self, Permission::users, Permission::engine})
    EXPECT_FALSE(may(who, other, "shop"));
  auto viewer = somebody(Role::viewer, {{"shop", Role::viewer}});
  viewer.scopes = std::set{Permission::view, Permission::deploy, Permission::users};
  EXPECT_FALSE(may(viewer, Permission::deploy, "shop"));
  EXPECT_FALSE(may(viewer, Permission::users));
}

TEST(Permissions, AMembershipNeverReachesBeyondItsProject) {
  const auto who = somebody(Role::viewer, {{"shop", Role::admin}});
  EXPECT_TRUE(may(who, Permission::deploy, "shop"));
  EXPECT_FALSE(may(who, Permission::view, "sho"));
  EXPECT_FALSE(may(who, Permission::view, ""));
  EXPECT_FALSE(may(who, Permission::engine, "shop"));
  EXPECT_FALSE(may(who, Permission::users, "shop"));
}

TEST(Roles, HaveTheirNames) {
  for (const auto role : {Role::viewer, Role::developer, Role::operate, Role::admin})
    EXPECT_EQ(parse_role(to_text(role)), role);
  for (const auto* text : {"", "Admin", "operate", "root", "admin "}) EXPECT_FALSE(parse_role(text)) << text;
}

TEST(Totp, FitsTheVectorsOfItsRfc) {
  // RFC 6238 appendix B, SHA-1, the last six of eight digits.
  const std::string secret = "12345678901234567890";
  const std::pair<std::int64_t, std::string_view> cases[] = {
      {59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
      {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"},
  };
  for (const auto& [seconds, code] : cases) EXPECT_EQ(totp_code(secret, totp_step(seconds)), code);
  EXPECT_EQ(encode_base32("foobar"), "MZXW6YTBOI");
  EXPECT_EQ(encode_base32("f"), "MY");
}

TEST(Totp, TakesACodeOnceAndOneStepAround) {
  const std::string secret = "12345678901234567890";
  const std::int64_t now = 1'000'000 * 30;
  EXPECT_EQ(accept_totp(secret, totp_code(secret, 1'000'000), now, 0), 1'000'000);
  EXPECT_EQ(accept_totp(secret, totp_code(secret, 999'999), now, 0), 999'999);
  EXPECT_EQ(accept_totp(secret, totp_code(secret, 1'000'001), now, 0), 1'000'001);
  EXPECT_FALSE(accept_totp(secret, totp_code(secret, 999'998), now, 0));
  EXPECT_FALSE(accept_totp(secret, totp_code(secret, 1'000'002), now, 0));
  EXPECT_FALSE(accept_totp(secret, totp_code(secret, 1'000'000), now, 1'000'000));
  EXPECT_FALSE(accept_totp(secret, totp_code(secret, 999'999), now, 1'000'000));
  for (const auto* text : {"", "12345", "1234567", "      "}) EXPECT_FALSE(accept_totp(secret, text, now, 0));
}

TEST(Password, IsKeptAsArgon2id) {
  const auto hash = hash_password("correct horse battery");
  ASSERT_TRUE(hash);
  EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << *hash;
  EXPECT_TRUE(fits_password(*hash, "correct horse battery"));
  EXPECT_FALSE(fits_password(*hash, "correct horse batterY"));
  EXPECT_FALSE(fits_password(*hash, ""));
  EXPECT_FALSE(fits_password("", ""));
  EXPECT_FALSE(fits_password("plain", "plain"));
  EXPECT_FALSE(needs_new_hash(*hash));
  EXPECT_TRUE(needs_new_hash(
      "$argon2id$v=19$m=4096,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI"));
}

TEST(Password, HasRules) {
  EXPECT_TRUE(check_new_password("long enough", "ada"));
  EXPECT_FALSE(check_new_password("too short", "ada"));
  EXPECT_FALSE(check_new_password(std::string(257, 'x'), "ada"));
  EXPECT_FALSE(check_new_password("line\nline\nline", "ada"));
  EXPECT_FALSE(check_new_password("Ada.Lovelace", "ada.lovelace"));
}

io::Task<void> hash_many(PasswordDesk& desk, int& right, int& refused) {
  const auto hash = hash_password("correct horse battery");
  io::Scope scope(co_await io::here());
  const auto one = [](PasswordDesk& at, std::string known, int& fits, int& full) -> io::Task<void> {
    const auto result = co_await at.fits(known, "correct horse battery");
    if (!result && result.error().code == Code::unavailable) ++full;
    if (result && *result) ++fits;
  };
  for (int i = 0; i < 50; ++i) scope.spawn(one(desk, *hash, right, refused));
  co_await scope.join();
  const auto unknown = co_await desk.fits({}, "correct horse battery");
  EXPECT_TRUE(unknown && !*unknown);
}

TEST(PasswordDesk, RefusesTheThirtyFifthAtATime) {
  io::Loop loop;
  PasswordDesk desk;
  int right = 0, refused = 0;
  loop.run(hash_many(desk, right, refused));
  EXPECT_EQ(right, 34);
  EXPECT_EQ(refused, 16);
}

TEST(Token, ComesBackFromItsText) {
  const auto token = make_token(std::string(8, '\x01'), std::string(32, '\xff'));
  const std::string text = to_text(token);
  EXPECT_EQ(text, "berth_0101010101010101_" + std::string(42, '_') + "8");
  EXPECT_EQ(parse_token(text), token);
  for (const std::string& wrong :
       {std::string(), text + "x", text.substr(1), "Berth" + text.substr(5), text.substr(0, 22) + "x" + text.substr(23),
        "berth_010101010101010G_" + std::string(43, 'a'), text.substr(0, text.size() - 1) + "=",
        text.substr(0, text.size() - 1) + "\n"}) {
    EXPECT_FALSE(parse_token(wrong)) << wrong;
  }
}

TEST(Token, ScopesAreNamed) {
  EXPECT_EQ(to_text(*parse_scopes(" act view  view")), "view act");
  for (const auto* wrong : {"", "  ", "everyone", "view,act", "VIEW", "all"})
    EXPECT_FALSE(parse_scopes(wrong)) << wrong;
}

TEST(Setup, OpensForItsTokenOnly) {
  const std::string right = secret_text(std::string(32, 'a')), other = secret_text(std::string(32, 'b'));
  const SetupToken kept{.hash = secret_hash(right), .expires_at = 1000, .wrong = 0};
  EXPECT_TRUE(judge_setup(kept, right, 999).allowed);
  EXPECT_FALSE(judge_setup(kept, right, 1000).allowed);
  EXPECT_FALSE(judge_setup({}, right, 0).allowed);
  const auto wrong = judge_setup(kept, other, 0);
  EXPECT_FALSE(wrong.allowed);
  EXPECT_TRUE(wrong.counts);
  EXPECT_TRUE(judge_setup(kept, "", 0).counts);
  const SetupToken closed{.hash = secret_hash(right), .expires_at = 1000, .wrong = 5};
  EXPECT_FALSE(judge_setup(closed, right, 0).allowed);
  EXPECT_FALSE(judge_setup(closed, other, 0).counts);
}

TEST(Kerberos, TakesUsersOfItsOwnRealmOnly) {
  const auto user = [](std::string_view principal) { return user_of_principal(principal, "EXAMPLE.COM").value_or(""); };
  EXPECT_EQ(user("ada@EXAMPLE.COM"), "ada");
  EXPECT_EQ(user("ada.lovelace-2@EXAMPLE.COM"), "ada.lovelace-2");
  for (const std::string_view other :
       {"ada@example.com", "ada@EXAMPLE.COM.EVIL", "ada@EVIL", "ada", "", "@EXAMPLE.COM", "ada@",
        "ada/admin@EXAMPLE.COM", "HTTP/berth@EXAMPLE.COM", "ada@EVIL@EXAMPLE.COM", "ada\\@EVIL@EXAMPLE.COM",
        "a da@EXAMPLE.COM", "ada\n@EXAMPLE.COM", "ad\xC3\xA4@EXAMPLE.COM", "WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS"})
    EXPECT_EQ(user(other), "") << other;
  EXPECT_EQ(user(std::string(300, 'a') + "@EXAMPLE.COM"), "");
  EXPECT_FALSE(user_of_principal("ada@", ""));
}

TEST(Kerberos, ReadsOneToken) {
  const auto read = [](std::initializer_list<std::string_view> values) {
    http::Fields fields;
    for (const auto value : values) fields.add({.name = "Authorization", .value = value});
    return negotiate_token(fields);
  };
  EXPECT_EQ(read({}).value_or("?"), "");
  EXPECT_EQ(read({"Bearer YWJj"}).value_or("?"), "");
  EXPECT_EQ(read({"Negotiate YWJj"}).value_or("?"), "abc");
  EXPECT_EQ(read({"nEGOTIATE YWJj"}).value_or("?"), "abc");
  EXPECT_FALSE(read({"Negotiate YWJj", "Negotiate YWJj"}));
  EXPECT_FALSE(read({"Bearer YWJj", "Negotiate YWJj"}));
  EXPECT_FALSE(read({"Negotiate "}));
  EXPECT_FALSE(read({"Negotiate !"}));
  EXPECT_FALSE(read({"Negotiate TlRMTVNTUAABAAAA"})) << "NTLM";
  const std::string large = "Negotiate " + std::string(1 << 17, 'A');
  EXPECT_FALSE(read({large}));
}

TEST(Kerberos, KnowsWhatAServiceIs) {
  EXPECT_TRUE(check_service("HTTP/berth.example.com@EXAMPLE.COM"));
  EXPECT_EQ(realm_of("HTTP/berth.example.com@EXAMPLE.COM"), "EXAMPLE.COM");
  for (const std::string_view wrong :
       {"HTTP/berth.example.com", "HTTP@berth", "host/x@Y", "HTTP/@Y", "HTTP/x@", "http/x@Y", ""})
    EXPECT_FALSE(check_service(wrong)) << wrong;
}

TEST(Throttle, StopsTheSixthTryOfAnAccountFromOneClient) {
  Throttle throttle;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(throttle.take("ada", "192.0.2.1", 0), 0);
  EXPECT_EQ(throttle.take("ada", "192.0.2.1", 0), 300);
  EXPECT_EQ(throttle.take("ada", "192.0.2.1", 299 * kSecond), 1);
  EXPECT_EQ(throttle.take("ada", "192.0.2.2", 0), 0) << "its owner still comes in from elsewhere";
  EXPECT_EQ(throttle.take("eve", "192.0.2.1", 0), 0);
  EXPECT_EQ(throttle.take("ada", "192.0.2.1", 300 * kSecond), 0);
}

TEST(Throttle, ForgetsOnSuccess) {
  Throttle throttle;
  for (int i = 0; i < 4; ++i) EXPECT_EQ(throttle.take("ada", "192.0.2.1", 0), 0);
  EXPECT_EQ(throttle.take("ada", "192.0.2.1", 0), 0);
  throttle.succeeded("ada", "192.0.2.1", 0);
  EXPECT_EQ(throttle.take("ada", "192.0.2.1", 0), 0);
}

TEST(Throttle, CountsAClientOverAllAccountsAndAnAccountOverAllClients) {
  Throttle throttle;
  int passed = 0;
  for (int i = 0; i < 50; ++i) passed += throttle.take("user" + std::to_string(i), "2001:db8::1", 0) == 0 ? 1 : 0;
  EXPECT_EQ(passed, 30);
  EXPECT_NE(throttle.take("another", "2001:db8::ffff", 0), 0) << "the same /64";
  EXPECT_EQ(throttle.take("another", "2001:db8:0:1::1", 0), 0);
  passed = 0;
  for (int i = 0; i < 200; ++i) passed += throttle.take("ada", "10.0.0." + std::to_string(i), 0) == 0 ? 1 : 0;
  EXPECT_EQ(passed, 100);
}

TEST(Throttle, StaysSmall) {
  Throttle throttle;
  for (int i = 0; i < 30'000; ++i) throttle.take("u" + std::to_string(i), "c" + std::to_string(i), i * kSecond / 100);
  EXPECT_LE(throttle.size(), 20'010U);
}

TEST(Throttle, KnowsClients) {
  EXPECT_EQ(client_key("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(client_key("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(client_key("2001:db8::1"), client_key("2001:0DB8:0:0:1:2:3:4"));
  EXPECT_NE(client_key("2001:db8::1"), client_key("2001:db8:1::1"));
  EXPECT_EQ(client_key("unix:uid=0"), "unix:uid=0");
}

TEST(Next, TakesPathsOfThisHost) {
  for (const auto* path : {"/", "/projects", "/projects/shop?tab=logs&tail=100", "/containers/web-1",
                           "/files/a%20b.txt", "/files/%c3%a9", "/a/b.c/d~e", "/search?q=a+b"}) {
    EXPECT_EQ(safe_next(path), path);
  }
}

TEST(Next, RefusesSixtyPayloads) {
  const std::string_view payloads[] = {
      "",
      "//evil.example",
      "///evil.example",
      "////evil.example/",
      "/\\evil.example",
      "\\evil.example",
      "\\\\evil.example",
      "\\/evil.example",
      "/\\/evil.example",
      "//\\evil.example",
      "/%2fevil.example",
      "/%2Fevil.example",
      "%2f%2fevil.example",
      "/%5cevil.example",
      "/%5Cevil.example",
      "%5cevil.example",
      "/%252fevil.example",
      "/%25%32%66evil.example",
      "/%09/evil.example",
      "/\t/evil.example",
      "/\n/evil.example",
      "/\r/evil.example",
      "\t//evil.example",
      "\n//evil.example",
      " //evil.example",
      "/ /evil.example",
      "/%0d%0aLocation:%20//evil.example",
      "/a\r\nSet-Cookie: x=y",
      "/%00/evil.example",
      "https://evil.example",
      "http://evil.example",
      "HTTPS://evil.example",
      "https:evil.example",
      "https:/evil.example",
      "https:///evil.example",
      "http:\\\\evil.example",
      "javascript:alert(1)",
      "JavaScript://%0aalert(1)",
      "data:text/html,x",
      "vbscript:x",
      "ftp://evil.example",
      "evil.example",
      "evil.example/path",
      "@evil.example",
      "/@evil.example",
      "https://berth.localhost@evil.example",
      "//berth.localhost@evil.example",
      "https://evil.example/berth.localhost",
      "https://berth.localhost.evil.example",
      "/..//evil.example",
      "/../evil",
      "/a/../b",
      "/./evil",
      "/a/..",
      "/%2e%2e/evil",
      "/a//b",
      "/a?next=//evil.example",
      "/a?b?c",
      "/a#b",
      "/#//evil.example",
      "/api/v1/session",
      "/api",
      "/login",
      "/setup",
      "/a%",
      "/a%2",
      "/a%zz",
      "/\xe3\x80\x82"
      "evil.example",
      "/a;//evil.example",
      "/<script>",
      "/a\"b",
      "/a'b",
      "/a`b",
      "/a|b",
      "/{a}",
      "/[::1]",
      "/a:b",
      "/a$b",
      "/a!b",
      "/a*b",
      "/a^b",
  };
  EXPECT_GE(std::size(payloads), 60U);
  for (const auto payload : payloads) EXPECT_EQ(safe_next(payload), "/") << payload;
  EXPECT_EQ(safe_next("/" + std::string(600, 'a')), "/");
}

http::Fields cookies(std::initializer_list<std::string_view> values) {
  http::Fields fields;
  for (const auto value : values) fields.add({.name = "Cookie", .value = value});
  return fields;
}

TEST(Cookie, IsReadWhenItIsAlone) {
  EXPECT_EQ(read_cookie(cookies({"a=1; __Host-berth=abc; b=2"}), kSessionCookie), "abc");
  EXPECT_EQ(read_cookie(cookies({"__Host-berth=abc"}), kSessionCookie), "abc");
  EXPECT_EQ(read_cookie(cookies({"a=1", "__Host-berth=abc"}), kSessionCookie), "abc");
  EXPECT_EQ(read_cookie(cookies({"__Host-berth-login=x; __Host-berth=abc"}), kSessionCookie), "abc");
}

TEST(Cookie, IsRefusedWhenSomebodyPlantedOne) {
  EXPECT_FALSE(read_cookie(cookies({}), kSessionCookie));
  EXPECT_FALSE(read_cookie(cookies({"berth=abc; xx__Host-berth=abc"}), kSessionCookie));
  EXPECT_FALSE(read_cookie(cookies({"__Host-berth=a; __Host-berth=b"}), kSessionCookie));
  EXPECT_FALSE(read_cookie(cookies({"__Host-berth=a; __Host-berth=a"}), kSessionCookie));
  EXPECT_FALSE(read_cookie(cookies({"__Host-berth=a", "__Host-berth=b"}), kSessionCookie));
  EXPECT_FALSE(read_cookie(cookies({"__Host-berth=a; __host-berth=b"}), kSessionCookie));
  EXPECT_FALSE(read_cookie(cookies({"__HOST-berth=a"}), kSessionCookie));
  EXPECT_FALSE(read_cookie(cookies({"__Host-berth"}), kSessionCookie));
  EXPECT_FALSE(read_cookie(cookies({"__Host-berth =a"}), kSessionCookie));
}

TEST(Cookie, IsWrittenForThisHostOnly) {
  EXPECT_EQ(set_cookie(kSessionCookie, "abc", std::chrono::hours(1)),
            "__Host-berth=abc; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=3600");
  EXPECT_EQ(clear_cookie(kSessionCookie), "__Host-berth=; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0");
}

}  // namespace
}  // namespace berth::auth
