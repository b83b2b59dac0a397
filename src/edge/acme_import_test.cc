#include "edge/acme_import.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

#include "base/base64.h"
#include "base/json.h"
#include "edge/certificate.h"
#include "io/process.h"

namespace berth::edge {
namespace {

std::string openssl(std::vector<std::string> arguments, std::string input = {}) {
  io::Loop loop;
  arguments.insert(arguments.begin(), "openssl");
  const auto done = loop.run(io::run_command({.argv = std::move(arguments)}, std::move(input)));
  return done ? done->out : done.error().message;
}

/// An RSA key as Traefik keeps an account's: PKCS #1 in DER.
const std::string& account_der() {
  static const std::string der = openssl({"rsa", "-traditional", "-outform", "DER"},
                                         openssl({"genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"}));
  return der;
}

Certificate leaf(const std::vector<std::string>& hosts) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return issue(make_authority("CA", {"example.com"}, now).value(), hosts, now).value();
}

Json account(std::string uri = "https://acme-v02.api.letsencrypt.org/acme/acct/7") {
  return Json::object({{"Email", "me@example.com"},
                       {"Registration", Json::object({{"body", Json::object()}, {"uri", std::move(uri)}})},
                       {"PrivateKey", encode_base64(account_der())},
                       {"KeyType", "4096"}});
}

Json entry(const Certificate& certificate, Json domain) {
  return Json::object({{"domain", std::move(domain)},
                       {"certificate", encode_base64(certificate.chain)},
                       {"key", encode_base64(certificate.key)},
                       {"Store", "default"}});
}

TEST(AcmeImport, ReadsTheLayoutOfTraefik2And3) {
  const Certificate one = leaf({"a.example.com", "b.example.com"}), wild = leaf({"*.example.com"});
  Json sans = Json::array({"b.example.com"});
  const Json tree = Json::object(
      {{"letsEncrypt",
        Json::object(
            {{"Account", account()},
             {"Certificates", Json::array({entry(one, Json::object({{"main", "A.example.com"}, {"sans", sans}}))})}})},
       {"unused", Json::object({{"Account", nullptr}, {"Certificates", nullptr}})},
       {"wild",
        Json::object({{"Certificates", Json::array({entry(wild, Json::object({{"main", "*.example.com"}}))})}})}});
  const auto got = read_acme_json(tree.dump(2));
  ASSERT_TRUE(got.has_value()) << got.error().message;
  EXPECT_TRUE(got->faults.empty()) << got->faults[0];
  ASSERT_EQ(got->certificates.size(), 2u);
  EXPECT_EQ(got->certificates[0].wanted, (WantedCertificate{{"a.example.com", "b.example.com"}, "letsEncrypt"}));
  EXPECT_EQ(got->certificates[0].certificate.chain, one.chain);
  EXPECT_EQ(got->certificates[1].wanted, (WantedCertificate{{"*.example.com"}, "wild"}));
  ASSERT_EQ(got->accounts.size(), 1u);
  EXPECT_EQ(got->accounts[0].resolver.email, "me@example.com");
  EXPECT_EQ(got->accounts[0].resolver.directory, kDefaultCa);
  EXPECT_EQ(got->accounts[0].account.url, "https://acme-v02.api.letsencrypt.org/acme/acct/7");
}

TEST(AcmeImport, ReadsTheLayoutOfTraefik1) {
  const Certificate one = leaf({"a.example.com"});
  const Json item = Json::object({{"Domain", Json::object({{"Main", "a.example.com"}, {"SANs", nullptr}})},
                                  {"Certificate", encode_base64(one.chain)},
                                  {"Key", encode_base64(one.key)}});
  const std::string text = Json::object({{"Account", account("https://acme-staging-v02.api.letsencrypt.org/acct/1")},
                                         {"Certificates", Json::array({item})},
                                         {"HTTPChallenges", Json::object()}})
                               .dump();
  EXPECT_EQ(read_acme_json(text).error().message,
            "1:1: it is of Traefik 1, which names no resolver; say which by --resolver NAME");
  const auto got = read_acme_json(text, {.resolver = "le"});
  ASSERT_TRUE(got.has_value()) << got.error().message;
  ASSERT_EQ(got->certificates.size(), 1u);
  EXPECT_EQ(got->certificates[0].wanted, (WantedCertificate{{"a.example.com"}, "le"}));
  ASSERT_EQ(got->accounts.size(), 1u);
  EXPECT_EQ(got->accounts[0].resolver.directory, "https://acme-staging-v02.api.letsencrypt.org/directory");
}

TEST(AcmeImport, TheAccountsKeySignsAsOpensslWants) {
  const auto got = read_acme_json(Json::object({{"le", Json::object({{"Account", account()}})}}).dump());
  ASSERT_TRUE(got.has_value() && got->accounts.size() == 1);
  const auto key = AcmeKey::load(got->accounts[0].account.key);
  ASSERT_TRUE(key.has_value()) << key.error().message;
  EXPECT_EQ(key->algorithm(), "RS256");
  EXPECT_TRUE(key->jwk().starts_with(R"({"e":"AQAB","kty":"RSA","n":")")) << key->jwk();
  // PKCS #1 v1.5 signs without randomness: the openssl program makes the same bytes.
  const std::string file = std::string(::testing::TempDir()) + "berth-account-" + std::to_string(::getpid());
  openssl({"pkey", "-out", file}, got->accounts[0].account.key);
  EXPECT_EQ(key->sign("text").value(), openssl({"dgst", "-sha256", "-sign", file}, "text"));
  std::remove(file.c_str());
}

TEST(AcmeImport, SaysWhereAFileIsWrong) {
  const auto message = [](std::string_view text) {
    const auto got = read_acme_json(text, {.resolver = "le"});
    return got ? std::string("accepted") : got.error().message;
  };
  EXPECT_TRUE(message("{\n  \"a\": }").starts_with("2:8: not JSON")) << message("{\n  \"a\": }");
  EXPECT_EQ(message("{}"), "1:1: it is no acme.json: no member has an Account or Certificates");
  EXPECT_EQ(message("[]"), "1:1: it is no acme.json: no member has an Account or Certificates");
  EXPECT_EQ(message(R"({"DomainsCertificate": {"Certs": []}})"),
            "1:1: it is of Traefik before 1.6, for a protocol that no CA speaks any more");
}

TEST(AcmeImport, LeavesOutWhatIsWrongAndTakesTheRest) {
  const Certificate good = leaf({"a.example.com"});
  Certificate mixed = leaf({"b.example.com"});
  mixed.key = good.key;
  Json broken = entry(good, Json::object());
  broken.set("key", "%%%");
  Json empty = entry(good, Json::object());
  empty.erase("certificate");
  Json lost = account("https://ca.lan/acct/1");
  const Json list =
      Json::array({entry(mixed, Json::object({{"main", "b.example.com"}})), broken, empty,
                   entry(good, Json::object({{"main", "other.example.com"}})), entry(good, Json::object())});
  const std::string text = Json::object({{"le", Json::object({{"Account", lost}, {"Certificates", list}})}}).dump();
  const auto got = read_acme_json(text);
  ASSERT_TRUE(got.has_value()) << got.error().message;
  ASSERT_EQ(got->faults.size(), 5u);
  EXPECT_EQ(got->faults[0],
            "le.Account: the CA of https://ca.lan/acct/1 is not known; name its directory with --ca-server");
  EXPECT_TRUE(got->faults[1].starts_with("le.Certificates[0]: ")) << got->faults[1];
  EXPECT_EQ(got->faults[2], "le.Certificates[1]: key: not base64: a character of no digit");
  EXPECT_EQ(got->faults[3], "le.Certificates[2]: certificate is missing");
  EXPECT_EQ(got->faults[4], "le.Certificates[3]: domain: the certificate does not name other.example.com");
  ASSERT_EQ(got->certificates.size(), 1u);
  EXPECT_EQ(got->certificates[0].place, "le.Certificates[4]");
  EXPECT_EQ(read_acme_json(text, {.directory = "https://ca.lan/dir"})->accounts.size(), 1u);
}

}  // namespace
}  // namespace berth::edge
