// Digest authentication: the RFC's own example, nonces, and a client before a real edge.
#include "edge/digest.h"

#include "base/text.h"
#include "edge/server_fixture.h"

namespace berth::edge {
namespace {

using Test = io::Task<void>;
using Is = NonceBook::Is;

constexpr std::string_view kExample =
    R"(username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=MD5, )"
    R"(nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, )"
    R"(cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, )"
    R"(response="8ca523f5e9506fed4657c9700eebdbec", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS")";

TEST(Digest, AnswersAsTheExampleOfRfc7616) {
  const auto claim = parse_digest(kExample);
  ASSERT_TRUE(claim);
  EXPECT_EQ(claim->user, "Mufasa");
  EXPECT_EQ(digest_response("3d78807defe7de2157e2b0b6573a855f", "GET", *claim), claim->response);
  EXPECT_EQ(digest_response("7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232", "GET", *claim),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

TEST(Digest, RefusesWhatIsNotWhole) {
  const std::string whole(kExample);
  const auto with = [&](std::string_view from, std::string_view to) { return replace_all(whole, from, to); };
  for (const std::string& text :
       {std::string(), std::string("x"), with("qop=auth", "qop=auth-int"), with("nc=00000001, ", ""),
        with("nc=00000001", "nc=1"), with("qop=auth", "qop=auth, userhash=true"), with("username=", "username*="),
        with("algorithm=MD5", "nc=00000002"), whole + "\"", whole + ","})
    EXPECT_FALSE(parse_digest(text)) << text;
  EXPECT_EQ(parse_digest(with("Mufasa", "Mu\\\"fasa"))->user, "Mu\"fasa");
}

TEST(NonceBook, LetsEachCountBeUsedOnce) {
  NonceBook book("key");
  const std::string nonce = book.make(1000, 1);
  EXPECT_NE(nonce, book.make(1000, 2));
  EXPECT_EQ(book.take(nonce, 1, 1000), Is::fresh);
  EXPECT_EQ(book.take(nonce, 1, 1000), Is::stale);
  EXPECT_EQ(book.take(nonce, 5, 1000), Is::fresh);
  EXPECT_EQ(book.take(nonce, 3, 1000), Is::fresh);  // requests may overtake each other
  EXPECT_EQ(book.take(nonce, 3, 1000), Is::stale);
  EXPECT_EQ(book.take(nonce, 200, 1000), Is::fresh);
  EXPECT_EQ(book.take(nonce, 5, 1000), Is::stale);
  EXPECT_EQ(book.take(nonce, 4, 1000), Is::stale);  // too far behind to know
  EXPECT_EQ(book.take(nonce, 0, 1000), Is::stale);
  EXPECT_EQ(book.take(nonce, 201, 1000 + NonceBook::kLife), Is::fresh);
  EXPECT_EQ(book.take(nonce, 202, 1001 + NonceBook::kLife), Is::stale);
  EXPECT_EQ(book.take(nonce, 203, 1000), Is::stale) << "forgotten, and not new again";
}

TEST(NonceBook, KnowsItsOwn) {
  const NonceBook book("key"), other("other");
  const std::string nonce = book.make(1000, 1);
  EXPECT_EQ(book.look(nonce, 1000), Is::fresh);
  EXPECT_EQ(other.look(nonce, 1000), Is::stale);
  EXPECT_EQ(book.look(nonce.substr(1), 1000), Is::stale);
  EXPECT_EQ(book.look("0000000000000fff" + nonce.substr(16), 4095), Is::stale);
  EXPECT_EQ(book.look(nonce, 999), Is::stale);
}

TEST(NonceBook, IsBounded) {
  NonceBook book("key");
  const std::string first = book.make(1000, 0);
  EXPECT_EQ(book.take(first, 1, 1000), Is::fresh);
  for (std::uint64_t i = 1; i <= NonceBook::kMost + 10; ++i)
    EXPECT_EQ(book.take(book.make(1001, i), 1, 1001), i <= NonceBook::kMost ? Is::fresh : book.take("", 1, 1001)) << i;
  EXPECT_LE(book.size(), NonceBook::kMost);
  EXPECT_EQ(book.take(first, 1, 1001), Is::stale) << "what was forgotten cannot be replayed";
}

std::string parameter(std::string_view challenge, std::string_view name) {
  const auto at = challenge.find(std::string(name) + "=\"") + name.size() + 2;
  return std::string(challenge.substr(at, challenge.find('"', at) - at));
}

/// The fields of a client that knows the password.
std::string login(const std::string& nonce, std::string_view count, std::string_view uri, bool sha = false) {
  DigestClaim claim{.user = sha ? "bob" : "ann", .realm = "traefik", .nonce = nonce, .uri = std::string(uri)};
  claim.cnonce = "abc";
  claim.count = count;
  const std::string_view hash =
      sha ? "2a804e8087d747846dd6cfe3d79e8ed4a73fe2c259dd002941ee81b43f4c81c3" : "e008efc4676c740d22dfb8460b00c71f";
  return "Authorization: Digest username=\"" + claim.user + "\", realm=\"traefik\", nonce=\"" + nonce + "\", uri=\"" +
         claim.uri + "\", cnonce=\"abc\", nc=" + claim.count + ", qop=auth, algorithm=" + (sha ? "SHA-256" : "MD5") +
         ", response=\"" + digest_response(hash, "GET", claim) + "\"\r\n";
}

Test LetsInWhoKnowsThePassword_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  snapshot.routes[0].middlewares = {
      {"m", DigestAuth{.users = {"ann:traefik:e008efc4676c740d22dfb8460b00c71f",
                                 "bob:traefik:2a804e8087d747846dd6cfe3d79e8ed4a73fe2c259dd002941ee81b43f4c81c3"},
                       .header = "X-User",
                       .remove_header = true}}};
  world.use(decode_snapshot(encode_snapshot(snapshot)).value());
  auto browser = co_await world.browse();
  const Answer asked = co_await browser->ask(get("/h?a=b"));
  EXPECT_EQ(asked.status, 401);
  const std::string challenge(asked.field("www-authenticate")), nonce = parameter(challenge, "nonce");
  EXPECT_TRUE(challenge.starts_with("Digest realm=\"traefik\", qop=\"auth\", algorithm=SHA-256, ")) << challenge;
  EXPECT_TRUE(challenge.contains(", Digest realm=\"traefik\", qop=\"auth\", algorithm=MD5, ")) << challenge;
  const Answer in = co_await browser->ask(get("/h?a=b", login(nonce, "00000001", "/h?a=b")));
  EXPECT_EQ(in.status, 200);
  EXPECT_TRUE(lower(in.body).contains("x-user: ann")) << in.body;
  EXPECT_FALSE(lower(in.body).contains("authorization")) << in.body;
  // Again the same, and for another address.
  const Answer replayed = co_await browser->ask(get("/h?a=b", login(nonce, "00000001", "/h?a=b")));
  EXPECT_EQ(replayed.status, 401);
  EXPECT_TRUE(replayed.field("www-authenticate").contains("stale=true"));
  const Answer moved = co_await browser->ask(get("/other", login(nonce, "00000002", "/h?a=b")));
  EXPECT_EQ(moved.status, 401);
  EXPECT_FALSE(moved.field("www-authenticate").contains("stale"));
  EXPECT_EQ((co_await browser->ask(get("/h", login(nonce, "00000003", "/h", true)))).status, 200);
  std::string wrong = login(nonce, "00000004", "/h");
  wrong = replace_all(wrong, "\"ann\"", "\"eve\"");
  EXPECT_EQ((co_await browser->ask(get("/h", wrong))).status, 401);
  EXPECT_EQ((co_await browser->ask(get("/h", login("made up", "00000001", "/h")))).status, 401);
}
TEST(DigestAuth, LetsInWhoKnowsThePassword) {
  World world;
  world.run(LetsInWhoKnowsThePassword_body);
}

}  // namespace
}  // namespace berth::edge
