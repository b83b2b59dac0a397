#include "io/tls.h"

#include <gtest/gtest.h>

#include "io/process.h"
#include "testing/simulation.h"

namespace berth::io {
namespace {

struct Pem {
  std::string certificate, key;
};

// A self-signed one for `name`, made by the openssl program: an issuer that is not ours.
Pem make_certificate(const std::string& name) {
  Loop loop;
  const auto made = loop.run(run_command(
      {.argv = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                "-", "-out", "-", "-days", "1", "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:" + name}},
      ""));
  const std::string text = made.value().out;
  const std::size_t certificate = text.find("-----BEGIN CERTIFICATE");
  return {text.substr(certificate), text.substr(0, certificate)};
}

const Pem& alpha() {
  static const Pem pem = make_certificate("alpha.test");
  return pem;
}
const Pem& beta() {
  static const Pem pem = make_certificate("beta.test");
  return pem;
}

TlsPolicy::Options policy_options;  // of policy.test

std::shared_ptr<TlsContext> server_context() {
  const auto a = TlsIdentity::from_pem(alpha().certificate, alpha().key).value();
  const auto b = TlsIdentity::from_pem(beta().certificate, beta().key).value();
  return TlsContext::server({.choose = [a, b](const ClientHello& hello) -> TlsChoice {
           if (hello.acme) return {.identity = b};
           if (hello.server_name == "policy.test")
             return {.identity = a, .policy = TlsPolicy::make(policy_options).value()};
           return {.identity = hello.server_name == "alpha.test" ? a : hello.server_name == "beta.test" ? b : nullptr};
         }})
      .value();
}

Task<void> serve(TlsStream& stream, std::string& seen) {
  if (!co_await stream.handshake()) co_return;
  seen = stream.server_name() + " " + stream.protocol() + " " + std::string(stream.version());
  (void)co_await copy(stream, stream);
}

Task<Result<std::string>> converse(TlsStream& server, TlsStream& client, std::string text, std::string& seen) {
  Scope scope(co_await here());
  scope.spawn(serve(server, seen));
  auto shaken = co_await client.handshake();
  Result<std::string> answer = std::string();
  if (shaken) {
    (void)co_await write_all(client, text);
    client.shutdown_write();
    answer = co_await read_to_end(client, 1 << 24);
  } else {
    client.close();
    answer = fail(std::move(shaken).error());
  }
  co_await scope.join();
  co_return answer;
}

Result<std::string> talk(TlsClientOptions options, std::string text, std::string& seen,
                         testing::StreamFaults faults = {}) {
  const auto loop = testing::simulated_loop();
  auto [near, far] = testing::stream_pair(faults);
  const auto server = tls_over(std::move(far), server_context());
  const auto client = tls_over(std::move(near), TlsContext::client(std::move(options)).value());
  return loop->run(converse(*server, *client, std::move(text), seen));
}

TEST(Tls, PresentsTheCertificateOfTheServerName) {
  std::string seen;
  EXPECT_EQ(talk({.server_name = "alpha.test", .ca_pem = alpha().certificate, .alpn = {"h2", "http/1.1"}}, "hi", seen)
                .value(),
            "hi");
  EXPECT_EQ(seen, "alpha.test http/1.1 TLSv1.3");
  EXPECT_EQ(talk({.server_name = "beta.test", .ca_pem = beta().certificate}, "hi", seen).value(), "hi");
}

TEST(Tls, CarriesMegabytesSplitAnywhere) {
  std::string seen;
  const std::string text(300'000, 'y');
  EXPECT_TRUE(
      talk({.server_name = "alpha.test", .ca_pem = alpha().certificate}, text, seen, {.chunk = 7, .capacity = 1 << 20})
          .value() == text);
}

TEST(Tls, RefusesWhatItDoesNotTrust) {
  std::string seen;
  const auto foreign = talk({.server_name = "alpha.test", .ca_pem = beta().certificate}, "hi", seen);
  EXPECT_EQ(foreign.error().code, Code::denied);
  EXPECT_NE(foreign.error().message.find("not trusted"), std::string::npos) << foreign.error().message;
}

TEST(Tls, RefusesAnUnknownServerName) {
  std::string seen;
  const auto unknown = talk({.server_name = "gamma.test", .verify = false}, "hi", seen);
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("unrecognized name"), std::string::npos) << unknown.error().message;
}

TEST(Tls, ShowsAnotherCertificateToACaThatValidates) {
  std::string seen;
  const TlsClientOptions hello{.server_name = "beta.test", .ca_pem = beta().certificate, .alpn = {"acme-tls/1"}};
  EXPECT_EQ(talk(hello, "", seen).value(), "");
  EXPECT_EQ(seen, "beta.test acme-tls/1 TLSv1.3");
  // One protocol among others is a client like any.
  EXPECT_FALSE(talk({.server_name = "gamma.test", .verify = false, .alpn = {"acme-tls/1", "http/1.1"}}, "", seen));
  const auto other =
      talk({.server_name = "alpha.test", .ca_pem = alpha().certificate, .alpn = {"acme-tls/1", "http/1.1"}}, "", seen);
  EXPECT_TRUE(other.has_value());
  EXPECT_EQ(seen, "alpha.test http/1.1 TLSv1.3");
}

// The server's verdict about a client's certificate comes after the client's handshake: a byte must come back.
bool passes(TlsPolicy::ClientAuth auth, const Pem* shown) {
  policy_options = {.client_auth = auth, .client_ca = beta().certificate};
  TlsClientOptions client{.server_name = "policy.test", .verify = false};
  if (shown) client.identity = TlsIdentity::from_pem(shown->certificate, shown->key).value();
  std::string seen;
  const auto answer = talk(client, "x", seen);
  return answer && *answer == "x";
}

TEST(TlsPolicy, AsksClientsForCertificates) {
  using Auth = TlsPolicy::ClientAuth;
  struct Row {
    Auth auth;
    bool none, foreign, own;
  };
  for (const Row& row : {Row{Auth::none, true, true, true}, Row{Auth::request, true, true, true},
                         Row{Auth::require_any, false, true, true}, Row{Auth::verify_if_given, true, false, true},
                         Row{Auth::require_and_verify, false, false, true}}) {
    EXPECT_EQ(passes(row.auth, nullptr), row.none) << static_cast<int>(row.auth);
    EXPECT_EQ(passes(row.auth, &alpha()), row.foreign) << static_cast<int>(row.auth);
    EXPECT_EQ(passes(row.auth, &beta()), row.own) << static_cast<int>(row.auth);
  }
}

TEST(TlsPolicy, LimitsVersionsAndProtocols) {
  policy_options = {.max_version = 12, .ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384", .curves = "P-384", .alpn = {"b"}};
  std::string seen;
  EXPECT_TRUE(talk({.server_name = "policy.test", .verify = false, .alpn = {"a", "b"}}, "x", seen).has_value());
  EXPECT_EQ(seen, "policy.test b TLSv1.2");
}

TEST(TlsPolicy, RefusesWhatIsWrong) {
  for (const TlsPolicy::Options& wrong :
       {TlsPolicy::Options{.min_version = 13, .max_version = 12}, TlsPolicy::Options{.min_version = 9},
        TlsPolicy::Options{.ciphers = "NONE"}, TlsPolicy::Options{.suites = "NONE"}, TlsPolicy::Options{.curves = "x"},
        TlsPolicy::Options{.client_auth = TlsPolicy::ClientAuth::require_and_verify},
        TlsPolicy::Options{.client_auth = TlsPolicy::ClientAuth::verify_if_given, .client_ca = "no PEM"}}) {
    const auto made = TlsPolicy::make(wrong);
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().code, Code::invalid);
  }
}

TEST(Tls, RefusesAKeyOfAnotherCertificate) {
  const auto mixed = TlsIdentity::from_pem(alpha().certificate, beta().key);
  EXPECT_EQ(mixed.error().code, Code::invalid);
  EXPECT_EQ(TlsIdentity::from_pem("x", "y").error().code, Code::invalid);
}

}  // namespace
}  // namespace berth::io
