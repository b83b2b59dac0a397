#include "broker/version.h"

#include <gtest/gtest.h>

#include "broker/decide.h"
#include "broker/policy.h"

namespace berth::broker {
namespace {

std::string common(std::string_view newest, std::string_view oldest) {
  const auto versions = common_versions(newest, oldest);
  if (!versions) return versions.error().message;

  return std::to_string(versions->oldest) + "-" + std::to_string(versions->newest);
}

TEST(Versions, AreThoseOfBothSides) {
  EXPECT_EQ(common("1.41", "1.12"), "24-41");  // Debian 12
  EXPECT_EQ(common("1.45", "1.24"), "24-45");  // Debian 13
  EXPECT_EQ(common("1.52", "1.44"), "44-52");
  EXPECT_EQ(common("1.55", "1.44"), "44-52");
  EXPECT_EQ(common("1.99", "1.52"), "52-52");
  EXPECT_EQ(common("1.24", ""), "24-24");
}

TEST(Versions, SayWhoIsTooOld) {
  EXPECT_EQ(common("1.23", "1.12"),
            "the engine is too old: it speaks API 1.23 at most, the broker needs 1.24; upgrade the engine");
  EXPECT_EQ(common("1.60", "1.53"),
            "the broker is too old for this engine: it speaks API 1.53 at least, the broker 1.52 at most; "
            "upgrade berth");
  for (const std::string_view text : {"", "2.0", "1.", "1.4x", "1.123", "41"})
    EXPECT_EQ(common(text, "1.12"), "what answers there is no container engine: it names no API version") << text;
}

// Of a client's version, asked with the policy that lets lists pass.
Verdict asked(const Versions& versions, std::string_view target) {
  return decide_head(*named_policy("operate"), versions, {.method = "GET", .target = target});
}

TEST(Versions, OldClientsAreRefusedAsByTheEngineItself) {
  const Versions newer{44, 52};
  EXPECT_EQ(
      asked(newer, "/v1.41/containers/json").message,
      "client version 1.41 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer "
      "version");
  EXPECT_EQ(asked(newer, "/v1.41/containers/json").status, 400);
  EXPECT_EQ(asked(newer, "/v1.53/containers/json").message,
            "client version 1.53 is too new. Maximum supported API version is 1.52");
  for (const std::string_view target : {"/v1.44/containers/json", "/v1.52/containers/json", "/containers/json"}) {
    const Verdict verdict = asked(newer, target);
    EXPECT_TRUE(verdict.allowed()) << verdict.message;
    EXPECT_EQ(verdict.target(newer), "/v1.52/containers/json");
  }
}

}  // namespace
}  // namespace berth::broker
