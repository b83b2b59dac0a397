#include "engine/access.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace berth::engine {
namespace {

using Disk = std::map<std::string, std::string>;

ReadFile reading(const Disk& disk) {
  return [&disk](const std::string& path) -> Result<std::string> {
    const auto found = disk.find(path);
    if (found == disk.end()) return fail(Code::not_found, path + ": there is no such file");
    return found->second;
  };
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

TEST(Endpoint, TakesTlsFromDockersVariables) {
  const Disk disk{{"/certs/ca.pem", "CA"}, {"/certs/cert.pem", "CERT"}, {"/certs/key.pem", "KEY"}};
  EndpointChoice choice{.address = {.docker_host = "tcp://h:2376"}, .cert_path = "/certs", .tls_verify = true};
  const auto found = choose_endpoint(choice, reading(disk));
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_TRUE(found->access.tls);
  EXPECT_EQ(found->access.tls->ca + found->access.tls->certificate + found->access.tls->key, "CACERTKEY");
  choice.tls_verify = false;
  EXPECT_EQ(choose_endpoint(choice, reading(disk)).error().code, Code::denied);
}

TEST(Endpoint, LooksIntoDockersFolderWithoutACertPath) {
  const Disk disk{{"/d/ca.pem", "CA"}, {"/d/cert.pem", "CERT"}};
  const EndpointChoice choice{.address = {.docker_host = "tcp://h:2376"}, .docker_folder = "/d", .tls_verify = true};
  const auto found = choose_endpoint(choice, reading(disk));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().message, "TLS for the engine: /d/key.pem: there is no such file");
}

TEST(Endpoint, TakesAContextsOwnFiles) {
  const Disk disk{{"/d/" + context_meta_path("far"),
                   R"({"Name":"far","Endpoints":{"docker":{"Host":"tcp://h:2376","SkipTLSVerify":false}}})"},
                  {"/d/" + context_tls_path("far") + "/ca.pem", "CA"},
                  {"/certs/ca.pem", "OTHER"}};
  const EndpointChoice choice{
      .address = {.context_flag = "far"}, .docker_folder = "/d", .cert_path = "/certs", .tls_verify = true};
  const auto found = choose_endpoint(choice, reading(disk));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->access.tls->ca, "CA");
  EXPECT_EQ(found->access.tls->certificate, "");
}

TEST(Endpoint, NamesAMissingContext) {
  const auto found = choose_endpoint({.address = {.context_flag = "none"}, .docker_folder = "/d"}, reading({}));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::not_found);
  EXPECT_TRUE(found.error().message.starts_with("there is no docker context \"none\""));
}

TEST(Ssh, AsksNothingAndForwardsNothing) {
  const auto arguments = ssh_connection(*parse_address("ssh://deploy@h:2222"), {}, "");
  const std::string text = joined(arguments);
  for (const char* wanted :
       {"BatchMode=yes", "StrictHostKeyChecking=yes", "ForwardAgent=no", "ClearAllForwardings=yes"})
    EXPECT_NE(text.find(wanted), std::string::npos) << wanted;
  EXPECT_TRUE(text.ends_with("-o ControlMaster=no -S none -p 2222 -l deploy -- h docker system dial-stdio")) << text;
  EXPECT_EQ(text.find(" -F "), std::string::npos) << "the user's own configuration holds";
}

TEST(Ssh, PinnedReadsNothingElse) {
  const SshFiles files{.pinned =
                           SshFiles::Pinned{.known_hosts = "/data/a b%/k", .alias = "berth-x", .identity = "/id"}};
  const auto arguments = ssh_login(*parse_address("ssh://h"), files, "/run/c");
  const std::string text = joined(arguments);
  for (const char* wanted :
       {"-F none", "UserKnownHostsFile=\"/data/a b%%/k\"", "GlobalKnownHostsFile=none", "HostKeyAlias=berth-x",
        "IdentityAgent=none", "IdentitiesOnly=yes", "IdentityFile=\"/id\""})
    EXPECT_NE(text.find(wanted), std::string::npos) << wanted << " in " << text;
  EXPECT_TRUE(text.ends_with("-M -N -S /run/c -- h")) << text;
}

struct Told {
  std::string errors;
  Code code;
  std::string meaning;
};
TEST(Ssh, SaysWhatToDo) {
  const Told rows[] = {
      {"@@@@@\r\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\r\nHost key verification failed.\r\n",
       Code::denied, "another key than the one that was pinned"},
      {"No ED25519 host key is known for h and you have requested strict checking.\r\nHost key verification "
       "failed.\r\n",
       Code::denied, "berth server add"},
      {"u@h: Permission denied (publickey).\r\n", Code::denied, "authorized_keys"},
      {"bash: line 1: docker: command not found\n", Code::unavailable, "no docker command"},
      {"ssh: connect to host h port 22: Connection refused\r\n", Code::unavailable,
       "ssh://u@h: ssh: connect to host h port 22: Connection refused"},
      {"Cannot connect to the Docker daemon.\r\nConnection to h closed.\r\n", Code::unavailable,
       "ssh://u@h: Cannot connect to the Docker daemon."},
      {"", Code::unavailable, "ssh ended without a reason"},
  };
  for (const Told& row : rows) {
    const auto error = explain_ssh(*parse_address("ssh://u@h"), row.errors);
    EXPECT_EQ(error.code, row.code) << row.errors;
    EXPECT_NE(error.message.find(row.meaning), std::string::npos) << error.message;
    EXPECT_EQ(error.message.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace berth::engine
