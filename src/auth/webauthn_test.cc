// Passkeys against an authenticator of our own: each of three kinds of keys, and each way in which an answer is wrong.
#include "auth/webauthn.h"

#include "auth/cbor.h"
#include "auth/desk_test.h"
#include "auth/oidc_fixture.h"
#include "auth/passkeys.h"
#include "base/hash.h"

namespace berth::auth {
namespace {

std::string head(unsigned major, std::size_t size) {
  if (size < 24) return std::string(1, static_cast<char>(major << 5 | size));
  if (size < 256) return std::string{static_cast<char>(major << 5 | 24), static_cast<char>(size)};
  return std::string{static_cast<char>(major << 5 | 25), static_cast<char>(size >> 8), static_cast<char>(size)};
}
std::string integer(int value) {
  return value >= 0 ? head(0, static_cast<std::size_t>(value)) : head(1, static_cast<std::size_t>(-1 - value));
}
std::string bytes(const std::string& value) {
  return head(2, value.size()) + value;
}
std::string text(const std::string& value) {
  return head(3, value.size()) + value;
}

/// What it answers; a case spoils one thing.
struct Authenticator {
  const SigningKey* key;
  std::string type = "webauthn.get", origin = "https://berth.localhost", host = "berth.localhost";
  std::string challenge = std::string(43, 'c');
  unsigned flags = 0x05, counter = 1;
  bool cross = false;

  std::string client() const {
    return Json::object({{"type", type}, {"challenge", challenge}, {"origin", origin}, {"crossOrigin", cross}}).dump();
  }
  std::string data() const {
    std::string out = sha256(host) + static_cast<char>(flags);
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(counter >> shift);
    return out;
  }
  std::string cose() const {
    const Json jwk = key->jwk();
    const auto part = [&](std::string_view name) { return bytes(*decode_base64(jwk[name].text())); };
    if (key->algorithm() == "RS256")
      return head(5, 4) + integer(1) + integer(3) + integer(3) + integer(-257) + integer(-1) + part("n") + integer(-2) +
             part("e");
    if (key->algorithm() == "EdDSA")
      return head(5, 4) + integer(1) + integer(1) + integer(3) + integer(-8) + integer(-1) + integer(6) + integer(-2) +
             part("x");
    return head(5, 5) + integer(1) + integer(2) + integer(3) + integer(-7) + integer(-1) + integer(1) + integer(-2) +
           part("x") + integer(-3) + part("y");
  }
  Json make() const {
    const std::string id = "credential-" + key->kid();
    const std::string attested = data() + std::string(16, '\0') + std::string{'\0', static_cast<char>(id.size())} + id;
    const std::string object = head(5, 3) + text("fmt") + text("none") + text("attStmt") + head(5, 0) +
                               text("authData") + bytes(attested + cose());
    return Json::object({{"id", encode_base64url(id)},
                         {"response", Json::object({{"clientDataJSON", encode_base64url(client())},
                                                    {"attestationObject", encode_base64url(object)}})}});
  }
  Json answer() const {
    const std::string signature = key->sign_der(data() + sha256(client()));
    return Json::object({{"id", encode_base64url("credential-" + key->kid())},
                         {"response", Json::object({{"clientDataJSON", encode_base64url(client())},
                                                    {"authenticatorData", encode_base64url(data())},
                                                    {"signature", encode_base64url(signature)}})}});
  }
};

const Ceremony kHere{.origin = "https://berth.localhost", .host = "berth.localhost"};

const SigningKey& ec_key() {
  static const SigningKey kKey("ec", "ES256");
  return kKey;
}

TEST(Passkey, IsMadeAndUsedWithThreeKindsOfKeys) {
  const SigningKey rsa("rsa", "RS256"), ed("ed", "EdDSA");
  for (const SigningKey* key : {&ec_key(), &rsa, &ed}) {
    const auto made =
        check_new_passkey(Authenticator{.key = key, .type = "webauthn.create", .flags = 0x45}.make(), kHere);
    ASSERT_TRUE(made) << key->algorithm() << ": " << made.error().text();
    const auto kept = decode_key(encode_key(made->key));
    const Authenticator used{.key = key, .counter = 2};
    const auto counter = check_passkey(used.answer(), kHere, *kept, made->counter);
    ASSERT_TRUE(counter) << key->algorithm() << ": " << counter.error().text();
    EXPECT_EQ(*counter, 2);
    EXPECT_EQ(challenge_of(used.answer()), used.challenge);
  }
}

TEST(Passkey, RefusesAnswersThatDoNotFit) {
  const auto key =
      check_new_passkey(Authenticator{.key = &ec_key(), .type = "webauthn.create", .flags = 0x45}.make(), kHere)->key;
  const SigningKey stranger("ec", "ES256");
  const auto judge = [&](const Authenticator& used, std::int64_t counter = 0) {
    return check_passkey(used.answer(), kHere, key, counter).has_value();
  };
  EXPECT_TRUE(judge({.key = &ec_key()}));
  EXPECT_TRUE(judge({.key = &ec_key(), .counter = 0})) << "some count nothing";
  EXPECT_FALSE(judge({.key = &stranger}));
  EXPECT_FALSE(judge({.key = &ec_key(), .type = "webauthn.create"}));
  for (const auto* origin : {"https://evil.example", "http://berth.localhost", "https://berth.localhost:8443",
                             "https://berth.localhost.evil.example", ""})
    EXPECT_FALSE(judge({.key = &ec_key(), .origin = origin})) << origin;
  EXPECT_FALSE(judge({.key = &ec_key(), .host = "localhost"}));
  EXPECT_FALSE(judge({.key = &ec_key(), .flags = 0x01})) << "nobody was verified";
  EXPECT_FALSE(judge({.key = &ec_key(), .flags = 0x04})) << "nobody was there";
  EXPECT_FALSE(judge({.key = &ec_key(), .flags = 0x15})) << "backed up, though it cannot be";
  EXPECT_FALSE(judge({.key = &ec_key(), .cross = true}));
  EXPECT_FALSE(judge({.key = &ec_key(), .counter = 7}, 7)) << "a copy";
  EXPECT_FALSE(judge({.key = &ec_key(), .counter = 0}, 7));
  Json cut = Authenticator{.key = &ec_key()}.answer();
  cut.slot("response").set("authenticatorData", encode_base64url("short"));
  EXPECT_FALSE(check_passkey(cut, kHere, key, 0));
  EXPECT_FALSE(check_passkey(Json(), kHere, key, 0));
  EXPECT_FALSE(
      check_new_passkey(Authenticator{.key = &ec_key(), .type = "webauthn.create", .flags = 0x05}.make(), kHere))
      << "without a key";
}

TEST(Cbor, RefusesWhatIsNone) {
  const auto parse = [](std::string text) {
    std::string_view view = text;
    return parse_cbor(view).has_value();
  };
  EXPECT_TRUE(parse(std::string("\xa1\x01\x02", 3)));
  for (const std::string& wrong :
       {std::string(), std::string("\x18", 1), std::string("\x5f", 1), std::string("\xc0\x01", 2),
        std::string("\x44"
                    "abc",
                    4),
        std::string("\x9a\xff\xff\xff\xff", 5), std::string("\x1b\xff\xff\xff\xff\xff\xff\xff\xff", 9),
        std::string(20, '\x81'), std::string("\xfb\0\0\0\0\0\0\0\0", 9)}) {
    EXPECT_FALSE(parse(wrong)) << to_hex(wrong);
  }
}

TEST_P(DeskTest, AChallengeCountsOnceAndForItsUser) {
  const auto take = [&](const std::string& challenge, std::string_view user) {
    return write<bool>(
        [&](store::Transaction& transaction) { return take_challenge(transaction, challenge, user, now); });
  };
  const auto make = [&](std::string_view user) {
    return *write<std::string>([&](store::Transaction& transaction) { return new_challenge(transaction, user, now); });
  };
  const std::string first = make("");
  EXPECT_TRUE(*take(first, ""));
  EXPECT_FALSE(*take(first, ""));
  const std::string second = make("user_1");
  EXPECT_FALSE(*take(second, "user_2"));
  EXPECT_FALSE(*take(second, ""));
  EXPECT_TRUE(*take(second, "user_1"));
  const std::string third = make("");
  now += 300 * kSecond;
  EXPECT_FALSE(*take(third, ""));
}

TEST_P(DeskTest, APasskeyStandsForItsUser) {
  const User ada = add_user("ada");
  const auto made =
      check_new_passkey(Authenticator{.key = &ec_key(), .type = "webauthn.create", .flags = 0x45}.make(), kHere);
  const auto keep = [&] {
    return write<void>(
        [&](store::Transaction& transaction) { return keep_passkey(transaction, by_admin(), ada, {*made, "laptop"}); });
  };
  ASSERT_TRUE(keep());
  EXPECT_EQ(keep().error().code, Code::conflict);
  const auto use = [&](unsigned counter, std::string handle = {}) {
    Json answer = Authenticator{.key = &ec_key(), .counter = counter}.answer();
    if (!handle.empty()) answer.slot("response").set("userHandle", encode_base64url(handle));
    return write<User>(
        [&](store::Transaction& transaction) { return user_by_passkey(transaction, answer, kHere, now); });
  };
  EXPECT_EQ(use(2)->id, ada.id);
  EXPECT_EQ(use(2).error().code, Code::denied);
  EXPECT_EQ(use(3, ada.id)->id, ada.id);
  EXPECT_EQ(use(4, "user_other").error().code, Code::denied);
  ASSERT_TRUE(write<void>(
      [&](store::Transaction& transaction) { return remove_passkey(transaction, by_admin(), ada, made->id); }));
  EXPECT_EQ(use(5).error().code, Code::denied);
}

}  // namespace
}  // namespace berth::auth
