#include "app/resolver_options.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "app/static_tree.h"
#include "io/file.h"

namespace berth::app {
namespace {

Result<std::vector<edge::Resolver>> read(const std::vector<std::pair<std::string, std::string>>& flags,
                                         const Environment& environment = {}) {
  Json tree;
  for (const auto& [path, value] : flags) TRY(set_static(tree, "certificatesresolvers." + path, value));
  return read_resolvers(tree, environment);
}

std::string error_of(const std::string& path, const std::string& value, const Environment& environment = {}) {
  const auto got = read({{path, value}}, environment);
  return got ? "accepted" : got.error().message;
}

TEST(ResolverOptions, ReadsTraefiksFlags) {
  const auto got = read({{"letsEncrypt.acme.email", "me@example.com"},
                         {"letsEncrypt.ACME.keytype", "RSA4096"},
                         {"letsEncrypt.acme.httpchallenge.entrypoint", "web"},
                         {"letsEncrypt.acme.storage", "/letsencrypt/acme.json"},
                         {"other.acme.caserver", "https://ca.lan:9000/dir"},
                         {"other.acme.tlschallenge", "true"},
                         {"other.acme.eab.kid", "k"},
                         {"other.acme.eab.hmacencoded", "aGk"},
                         {"other.acme.fallback", "letsEncrypt"}});
  ASSERT_TRUE(got.has_value()) << got.error().message;
  ASSERT_EQ(got->size(), 2u);
  EXPECT_EQ((*got)[0], (edge::Resolver{.name = "letsEncrypt",
                                       .email = "me@example.com",
                                       .key_type = edge::KeyType::rsa4096,
                                       .challenge = edge::ChallengeType::http}));
  EXPECT_EQ((*got)[1], (edge::Resolver{.name = "other",
                                       .directory = "https://ca.lan:9000/dir",
                                       .binding = {.kid = "k", .hmac = "aGk"},
                                       .fallback = "letsEncrypt"}));
}

TEST(ResolverOptions, ReadsDnsProvidersFromTheEnvironment) {
  const auto hook = read({{"a.acme.dnschallenge.provider", "exec"}, {"a.acme.dnschallenge.delaybeforecheck", "30"}},
                         {{"EXEC_PATH", "/bin/hook"}});
  ASSERT_TRUE(hook.has_value()) << hook.error().message;
  EXPECT_EQ((*hook)[0].dns.hook, "/bin/hook");
  EXPECT_EQ((*hook)[0].dns.delay, std::chrono::seconds(30));
  const auto update = read({{"a.acme.dnschallenge.provider", "rfc2136"}}, {{"RFC2136_NAMESERVER", "ns.example.com"},
                                                                           {"RFC2136_TSIG_KEY", "k"},
                                                                           {"RFC2136_TSIG_SECRET", "c2VjcmV0"},
                                                                           {"RFC2136_TSIG_ALGORITHM", "hmac-sha512."}});
  ASSERT_TRUE(update.has_value()) << update.error().message;
  EXPECT_EQ((*update)[0].dns.nameserver, "ns.example.com");
  EXPECT_EQ((*update)[0].dns.key_algorithm, "hmac-sha512");
  EXPECT_EQ((*update)[0].challenge, edge::ChallengeType::dns);
}

TEST(ResolverOptions, TellsWhatIsWrong) {
  const std::string at = "certificatesResolvers.a.acme.";
  EXPECT_EQ(error_of("a.acme.emial", "x"), at + "emial is not known (did you mean \"email\"?)");
  EXPECT_TRUE(error_of("a.acme.keytype", "DSA").starts_with(at + "keyType: key type \"DSA\" is not known"));
  EXPECT_TRUE(error_of("a.acme.caserver", "ca").starts_with(at + "caServer: "));
  EXPECT_TRUE(error_of("a.acme.cacertificates", "/none").starts_with(at + "caCertificates: "));
  EXPECT_EQ(error_of("a.acme.dnschallenge.provider", "route53"),
            at + "dnsChallenge.provider: \"route53\" is not known; use exec with EXEC_PATH, or rfc2136");
  EXPECT_EQ(error_of("a.acme.dnschallenge.provider", "exec"),
            at + "dnsChallenge: provider exec needs its program in EXEC_PATH");
  EXPECT_EQ(error_of("a.acme.httpchallenge.entrypoint", "websecure"),
            at + "httpChallenge.entryPoint: \"websecure\" is not the plain listener; use web");
  EXPECT_EQ(error_of("a.acme.fallback", "b"), at + "fallback: there is no resolver \"b\"");
  EXPECT_EQ(error_of("a.email", "x"), "write --certificatesresolvers.NAME.acme.KEY=VALUE");
  EXPECT_EQ(read({{"a.acme.tlschallenge", "true"}, {"a.acme.httpchallenge", "true"}}).error().message,
            "certificatesResolvers.a.acme has several challenges; leave one of them");
}

TEST(ResolverOptions, ReadsAStaticFile) {
  const std::string path = std::string(::testing::TempDir()) + "berth-static.yaml";
  ASSERT_TRUE(io::write_file(path, R"(
entryPoints: {web: {address: ":80"}}
certificatesResolvers:
  le:
    acme:
      email: me@example.com
      storage: acme.json
      httpChallenge: {entryPoint: web}
)")
                  .has_value());
  Json tree;
  ASSERT_TRUE(set_static(tree, "certificatesresolvers.le.acme.email", "other@example.com").has_value());
  ASSERT_TRUE(merge_static_file(tree, path).has_value());
  const auto got = read_resolvers(tree, {});
  ASSERT_TRUE(got.has_value()) << got.error().message;
  EXPECT_EQ((*got)[0],
            (edge::Resolver{.name = "le", .email = "me@example.com", .challenge = edge::ChallengeType::http}));
  ASSERT_TRUE(io::write_file(path, "a: [").has_value());
  const auto broken = merge_static_file(tree, path);
  ASSERT_FALSE(broken.has_value());
  EXPECT_TRUE(broken.error().message.starts_with(path + ":")) << broken.error().message;
  std::filesystem::remove(path);
}

TEST(TlsOptions, AreReadFromTheStaticFile) {
  const std::string path = std::string(::testing::TempDir()) + "berth-tls.yaml";
  const auto read_file = [&](const std::string& options) -> Result<std::vector<edge::TlsOptions>> {
    TRY(io::write_file(path, "tls:\n  options:\n    strict: " + options + "\n"));
    Json tree;
    TRY(merge_static_file(tree, path));
    return read_tls_options(tree);
  };
  const auto got = read_file("{minVersion: VersionTLS13, curvePreferences: [X25519, CurveP256], sniStrict: true}");
  ASSERT_TRUE(got.has_value()) << got.error().message;
  EXPECT_EQ((*got)[0], (edge::TlsOptions{.name = "strict", .min_version = 13, .curves = {"X25519", "CurveP256"}}));
  for (const char* wrong : {"{minversion: TLS13}", "{clientAuth: {clientAuthType: RequireAndVerifyClientCert}}",
                            "{clientAuth: {caFiles: [/none], clientAuthType: RequireAndVerifyClientCert}}",
                            "{clientAuth: {clientAuthType: Some}}", "{cipherSuites: [NONE]}", "{minVersoin: x}"}) {
    const auto refused = read_file(wrong);
    ASSERT_FALSE(refused.has_value()) << wrong;
    EXPECT_TRUE(refused.error().message.starts_with(path + ":3:5: tls.options.strict: ")) << refused.error().message;
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace berth::app
