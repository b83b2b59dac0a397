#include "edge/token.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace berth::edge {
namespace {

// Keys and tokens of this test alone.
const std::string kRs256 =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6InIifQ.eyJzdWIiOiJhbm4iLCJpc3MiOiJtZSIsImF1ZCI6WyJ4IiwieSJdLCJleHAiOjIwM"
    "DAwMDAwMDAsIm5iZiI6MTAwMDAwMDAwMH0.YADL8W0so2URfso96IIr9w8450KCGp1bm-oqTs5PA_Ld8M0Dh6NlrAL_RCpwYQ4XZ"
    "MJ_fV-cthvm5sFz_NSJRr9f07LTrunm20IeG6FlQwk8pF_80lISGwl5Fv3DW28ZFQ2i7OxMhJqLWtz80UEqK_467NyMjcOvAmvPD"
    "k6dpyjM6fYqC6x_JLDvEjnFwhaow8Zl0Tm8duQSndeuKXBSWU33OMXacXxK7jITiIbyEQ2eoapPYgJApGELj4BBQ56F46g-tP_uf"
    "E7QNqphtHmPNhAJQrmvZ6ZN9pjx1w-i7vNHeVKKpNAQ8ExzFlJKW-1MvC6S3MoRCbkNGqd0MwaVpA";
const std::string kEs256 =
    "eyJhbGciOiJFUzI1NiIsImtpZCI6ImUifQ.eyJzdWIiOiJhbm4iLCJpc3MiOiJtZSIsImF1ZCI6WyJ4IiwieSJdLCJleHAiOjIwM"
    "DAwMDAwMDAsIm5iZiI6MTAwMDAwMDAwMH0.pDn3mX1MtI_CMQGZmddyObA-HpnaAGAV_lB7c_QlSnKtYoi_8DTawyLR1G2R2gKeH"
    "LSw_uRxclQkrqL2r5wfqw";
const std::string kHs256 =
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4iLCJpc3MiOiJtZSIsImF1ZCI6WyJ4IiwieSJdLCJleHAiOjIwMDAwMDAwMDAsIm5"
    "iZiI6MTAwMDAwMDAwMH0.Cejcss5kvAA_BX_FWiS61BomJ-XZRq18245eD9N0a1U";
const std::string kNoEnd = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.oXgO8QuXJbN8wPn7kSrx5AOcdGI8kDZGnGeb3CZe5bM";
const std::string kCritical =
    "eyJhbGciOiJIUzI1NiIsImNyaXQiOlsieCJdfQ.eyJzdWIiOiJhbm4iLCJpc3MiOiJtZSIsImF1ZCI6WyJ4IiwieSJdLCJleHAiO"
    "jIwMDAwMDAwMDAsIm5iZiI6MTAwMDAwMDAwMH0.15OvC-DBYbGMCvpzYRhN0_4hZk3gfJ6qNWFj8puVLuU";
const std::string kConfused =
    "eyJhbGciOiAiSFMyNTYifQ.eyJzdWIiOiAiYW5uIiwgImlzcyI6ICJtZSIsICJhdWQiOiBbIngiLCAieSJdLCAiZXhwIjogMjAwM"
    "DAwMDAwMCwgIm5iZiI6IDEwMDAwMDAwMDB9.cVUnjoj5HoDfouvjlxsD33THOfw9RlKBobz6_YI7HKQ";
const std::string kRsaPem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAomB5vq7nbV8gyAay3+hF\n"
    "4IJwSWy8G8FaHbwFXEJ72ghQ6Nnuq0KS16zd0WjrsZH5BH9yxukoJvxPYLuHxqni\n"
    "BJKNPBDWLjW56e+S4vaZfhS1Xpi5soJTjEZns2h9VSEpKG98uSxUqrGMSTovSU81\n"
    "/9y8DbVhQjkC+M8MxyVOBkFJ/XPYnEecM2NXuBZ+QX59yz5WHGn40/xNqridfNqm\n"
    "AGIqr3vhHTEfRnkPS1GK0AlrclqO+PXQ2UbOQ6QRdRfzzoohjNPgyGlFDoKn3ujq\n"
    "AawkPgtqph3c1Y+iw0HV5bnIOWDuy0EV/kAuS3B/F72fDKa8veNLVFJfFbnEhS9y\n"
    "ZQIDAQAB\n"
    "-----END PUBLIC KEY-----\n";
const std::string kEcPem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEFPdIVcHl7tscpjrJIyDLppxqd1s7\n"
    "uLeKyOs52ewuTl/pCr36TDSFL6FVmEcm/s+TVJuYE6aW1bBmowCsls52wQ==\n"
    "-----END PUBLIC KEY-----\n";
const std::string kSet =
    "{\"keys\":[{\"kty\":\"oct\",\"k\":\"x\"},{\"kty\":\"RSA\",\"kid\":\"r\",\"n\":\"omB5vq7nbV8gyAay3-"
    "hF4IJwSWy8G8FaHbwFXEJ72"
    "ghQ6Nnuq0KS16zd0WjrsZH5BH9yxukoJvxPYLuHxqniBJKNPBDWLjW56e-S4vaZfhS1Xpi5soJTjEZns2h9VSEpKG98uSxUqrGMS"
    "TovSU81_9y8DbVhQjkC-M8MxyVOBkFJ_XPYnEecM2NXuBZ-QX59yz5WHGn40_xNqridfNqmAGIqr3vhHTEfRnkPS1GK0AlrclqO-"
    "PXQ2UbOQ6QRdRfzzoohjNPgyGlFDoKn3ujqAawkPgtqph3c1Y-iw0HV5bnIOWDuy0EV_kAuS3B_F72fDKa8veNLVFJfFbnEhS9yZ"
    "Q\",\"e\":\"AQAB\"},{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"e\",\"use\":\"sig\",\"x\":"
    "\"FPdIVcHl7tscpjrJIyDLppxqd1s7uLeK"
    "yOs52ewuTl8\",\"y\":\"6Qq9-kw0hS-hVZhHJv7Pk1SbmBOmltWwZqMArJbOdsE\"}]}";
const std::string kSecret = "0123456789abcdef0123456789abcdef";

constexpr std::chrono::sys_seconds at(std::int64_t seconds) {
  return std::chrono::sys_seconds(std::chrono::seconds(seconds));
}

std::string says(const TokenKeys& keys, std::string_view token, std::int64_t now = 1'500'000'000,
                 const TokenRules& rules = {"me", "y"}) {
  const auto subject = check_token(keys, rules, token, at(now));
  return subject ? *subject : subject.error().message;
}

TEST(Token, IsJudgedByItsKey) {
  const TokenKeys secret = TokenKeys::shared_secret(kSecret), rsa = TokenKeys::public_key(kRsaPem).value(),
                  ec = TokenKeys::public_key(kEcPem).value(), set = TokenKeys::key_set(kSet).value();
  EXPECT_EQ(says(secret, kHs256), "ann");
  EXPECT_EQ(says(rsa, kRs256), "ann");
  EXPECT_EQ(says(ec, kEs256), "ann");
  EXPECT_EQ(says(set, kRs256), "ann");
  EXPECT_EQ(says(set, kEs256), "ann");
  for (const TokenKeys* other : {&ec, &secret}) EXPECT_EQ(says(*other, kRs256), "token: is not signed by a known key");
  EXPECT_EQ(says(rsa, kHs256), "token: is not signed by a known key");
  // Signed by the public key's text as if it were a secret.
  EXPECT_EQ(says(rsa, kConfused), "token: is not signed by a known key");
}

TEST(Token, ClaimsDecide) {
  const TokenKeys keys = TokenKeys::shared_secret(kSecret);
  EXPECT_EQ(says(keys, kHs256, 2'000'000'060), "ann");
  EXPECT_EQ(says(keys, kHs256, 2'000'000'061), "token: is no longer valid");
  EXPECT_EQ(says(keys, kHs256, 999'999'939), "token: is not valid yet");
  EXPECT_EQ(says(keys, kHs256, 1'500'000'000, {"you", ""}), "token: is of another issuer");
  EXPECT_EQ(says(keys, kHs256, 1'500'000'000, {"", "z"}), "token: is for another audience");
  EXPECT_EQ(says(keys, kNoEnd), "token: says no end (exp)");
  EXPECT_EQ(says(keys, kCritical), "token: asks for extensions");
}

TEST(Token, RefusesWhatIsNone) {
  const TokenKeys keys = TokenKeys::shared_secret(kSecret);
  for (std::string token : {std::string(), std::string(".."), std::string("a.b"), std::string("a.b.c.d"), kHs256 + "=",
                            std::string(9000, 'a'), replace_all(kHs256, ".", ". ")}) {
    EXPECT_FALSE(check_token(keys, {}, token, at(1'500'000'000)).has_value()) << token;
  }
  // One changed character anywhere.
  for (std::size_t i = 0; i < kHs256.size(); ++i) {
    std::string token = kHs256;
    token[i] = token[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(check_token(keys, {}, token, at(1'500'000'000)).has_value()) << i;
  }
  EXPECT_FALSE(TokenKeys::public_key("nonsense").has_value());
  EXPECT_FALSE(TokenKeys::key_set(R"({"keys":[{"kty":"oct","k":"x"}]})").has_value());
}

}  // namespace
}  // namespace berth::edge
