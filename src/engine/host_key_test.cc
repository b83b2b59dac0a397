#include "engine/host_key.h"

#include <gtest/gtest.h>

#include "io/loop.h"

namespace berth::engine {
namespace {

// A key that ssh-keygen made, and what `ssh-keygen -lf` printed of it.
constexpr std::string_view kKey = "AAAAC3NzaC1lZDI1NTE5AAAAIKZuH1sVV+xuE+bJgbCa7DVPdzV/rYf9o11UdBRSPNxS";
constexpr std::string_view kPrint = "SHA256:fLMwLA0/ZbOGRyHCAvD81KogfmSsYCgAG6JOJwYDKwI";

TEST(HostKey, HasTheFingerprintThatSshShows) {
  EXPECT_EQ(fingerprint_of({.type = "ssh-ed25519", .key = std::string(kKey)}), kPrint);
}

TEST(HostKey, TakesTheBestKeyOfAScan) {
  const std::string scan = "# h:22 SSH-2.0-OpenSSH_9.2\nh ssh-rsa QUJD\nh ecdsa-sha2-nistp256 QUJE\nh ssh-ed25519 " +
                           std::string(kKey) + "\n";
  const auto key = parse_host_keys(scan);
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->type, "ssh-ed25519");
  EXPECT_EQ(key->key, kKey);
  EXPECT_EQ(parse_host_keys("[127.0.0.1]:22 ssh-rsa QUJD\n")->key, "QUJD");
}

TEST(HostKey, PassesOverWhatIsNoKey) {
  for (const char* scan :
       {"", "# only a comment\n", "h ssh-dss QUJD\n", "h ssh-ed25519 no!base64\n", "h ssh-ed25519\n"})
    EXPECT_EQ(parse_host_keys(scan).error().code, Code::unavailable) << scan;
}

TEST(HostKey, NamesAMissingProgram) {
  io::Loop loop;
  const auto key = loop.run(scan_host_key(*parse_address("ssh://h"), "/nowhere/ssh-keyscan"));
  ASSERT_FALSE(key);
  EXPECT_TRUE(key.error().message.starts_with("ssh://h: cannot start /nowhere/ssh-keyscan")) << key.error().message;
}

}  // namespace
}  // namespace berth::engine
