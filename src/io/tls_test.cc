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

std::shared_ptr<TlsContext> server_context() {
  const auto a = TlsIdentity::from_pem(alpha().certificate, alpha().key).value();
  const auto b = TlsIdentity::from_pem(beta().certificate, beta().key).value();
  return TlsContext::server({.choose =
                                 [a, b](std::string_view name) {
                                   return name == "alpha.test" ? a : name == "beta.test" ? b : nullptr;
                                 }})
      .value();
}

Task<void> serve(TlsStream& stream, std::string& seen) {
  if (!co_await stream.handshake()) co_return;
  seen = stream.server_name() + " " + stream.protocol() + " " + stream.version();
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

TEST(Tls, RefusesAKeyOfAnotherCertificate) {
  const auto mixed = TlsIdentity::from_pem(alpha().certificate, beta().key);
  EXPECT_EQ(mixed.error().code, Code::invalid);
  EXPECT_EQ(TlsIdentity::from_pem("x", "y").error().code, Code::invalid);
}

}  // namespace
}  // namespace berth::io
