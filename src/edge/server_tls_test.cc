#include "edge/certificate_request.h"
#include "edge/server_fixture.h"

namespace berth::edge {
namespace {

using Test = io::Task<void>;

#define RUN(name)           \
  TEST(ServerTls, name) {   \
    World world;            \
    world.run(name##_body); \
  }

std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

Snapshot with_certificate(World& world, std::vector<std::string> hosts, std::uint64_t version = 2) {
  Snapshot snapshot = world.snapshot(version);
  snapshot.certificates.push_back(issue(world.authority, hosts, now()).value());
  return snapshot;
}

Test ServesByName_body(World& world) {
  world.use(with_certificate(world, {"app.test"}));
  auto browser = co_await world.browse_tls("app.test", world.authority.certificate);
  EXPECT_NE(browser, nullptr);
  if (!browser) co_return;
  const Answer answer = co_await browser->ask(get("/h"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.body.contains("x-forwarded-proto: https\n")) << answer.body;
  EXPECT_TRUE(answer.body.contains("x-forwarded-port: 443\n")) << answer.body;
  EXPECT_EQ((co_await browser->ask(get("/again"))).status, 200);
}
RUN(ServesByName)

Test ServesWildcards_body(World& world) {
  Snapshot snapshot = with_certificate(world, {"*.app.test"});
  snapshot.routes[0].rule = "Host(`*.app.test`)";
  world.use(std::move(snapshot));
  auto browser = co_await world.browse_tls("x.app.test", world.authority.certificate);
  EXPECT_NE(browser, nullptr);
  if (browser) EXPECT_EQ((co_await browser->ask(get("/h", "", "x.app.test"))).status, 200);
  EXPECT_EQ(co_await world.browse_tls("x.y.app.test", world.authority.certificate), nullptr);
}
RUN(ServesWildcards)

Test IsNotTrustedWithoutItsAuthority_body(World& world) {
  world.use(with_certificate(world, {"app.test"}));
  const Authority other = make_authority("other", {"test"}, now()).value();
  EXPECT_EQ(co_await world.browse_tls("app.test", other.certificate), nullptr);
}
RUN(IsNotTrustedWithoutItsAuthority)

// Somebody who steals the key can sign for any host, but no client that trusts the root believes it.
Test NameConstraintsBindClients_body(World& world) {
  Authority stolen = world.authority;
  stolen.permitted.push_back("bank.example");
  Snapshot snapshot = world.snapshot(2);
  snapshot.routes[0].rule = "Host(`www.bank.example`)";
  snapshot.certificates.push_back(issue(stolen, {"www.bank.example"}, now()).value());
  world.use(std::move(snapshot));
  EXPECT_EQ(co_await world.browse_tls("www.bank.example", world.authority.certificate), nullptr);
  // The same certificate is taken by a client that trusts a root made for that domain: only the constraint refuses it.
  const Authority wide = make_authority("wide", {"bank.example"}, now()).value();
  snapshot = world.snapshot(3);
  snapshot.routes[0].rule = "Host(`www.bank.example`)";
  snapshot.certificates.push_back(issue(wide, {"www.bank.example"}, now()).value());
  world.use(std::move(snapshot));
  EXPECT_NE(co_await world.browse_tls("www.bank.example", wide.certificate), nullptr);
}
RUN(NameConstraintsBindClients)

Test AsksForMissingCertificatesOfRoutedHosts_body(World& world) {
  EXPECT_EQ(co_await world.browse_tls("app.test", world.authority.certificate), nullptr);
  EXPECT_EQ(co_await world.browse_tls("app.test", world.authority.certificate), nullptr);
  EXPECT_EQ(co_await world.browse_tls("unknown.test", world.authority.certificate), nullptr);
  EXPECT_EQ(world.events.size(), 1u);
  EXPECT_EQ(world.events[0], (EdgeEvent{EdgeEvent::Kind::certificate_wanted, 0, "app.test", ""}));
  world.use(with_certificate(world, {"app.test"}));
  EXPECT_NE(co_await world.browse_tls("app.test", world.authority.certificate), nullptr);
}
RUN(AsksForMissingCertificatesOfRoutedHosts)

Test LeavesOutABrokenCertificate_body(World& world) {
  Snapshot snapshot = with_certificate(world, {"app.test"});
  Certificate broken = snapshot.certificates[0];
  broken.hosts = {"secure.test"};
  broken.chain = "no PEM";
  snapshot.certificates.push_back(broken);
  const auto live = Live::make(snapshot).value();
  EXPECT_EQ(live->warnings().size(), 1u);
  EXPECT_TRUE(live->warnings()[0].starts_with("certificate for secure.test is not used: ")) << live->warnings()[0];
  EXPECT_EQ(live->identity("secure.test"), nullptr);
  EXPECT_NE(live->identity("APP.test"), nullptr);
  // What was parsed once is taken over.
  EXPECT_EQ(Live::make(snapshot, live.get()).value()->identity("app.test"), live->identity("app.test"));
  co_return;
}
RUN(LeavesOutABrokenCertificate)

Test AnswersChallengesOfCas_body(World& world) {
  Snapshot snapshot = with_certificate(world, {"app.test"});
  snapshot.http_challenges = {{.host = "app.test", .token = "abc", .answer = "abc.thumb"}};
  snapshot.tls_challenges = {make_challenge_certificate("app.test", "abc.thumb", now()).value()};
  world.use(std::move(snapshot));
  auto plain = co_await world.browse();
  const std::string folder = "/.well-known/acme-challenge/";
  const Answer proof = co_await plain->ask(get(folder + "abc", "Accept: text/html\r\n"));
  EXPECT_EQ(proof.status, 200);
  EXPECT_EQ(proof.body, "abc.thumb");
  EXPECT_EQ(world.origin_requests, 0u);
  // Others are what they would be without.
  EXPECT_NE((co_await plain->ask(get(folder + "abd"))).body, "abc.thumb");
  EXPECT_NE((co_await plain->ask(get(folder + "abc", "", "secure.test"))).body, "abc.thumb");
}
RUN(AnswersChallengesOfCas)

TEST(LiveChallenge, ShowsTheCertificateOfAChallenge) {
  Snapshot snapshot;
  snapshot.version = 1;
  snapshot.tls_challenges = {make_challenge_certificate("app.test", "abc.thumb", now()).value()};
  const auto live = Live::make(snapshot).value();
  EXPECT_NE(live->tls_challenge("App.test"), nullptr);
  EXPECT_EQ(live->tls_challenge("other.test"), nullptr);
  EXPECT_EQ(live->identity("app.test"), nullptr);
}

// A client of one name must not reach another whose clients show certificates.
Test AnswersForTheNameOfTheHandshakeAlone_body(World& world) {
  Snapshot snapshot = with_certificate(world, {"app.test", "secure.test"});
  snapshot.tls_options = {
      {.name = "mtls", .client_auth = "RequireAndVerifyClientCert", .client_ca = world.authority.certificate}};
  snapshot.routes.push_back({.name = "private",
                             .rule = "Host(`secure.test`)",
                             .listeners = {Listener::websecure},
                             .service = snapshot.routes[0].service,
                             .tls_options = "mtls"});
  world.use(snapshot);
  auto open = co_await world.browse_tls("app.test", world.authority.certificate);
  EXPECT_NE(open, nullptr);
  if (!open) co_return;
  EXPECT_EQ((co_await open->ask(get("/h"))).status, 200);
  EXPECT_EQ((co_await open->ask(get("/h", "", "secure.test"))).status, 421);
  EXPECT_EQ((co_await open->ask(get("/h"))).status, 200);
  // Without a certificate there is no handshake to the end: the first read tells (TLS 1.3).
  auto closed = co_await world.browse_tls("secure.test", world.authority.certificate);
  if (closed) EXPECT_EQ((co_await closed->ask(get("/h", "", "secure.test"))).status, 0);
  // What is demanded anew holds for connections that stand.
  snapshot.version = 9;
  snapshot.routes[0].tls_options = "mtls";
  world.use(snapshot);
  EXPECT_EQ((co_await open->ask(get("/h"))).status, 421);
}
RUN(AnswersForTheNameOfTheHandshakeAlone)

TEST(LivePolicy, RefusesWhatWouldLeaveAHostOpen) {
  Snapshot snapshot;
  snapshot.version = 1;
  snapshot.services = {{.name = "s", .upstreams = {}, .pass_host = true, .down = {}}};
  snapshot.routes = {{.name = "r",
                      .rule = "Host(`a.test`)",
                      .listeners = {Listener::websecure},
                      .service = "s",
                      .tls_options = "none"}};
  EXPECT_FALSE(Live::make(snapshot).has_value());
  snapshot.tls_options = {{.name = "none", .client_auth = "RequireAndVerifyClientCert"}};
  EXPECT_FALSE(Live::make(snapshot).has_value()) << "no roots";
  snapshot.tls_options = {{.name = "none", .min_version = 13, .curves = {"CurveP384", "X25519"}}};
  const auto live = Live::make(snapshot).value();
  EXPECT_NE(live->tls_policy("a.test"), nullptr);
  EXPECT_EQ(live->tls_policy("b.test"), nullptr);
  EXPECT_EQ(Live::make(snapshot, live.get()).value()->tls_policy("a.test"), live->tls_policy("a.test"));
  snapshot.tls_options.push_back(
      {.name = "default",
       .ciphers = {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305"}});
  EXPECT_NE(Live::make(snapshot).value()->tls_policy("b.test"), nullptr);
  snapshot.tls_options.back().ciphers = {"TLS_NONE"};
  EXPECT_FALSE(Live::make(snapshot).has_value());
  snapshot.tls_options.pop_back();
  snapshot.routes[0].rule = "PathPrefix(`/`)";
  EXPECT_FALSE(Live::make(snapshot).has_value()) << "no host";
}

Test ClosesOnPlainText_body(World& world) {
  world.use(with_certificate(world, {"app.test"}));
  auto stream = co_await io::connect(world.websecure);
  Browser browser(std::move(*stream));
  EXPECT_TRUE(co_await browser.send(get("/h")));
  EXPECT_TRUE(co_await browser.closed());
  EXPECT_EQ(world.origin_requests, 0u);
}
RUN(ClosesOnPlainText)

Test StreamsBigBodies_body(World& world) {
  world.use(with_certificate(world, {"app.test"}));
  auto browser = co_await world.browse_tls("app.test", world.authority.certificate);
  if (!browser) co_return;
  const Answer answer = co_await browser->ask(get("/big"));
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.body.size(), 50u << 20);
}
RUN(StreamsBigBodies)

}  // namespace
}  // namespace berth::edge
