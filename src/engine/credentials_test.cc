#include "engine/credentials.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "base/base64.h"
#include "base/json.h"
#include "io/file.h"
#include "io/loop.h"

namespace berth::engine {
namespace {

TEST(Base64, RoundTrip) {
  std::string text;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(*decode_base64(encode_base64(text)), text);
    EXPECT_EQ(*decode_base64(encode_base64(text, Base64::url)), text);
    text += static_cast<char>(i * 7);
  }
  EXPECT_EQ(encode_base64("f"), "Zg==");
  EXPECT_EQ(encode_base64("fo"), "Zm8=");
  EXPECT_EQ(encode_base64("foo"), "Zm9v");
  EXPECT_EQ(encode_base64("\xfb\xff", Base64::url), "-_8=");
  EXPECT_EQ(*decode_base64("Zg"), "f");
  for (const char* bad : {"Z", "Zg=", "Zg===", "Z g=", "Zm9v\n", "===="}) EXPECT_FALSE(decode_base64(bad)) << bad;
}

TEST(RegistryKey, IsOneNameForEachForm) {
  for (const char* hub : {"docker.io", "https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io"})
    EXPECT_EQ(registry_key(hub), "docker.io");
  for (const char* own : {"host:5000", "http://host:5000", "https://Host:5000/v2/"})
    EXPECT_EQ(registry_key(own), "host:5000");
}

TEST(RegistryKey, IsReadFromWhatAPersonWrites) {
  for (const char* hub : {"docker.io", "https://index.docker.io/v1/", "Docker.IO", "registry-1.docker.io/"})
    EXPECT_EQ(parse_registry(hub).value_or(""), "docker.io") << hub;
  for (const char* own : {"host:5000", "http://host:5000/", "https://Host:5000/v2/", "HOST:5000/v2"})
    EXPECT_EQ(parse_registry(own).value_or(""), "host:5000") << own;
  EXPECT_EQ(parse_registry("localhost").value_or(""), "localhost");
  for (const char* bad :
       {"", "https://", "name", "user@host.example", "host.example/team", "host:port", "a b.example",
        "host.example:5000/v2/x", "-a.example", "http://user:secret@host.example/", "ftp://h.example"})
    EXPECT_EQ(parse_registry(bad).value_or("refused"), "refused") << bad;
  EXPECT_EQ(registry_server("docker.io"), "https://index.docker.io/v1/");
  EXPECT_EQ(registry_server("host:5000"), "host:5000");
}

const char* const kConfig = R"({
  "auths": {
    "https://index.docker.io/v1/": {"auth": "dXNlcjpwYTpzcw=="},
    "ghcr.io": {"auth": "", "identitytoken": "tok"},
    "plain.example": {"username": "u", "password": "p"},
    "empty.example": {}
  },
  "credHelpers": {"helped.example": "pass", "evil.example": "../../tmp/x"},
  "credsStore": ""
})";

TEST(DockerConfig, IsRead) {
  const auto config = parse_docker_config(kConfig);
  ASSERT_TRUE(config);
  ASSERT_EQ(config->stored.size(), 3u);
  EXPECT_EQ(config->stored.at("docker.io").user, "user");
  EXPECT_EQ(config->stored.at("docker.io").password, "pa:ss");
  EXPECT_EQ(config->stored.at("docker.io").server, "https://index.docker.io/v1/");
  EXPECT_EQ(config->stored.at("ghcr.io").identity_token, "tok");
  EXPECT_EQ(config->stored.at("plain.example").user, "u");
  EXPECT_EQ(helper_program(*config, "https://helped.example/v2/"), "docker-credential-pass");
  EXPECT_EQ(helper_program(*config, "evil.example"), "");
  EXPECT_EQ(helper_program(*config, "other"), "");
  EXPECT_TRUE(parse_docker_config("")->stored.empty());
}

TEST(DockerConfig, ErrorsNameTheRegistryAndNoSecret) {
  EXPECT_EQ(parse_docker_config("{").error().code, Code::invalid);
  const auto bad = parse_docker_config(R"({"auths": {"h": {"auth": "c2VjcmV0"}}})");
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().message.find("auth of h"), std::string::npos);
  EXPECT_EQ(bad.error().text().find("c2VjcmV0"), std::string::npos);
  EXPECT_EQ(bad.error().text().find("secret"), std::string::npos);
}

TEST(RegistryAuth, IsWhatTheEngineReads) {
  EXPECT_EQ(registry_auth(std::nullopt), "");
  const std::string header = registry_auth(Credentials{.server = "h", .user = "u", .password = "p\xff?>"});
  EXPECT_EQ(header.find_first_of("+/"), std::string::npos);
  const auto json = parse_json(*decode_base64(header));
  ASSERT_TRUE(json);
  EXPECT_EQ((*json)["username"].text(), "u");
  EXPECT_EQ((*json)["serveraddress"].text(), "h");
  const auto token = parse_json(*decode_base64(registry_auth(Credentials{.server = "h", .identity_token = "t"})));
  EXPECT_EQ((*token)["identitytoken"].text(), "t");
  EXPECT_FALSE(token->contains("password"));
}

TEST(RegistryConfig, ListsServers) {
  EXPECT_EQ(registry_config({}), "");
  const auto json = parse_json(*decode_base64(registry_config(parse_docker_config(kConfig)->stored)));
  EXPECT_EQ((*json)["https://index.docker.io/v1/"]["password"].text(), "pa:ss");
}

TEST(Helper, AnswersAreRead) {
  const auto plain = parse_helper_answer("h", R"({"ServerURL":"h","Username":"u","Secret":"s"})");
  EXPECT_EQ(plain->user, "u");
  EXPECT_EQ(plain->password, "s");
  EXPECT_EQ(parse_helper_answer("h", R"({"Username":"<token>","Secret":"s"})")->identity_token, "s");
  const auto bad = parse_helper_answer("h", "hunter2 is no JSON");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().text().find("hunter2"), std::string::npos);
}

// Helpers as programs: a script that reads the server from its input.
class HelperProgram : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "helpersXXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    path_ = ::getenv("PATH");
    ::setenv("PATH", (folder_ + ":" + path_).c_str(), 1);
  }
  void TearDown() override {
    ::setenv("PATH", path_.c_str(), 1);
    std::filesystem::remove_all(folder_);
  }
  Result<std::optional<Credentials>> ask(const std::string& script, const std::string& image) {
    EXPECT_TRUE(io::write_file(folder_ + "/docker-credential-test", "#!/bin/sh\n" + script, 0755));
    io::Loop loop;
    return loop.run(find_credentials(DockerConfig{.store = "test"}, image));
  }
  std::string folder_, path_;
};

TEST_F(HelperProgram, GetsTheServerOnItsInput) {
  const auto found =
      ask("read server; [ \"$1\" = get ] && printf '{\"Username\":\"%s\",\"Secret\":\"s\"}' \"$server\"", "debian");
  ASSERT_TRUE(found) << found.error().text();
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->user, "https://index.docker.io/v1/");
  const auto own = ask("read server; printf '{\"Username\":\"%s\",\"Secret\":\"s\"}' \"$server\"", "host:5000/app");
  EXPECT_EQ((*own)->user, "host:5000");
}

TEST_F(HelperProgram, MayKnowNothing) {
  const auto found = ask("echo 'credentials not found in native keychain'; exit 1", "debian");
  ASSERT_TRUE(found);
  EXPECT_FALSE(*found);
}

TEST_F(HelperProgram, FailsWithItsWords) {
  const auto found = ask("echo 'the vault is locked'; exit 1", "debian");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::denied);
  EXPECT_NE(found.error().message.find("the vault is locked"), std::string::npos);
}

TEST(FindCredentials, AMissingHelperIsNamed) {
  io::Loop loop;
  const auto found = loop.run(find_credentials(DockerConfig{.store = "no-such-helper"}, "debian"));
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message.find("docker-credential-no-such-helper"), std::string::npos);
}

TEST(FindCredentials, FallsBackToStoredOnes) {
  io::Loop loop;
  DockerConfig config;
  config.stored["ghcr.io"] = {.server = "ghcr.io", .user = "u", .password = "p"};
  EXPECT_EQ((*loop.run(find_credentials(config, "ghcr.io/a/b")))->user, "u");
  EXPECT_FALSE(*loop.run(find_credentials(config, "debian")));
}

}  // namespace
}  // namespace berth::engine
