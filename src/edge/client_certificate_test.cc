#include "edge/client_certificate.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "edge/server_fixture.h"
#include "edge/x509.h"
#include "http/url.h"

namespace berth::edge {
namespace {

using Test = io::Task<void>;

#define RUN(name)                 \
  TEST(ClientCertificate, name) { \
    World world;                  \
    world.run(name##_body);       \
  }

std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

void add_name(X509_NAME* name, const char* kind, const std::string& value) {
  X509_NAME_add_entry_by_txt(name, kind, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()),
                             static_cast<int>(value.size()), -1, 0);
}

/// What a client shows: signed by `authority`, which is trusted for names only.
PemPair client_of(const Authority& authority, const std::string& common, const char* names = "DNS:c.test") {
  const x509::Cert root = x509::certificate_from(authority.certificate).value();
  const x509::Key root_key = x509::key_from(authority.key).value(), key(EVP_EC_gen("P-256"));
  const x509::Cert leaf = x509::blank(key.get(), std::chrono::sys_seconds(std::chrono::seconds(1'000'000'000)),
                                      now() + std::chrono::hours(1))
                              .value();
  X509_NAME* name = X509_get_subject_name(leaf.get());
  add_name(name, "CN", common);
  add_name(name, "C", "FR");
  add_name(name, "O", "Cheese, Inc.");
  add_name(name, "OU", "a \"quoted\" one");
  add_name(name, "domainComponent", "org");
  X509_set_issuer_name(leaf.get(), X509_get_subject_name(root.get()));
  ASN1_INTEGER_set(X509_get_serialNumber(leaf.get()), 4711);
  EXPECT_TRUE(x509::add_text_extension(leaf.get(), root.get(), NID_ext_key_usage, "clientAuth").has_value());
  EXPECT_TRUE(x509::add_text_extension(leaf.get(), root.get(), NID_subject_alt_name, names).has_value());
  EXPECT_GT(X509_sign(leaf.get(), root_key.get(), EVP_sha256()), 0);
  return {x509::pem_of(leaf.get()).value(), x509::pem_of(key.get()).value()};
}

std::string der_of(const std::string& pem) {
  const x509::Cert certificate = x509::certificate_from(pem).value();
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(certificate.get(), &bytes);
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

/// The PEM text as one line, by hand.
std::string one_line(const std::string& pem) {
  std::string out;
  for (std::size_t at = 0, end = 0; at < pem.size(); at = end + 1) {
    end = pem.find('\n', at);
    if (!pem.substr(at, end - at).starts_with('-')) out += pem.substr(at, end - at);
  }
  return out;
}

TEST(ClientCertificate, IsDescribed) {
  const Authority authority = make_authority("tests", {"test"}, now()).value();
  const PemPair client =
      client_of(authority, "jos\xc3\xa9", "URI:spiffe://x/y,DNS:c.test,email:c@c.test,IP:10.1.2.3,IP:fd00::1");
  const auto shown = ClientCertificate::from_der(der_of(client.chain));
  ASSERT_NE(shown, nullptr);
  EXPECT_EQ(shown->pem(), one_line(client.chain));
  CertInfo wanted{.not_before = true, .sans = true, .serial_number = true};
  wanted.subject = CertNameParts{.country = true,
                                 .organization = true,
                                 .organizational_unit = true,
                                 .common_name = true,
                                 .domain_component = true};
  EXPECT_EQ(shown->info(wanted).find_first_of(" \"=;"), std::string::npos);
  EXPECT_EQ(http::percent_decode(shown->info(wanted)).value(),
            "Subject=\"DC=org,C=FR,O=Cheese,+Inc.,CN=jos\xc3\xa9\";SerialNumber=\"4711\";NB=\"1000000000\";"
            "SAN=\"c.test,c@c.test,10.1.2.3,fd00::1,spiffe://x/y\"");
  const CertInfo issuer{.issuer = CertNameParts{.common_name = true}};
  EXPECT_TRUE(shown->info(issuer).starts_with("Issuer%3D%22CN%3D")) << shown->info(issuer);
  EXPECT_EQ(shown->info({}), "");
  EXPECT_EQ(ClientCertificate::from_der(""), nullptr);
  EXPECT_EQ(ClientCertificate::from_der(std::string(20u << 10, 'x')), nullptr);
  EXPECT_EQ(ClientCertificate::from_der("nonsense")->info(wanted), "");
}

/// app.test demands a certificate of the world's authority; its services are told of it, but for secure.test.
Snapshot demanding(World& world, std::string client_auth) {
  Snapshot snapshot = world.snapshot(2);
  snapshot.certificates.push_back(issue(world.authority, {"app.test", "secure.test"}, now()).value());
  snapshot.tls_options = {
      {.name = "mtls", .client_auth = std::move(client_auth), .client_ca = world.authority.certificate}};
  snapshot.routes[0].tls_options = "mtls";
  snapshot.routes[0].middlewares = {
      {"pass", PassTlsClientCert{.pem = true, .info = CertInfo{.subject = CertNameParts{.common_name = true}}}}};
  return snapshot;
}

struct Caller {
  std::string host = "app.test", protocol = "http/1.1";
  PemPair shows{};
};

io::Task<std::unique_ptr<io::TlsStream>> call(World& world, Caller caller) {
  std::shared_ptr<const io::TlsIdentity> identity;
  if (!caller.shows.chain.empty()) identity = io::TlsIdentity::from_pem(caller.shows.chain, caller.shows.key).value();
  auto context = io::TlsContext::client({.server_name = caller.host,
                                         .ca_pem = world.authority.certificate,
                                         .alpn = {caller.protocol},
                                         .identity = identity});
  auto secure = io::tls_over(std::move(*(co_await io::connect(world.websecure))), *context);
  const auto shaken = co_await secure->handshake();
  if (!shaken) co_return nullptr;
  co_return secure;
}

/// What the origin was told; "" when no answer came, as where TLS 1.3 refuses a client after its handshake.
io::Task<std::string> told(World& world, Caller caller, std::string more = {}) {
  const std::string host = caller.host;
  auto stream = co_await call(world, std::move(caller));
  if (!stream) co_return "";
  Browser browser(std::move(stream));
  co_return (co_await browser.ask(get("/h", more, host))).body;
}

constexpr std::string_view kForged =
    "X-Forwarded-Tls-Client-Cert: forged\r\nX-Forwarded-Tls-Client-Cert-Info: forged\r\n";

Test IsDemandedAndPassedOn_body(World& world) {
  world.use(demanding(world, "RequireAndVerifyClientCert"));
  const PemPair right = client_of(world.authority, "alice");
  const Authority other = make_authority("other", {"test"}, now()).value();
  const std::string body = co_await told(world, {.shows = right}, std::string(kForged));
  EXPECT_TRUE(body.contains("x-forwarded-tls-client-cert: " + one_line(right.chain) + "\n")) << body;
  EXPECT_TRUE(body.contains("x-forwarded-tls-client-cert-info: Subject%3D%22CN%3Dalice%22\n")) << body;
  EXPECT_FALSE(body.contains("forged")) << body;
  EXPECT_EQ(co_await told(world, {}), "");
  EXPECT_EQ(co_await told(world, {.shows = client_of(other, "mallory")}), "");
  EXPECT_EQ(world.origin_requests, 1u);
  // Other hosts demand nothing, and a connection of theirs is none for this one.
  EXPECT_NE(co_await told(world, {.host = "secure.test"}), "");
  auto stream = co_await call(world, {.host = "secure.test"});
  EXPECT_NE(stream, nullptr);
  if (!stream) co_return;
  Browser browser(std::move(stream));
  EXPECT_EQ((co_await browser.ask(get("/h", "", "app.test"))).status, 421);
}
RUN(IsDemandedAndPassedOn)

Test MayBeMissing_body(World& world) {
  Snapshot snapshot = demanding(world, "VerifyClientCertIfGiven");
  snapshot.settings.trusted_proxies = {"127.0.0.1/32"};
  world.use(std::move(snapshot));
  const std::string without = co_await told(world, {}, std::string(kForged));
  EXPECT_TRUE(without.contains("x-forwarded-proto")) << without;
  EXPECT_FALSE(without.contains("client-cert")) << without;  // not of a trusted proxy either
  const std::string with = co_await told(world, {.shows = client_of(world.authority, "bob")});
  EXPECT_TRUE(with.contains("Subject%3D%22CN%3Dbob%22")) << with;
  const Authority other = make_authority("other", {"test"}, now()).value();
  EXPECT_EQ(co_await told(world, {.shows = client_of(other, "mallory")}), "");
  // Plain HTTP shows none, and cannot claim one.
  auto plain = co_await world.browse();
  EXPECT_FALSE((co_await plain->ask(get("/h", kForged))).body.contains("client-cert"));
}
RUN(MayBeMissing)

Test IsOfEachConnection_body(World& world) {
  world.use(demanding(world, "RequireAndVerifyClientCert"));
  auto stream = co_await call(world, {.shows = client_of(world.authority, "carol")});
  EXPECT_NE(stream, nullptr);
  if (!stream) co_return;
  Browser browser(std::move(stream));
  for (int i = 0; i < 3; ++i) {
    const Answer answer = co_await browser.ask(get("/h"));
    EXPECT_TRUE(answer.body.contains("Subject%3D%22CN%3Dcarol%22")) << answer.body;
  }
}
RUN(IsOfEachConnection)

}  // namespace
}  // namespace berth::edge
