#include "edge/acme_key.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "edge/certificate_request.h"
#include "io/process.h"

namespace berth::edge {
namespace {

using namespace std::chrono_literals;
constexpr std::chrono::sys_seconds kNow(1'800'000'000s);

/// The openssl program's view: somebody else's code.
std::string openssl(std::vector<std::string> arguments, std::string input) {
  io::Loop loop;
  arguments.insert(arguments.begin(), "openssl");
  const auto done = loop.run(io::run_command({.argv = std::move(arguments)}, std::move(input)));
  return done ? done->out : done.error().message;
}

TEST(AcmeKey, KnowsItsPublicPartsAndSigns) {
  const std::string pem = make_key(KeyType::ec256).value();
  const AcmeKey key = AcmeKey::load(pem).value();
  EXPECT_TRUE(key.jwk().starts_with(R"({"crv":"P-256","kty":"EC","x":")")) << key.jwk();
  EXPECT_EQ(key.thumbprint().size(), 43u);
  EXPECT_EQ(AcmeKey::load(pem)->thumbprint(), key.thumbprint());
  for (int i = 0; i < 50; ++i) EXPECT_EQ(key.sign("text")->size(), 64u);
  EXPECT_NE(key.sign("a").value(), key.sign("b").value());
}

// RFC 7515 A.3 has this key; RFC 7638's rule gives its thumbprint.
TEST(AcmeKey, ReadsAKnownKey) {
  const std::string pem =
      "-----BEGIN EC PRIVATE KEY-----\n"
      "MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49\n"
      "AwEHoUQDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72b\n"
      "focs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
      "-----END EC PRIVATE KEY-----\n";
  const auto key = AcmeKey::load(pem);
  ASSERT_TRUE(key.has_value()) << key.error().message;
  EXPECT_EQ(key->jwk(), R"({"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
                        R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})");
  EXPECT_EQ(key->thumbprint(), "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
}

TEST(AcmeKey, RefusesOtherKeys) {
  EXPECT_EQ(AcmeKey::load(make_key(KeyType::ec384).value()).error().message,
            "it is neither an ECDSA P-256 key nor an RSA key");
  EXPECT_FALSE(AcmeKey::load("").has_value());
}

TEST(AcmeKey, KnowsTypesByTraefiksNames) {
  EXPECT_EQ(parse_key_type("ec256").value(), KeyType::ec256);
  EXPECT_EQ(parse_key_type("RSA4096").value(), KeyType::rsa4096);
  EXPECT_EQ(parse_key_type("DSA").error().message,
            "key type \"DSA\" is not known; use EC256, EC384, RSA2048, RSA4096 or RSA8192");
}

TEST(CertificateRequest, NamesHostsAndIsSigned) {
  for (const KeyType type : {KeyType::ec256, KeyType::ec384, KeyType::rsa2048}) {
    const std::string key = make_key(type).value();
    const std::string der = make_request(key, {"a.example.com", "*.example.com"}).value();
    const std::string pem =
        "-----BEGIN CERTIFICATE REQUEST-----\n" + encode_base64(der) + "\n-----END CERTIFICATE REQUEST-----\n";
    const std::string text = openssl({"req", "-noout", "-text", "-verify"}, pem);
    EXPECT_TRUE(text.contains("DNS:a.example.com, DNS:*.example.com")) << text;
  }
  EXPECT_FALSE(make_request(make_key(KeyType::ec256).value(), {}).has_value());
  EXPECT_FALSE(make_request("x", {"a.example.com"}).has_value());
}

TEST(CertificateRequest, ChallengeCertificateHoldsTheDigest) {
  const auto made = make_challenge_certificate("a.example.com", "tok.thumb", kNow).value();
  EXPECT_EQ(made.hosts, std::vector<std::string>{"a.example.com"});
  EXPECT_TRUE(load_certificate(made.chain, made.key).has_value());
  const std::string text = openssl({"x509", "-noout", "-text"}, made.chain);
  EXPECT_TRUE(text.contains("1.3.6.1.5.5.7.1.31: critical")) << text;
}

// The serial and key identifier of RFC 9773's own example have this form; ours come from the local authority.
TEST(CertificateRequest, NamesACertificateForRenewals) {
  const auto authority = make_authority("CA", {"test"}, kNow).value();
  const auto leaf = issue(authority, {"a.test"}, kNow).value();
  const std::string id = renewal_id(leaf.chain).value();
  const auto dot = id.find('.');
  ASSERT_NE(dot, std::string::npos);
  EXPECT_EQ(decode_base64(id.substr(0, dot))->size(), 20u);
  EXPECT_EQ(decode_base64(id.substr(dot + 1))->size(), 16u);
  EXPECT_EQ(renewal_id(make_challenge_certificate("a.test", "x", kNow)->chain).error().code, Code::not_found);
}

TEST(CertificateRequest, SplitsABundle) {
  const auto made = make_challenge_certificate("a.test", "x", kNow).value();
  for (const std::string& text : {made.key + made.chain, made.chain + made.key, "words\n" + made.chain + made.key}) {
    const auto bundle = split_bundle(text);
    ASSERT_TRUE(bundle.has_value());
    EXPECT_EQ(bundle->chain, made.chain);
    EXPECT_EQ(bundle->key, made.key);
  }
  EXPECT_FALSE(split_bundle(made.key).has_value());
  EXPECT_FALSE(split_bundle(made.chain).has_value());
  EXPECT_FALSE(split_bundle("-----BEGIN ").has_value());
}

}  // namespace
}  // namespace berth::edge
