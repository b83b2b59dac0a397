#include "edge/acme_policy.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "edge/acme_dns.h"
#include "edge/acme_store.h"
#include "edge/certificate.h"
#include "edge/certificate_request.h"
#include "io/file.h"

namespace berth::edge {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
constexpr std::chrono::sys_seconds kNow(1'800'000'000s);

Route route(std::string rule, std::string resolver = "le") {
  return {.name = "r",
          .rule = std::move(rule),
          .listeners = {Listener::websecure},
          .service = "s",
          .resolver = std::move(resolver)};
}

std::vector<std::string> wanted_by(std::vector<Route> routes) {
  const std::vector<Resolver> resolvers{{.name = "le"}, {.name = "own", .directory = "https://ca.lan/dir"}};
  std::vector<std::string> out;
  for (const WantedCertificate& each : wanted_certificates(routes, resolvers)) {
    std::string text = each.resolver + ":";
    for (const std::string& host : each.hosts) text += " " + host;
    out.push_back(text);
  }
  return out;
}

using Texts = std::vector<std::string>;

TEST(AcmePolicy, WantsOneCertificateForEachHost) {
  EXPECT_EQ(wanted_by({route("Host(`a.example.com`) || Host(`b.example.com`)")}),
            (Texts{"le: a.example.com", "le: b.example.com"}));
  EXPECT_EQ(wanted_by({route("Host(`a.example.com`) && PathPrefix(`/x`)"), route("Host(`a.example.com`)")}),
            Texts{"le: a.example.com"});
  EXPECT_EQ(wanted_by({route("PathPrefix(`/`)")}), Texts{});
  Route web = route("Host(`a.example.com`)");
  web.listeners = {Listener::web};
  EXPECT_EQ(wanted_by({web, route("Host(`b.example.com`)", ""), route("Host(`c.example.com`)", "none")}), Texts{});
}

TEST(AcmePolicy, DomainsReplaceTheHostsOfTheRule) {
  Route many = route("Host(`a.example.com`)");
  many.domains = {{"*.example.com", "example.com"}, {"b.example.org"}};
  EXPECT_EQ(wanted_by({many}), (Texts{"le: *.example.com example.com", "le: b.example.org"}));
  // A wildcard that is wanted anyway serves other routes too, but not deeper names.
  EXPECT_EQ(wanted_by({route("Host(`c.example.com`)"), many, route("Host(`x.y.example.com`)")}),
            (Texts{"le: *.example.com example.com", "le: b.example.org", "le: x.y.example.com"}));
}

TEST(AcmePolicy, LeavesNamesThatNobodyCanSign) {
  for (const char* host : {"localhost", "a.localhost", "a.test", "a.lan", "10.0.0.1", "a.home.arpa"}) {
    EXPECT_EQ(wanted_by({route("Host(`" + std::string(host) + "`)")}), Texts{}) << host;
  }
  EXPECT_EQ(wanted_by({route("Host(`a.lan`)", "own")}), Texts{"own: a.lan"}) << "a private CA may";
  EXPECT_EQ(wanted_by({route("Host(`a.localhost`)", "own")}), Texts{});
}

TEST(AcmePolicy, NamesFilesByHostAndContent) {
  const WantedCertificate one{{"*.example.com"}, "le"};
  EXPECT_TRUE(id_of(one).starts_with("wildcard.example.com-"));
  EXPECT_NE(id_of(one), id_of({{"*.example.com"}, "other"}));
  EXPECT_NE(id_of(one), id_of({{"*.example.com", "example.com"}, "le"}));
  EXPECT_EQ(id_of(one), id_of(one));
}

TEST(AcmePolicy, CoversOneLabel) {
  EXPECT_TRUE(covers("a.b", "a.b"));
  EXPECT_TRUE(covers("*.b.c", "a.b.c"));
  EXPECT_TRUE(covers("*.b.c", "*.b.c"));
  EXPECT_FALSE(covers("*.b.c", "b.c"));
  EXPECT_FALSE(covers("*.b.c", "x.a.b.c"));
  EXPECT_FALSE(covers("*.b.c", ".b.c"));
  EXPECT_FALSE(covers("*.c", "*.b.c"));
}

TEST(AcmePolicy, FollowsFallbacksOnce) {
  const std::vector<Resolver> all{{.name = "a", .fallback = "b"}, {.name = "b", .fallback = "a"}, {.name = "c"}};
  const auto chain = chain_of(all, "a");
  ASSERT_EQ(chain.size(), 2u);
  EXPECT_EQ(chain[1]->name, "b");
  EXPECT_EQ(chain_of(all, "c").size(), 1u);
  EXPECT_TRUE(chain_of(all, "d").empty());
}

TEST(AcmePolicy, WaitsLongerAfterEachFailure) {
  EXPECT_EQ(backoff(1), minutes(1));
  EXPECT_EQ(backoff(3), minutes(30));
  EXPECT_EQ(backoff(6), hours(12));
  EXPECT_EQ(backoff(1000), hours(12));
  EXPECT_EQ(backoff(0), minutes(1));
}

TEST(AcmePolicy, RenewsInTheWindowOrAtTwoThirds) {
  const auto end = kNow + days(90);
  EXPECT_EQ(renewal_time(kNow, end, {}, 0), kNow + days(60));
  EXPECT_LT(renewal_time(kNow, end, {}, 0.99), kNow + days(60));
  EXPECT_GT(renewal_time(kNow, end, {}, 0.99), kNow + days(57));
  const RenewalWindow window{.start = kNow + days(10), .end = kNow + days(12)};
  EXPECT_EQ(renewal_time(kNow, end, window, 0), kNow + days(10));
  EXPECT_EQ(renewal_time(kNow, end, window, 0.5), kNow + days(11));
  for (const char* text : {"a", "b", "c"}) {
    EXPECT_GE(spread(text), 0);
    EXPECT_LT(spread(text), 1);
  }
  EXPECT_NE(spread("a"), spread("b"));
}

class AcmeStoreTest : public ::testing::Test {
 protected:
  AcmeStoreTest() : path_(std::string(::testing::TempDir()) + "berth-acme-" + std::to_string(::getpid()) + "-XXXXXX") {
    EXPECT_NE(::mkdtemp(path_.data()), nullptr);
  }
  ~AcmeStoreTest() override { std::filesystem::remove_all(path_); }
  std::string path_;
};

TEST_F(AcmeStoreTest, KeepsStatesCertificatesAndKeys) {
  const auto store = AcmeStore::open(path_ + "/acme").value();
  const AcmeState state{.hosts = {"a.example.com"},
                        .resolver = "le",
                        .issuer = "other",
                        .orders = {{"le", "https://ca.test/1"}},
                        .failures = 3,
                        .next_try = kNow,
                        .error = "why",
                        .window = RenewalWindow{kNow, kNow + days(1), "https://ca.test/why"},
                        .ask_window = kNow + hours(6)};
  ASSERT_TRUE(store.save("a.example.com-1", state).has_value());
  EXPECT_EQ(store.state("a.example.com-1").value(), state);
  EXPECT_EQ(store.ids(), Texts{"a.example.com-1"});
  EXPECT_EQ(store.state("b").error().code, Code::not_found);
  const auto made = make_challenge_certificate("a.example.com", "x", kNow).value();
  ASSERT_TRUE(store.save("a.example.com-1", made).has_value());
  const auto kept = store.certificate("a.example.com-1").value();
  EXPECT_EQ(kept.chain, made.chain);
  EXPECT_EQ(kept.key, made.key);
  const std::string key = store.order_key("x", KeyType::ec256).value();
  EXPECT_EQ(store.order_key("x", KeyType::ec256).value(), key);
  store.forget_order_key("x");
  EXPECT_NE(store.order_key("x", KeyType::ec256).value(), key);
}

TEST_F(AcmeStoreTest, TakesABrokenStateForNone) {
  const auto store = AcmeStore::open(path_).value();
  ASSERT_TRUE(io::write_file(path_ + "/a.json", "{\"hosts\":").has_value());
  ASSERT_TRUE(io::write_file(path_ + "/a.pem", "no PEM").has_value());
  EXPECT_EQ(store.state("a").error().code, Code::not_found);
  EXPECT_FALSE(store.certificate("a").has_value());
}

TEST_F(AcmeStoreTest, KeepsOneAccountForEachCaAndAddress) {
  const auto store = AcmeStore::open(path_).value();
  const Resolver one{.name = "a", .email = "x@example.com"}, same{.name = "b", .email = "x@example.com"},
      other{.name = "a", .email = "y@example.com"};
  const AcmeAccount made = store.account(one).value();
  EXPECT_EQ(made.url, "");
  ASSERT_TRUE(store.save_account(one, "https://ca.test/me").has_value());
  EXPECT_EQ(store.account(same)->key, made.key);
  EXPECT_EQ(store.account(same)->url, "https://ca.test/me");
  EXPECT_NE(store.account(other)->key, made.key);
  EXPECT_TRUE(store.ids().empty());
}

TEST_F(AcmeStoreTest, TakesEachWishOnce) {
  const auto store = AcmeStore::open(path_).value();
  ASSERT_TRUE(store.save("a", AcmeState{.hosts = {"a"}, .resolver = "le"}).has_value());
  ASSERT_TRUE(store.wish_renewal("a").has_value());
  ASSERT_TRUE(store.wish_renewal("unknown").has_value());
  EXPECT_EQ(store.take_wishes(), Texts{"a"});
  EXPECT_TRUE(store.take_wishes().empty());
}

const AcmeAnswer kAnswer{.type = ChallengeType::dns, .host = "example.com", .token = "t", .key_authorization = "t.x"};

TEST(AcmeDns, WritesUpdates) {
  const DnsSettings plain{.nameserver = "10.0.0.1:5353"};
  const std::string value = dns_value(kAnswer);
  EXPECT_EQ(update_script(plain, kAnswer, RecordChange::present).value(),
            "server 10.0.0.1 5353\nupdate add _acme-challenge.example.com. 60 TXT \"" + value + "\"\nsend\n");
  const DnsSettings keyed{.nameserver = "fd00::53", .zone = "example.com", .key_name = "k", .key_secret = "c2VjcmV0"};
  EXPECT_EQ(update_script(keyed, kAnswer, RecordChange::cleanup).value(),
            "server fd00::53\nzone example.com\nkey hmac-sha256:k c2VjcmV0\nupdate delete "
            "_acme-challenge.example.com. TXT \"" +
                value + "\"\nsend\n");
}

TEST(AcmeDns, RefusesWhatNsupdateWouldTakeForMore) {
  for (const char* wrong : {"ns\nupdate delete example.com.", "a b", "x;y", "\"", "a\\b", "\x7f"}) {
    EXPECT_FALSE(update_script({.nameserver = wrong}, kAnswer, RecordChange::present).has_value()) << wrong;
    const auto secret =
        update_script({.nameserver = "ns", .key_name = "k", .key_secret = wrong}, kAnswer, RecordChange::present);
    ASSERT_FALSE(secret.has_value());
    EXPECT_EQ(secret.error().message, "rfc2136: the TSIG secret holds characters that it cannot have");
  }
}

TEST(AcmeDns, CallsTheHook) {
  io::Loop loop;
  EXPECT_TRUE(loop.run(change_record({.hook = "true"}, kAnswer, RecordChange::present)).has_value());
  const auto refused = loop.run(change_record({.hook = "false"}, kAnswer, RecordChange::present));
  EXPECT_TRUE(refused.error().message.starts_with("false ended with status 1")) << refused.error().message;
  const auto told = loop.run(change_record({.hook = "ls"}, kAnswer, RecordChange::cleanup));
  EXPECT_TRUE(told.error().message.contains("_acme-challenge.example.com.")) << told.error().message;
  EXPECT_EQ(loop.run(change_record({.hook = "/none"}, kAnswer, RecordChange::present)).error().code, Code::not_found);
}

}  // namespace
}  // namespace berth::edge
