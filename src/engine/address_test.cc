#include "engine/address.h"

#include <gtest/gtest.h>

namespace berth::engine {
namespace {

using Kind = Address::Kind;

TEST(Address, ParsesEachForm) {
  EXPECT_EQ(*parse_address("unix:///var/run/docker.sock"), (Address{.path = "/var/run/docker.sock"}));
  EXPECT_EQ(*parse_address("/tmp/x.sock"), (Address{.path = "/tmp/x.sock"}));
  EXPECT_EQ(*parse_address("tcp://h"), (Address{.kind = Kind::tcp, .host = "h", .port = 2375}));
  EXPECT_EQ(*parse_address("tcp://10.0.0.1:2376/"), (Address{.kind = Kind::tcp, .host = "10.0.0.1", .port = 2376}));
  EXPECT_EQ(*parse_address("tcp://[::1]:2376"), (Address{.kind = Kind::tcp, .host = "::1", .port = 2376}));
  EXPECT_EQ(*parse_address("ssh://root@h:2222"),
            (Address{.kind = Kind::ssh, .host = "h", .user = "root", .port = 2222}));
  EXPECT_EQ(*parse_address("ssh://h"), (Address{.kind = Kind::ssh, .host = "h", .port = 22}));
}

TEST(Address, TextIsReadBack) {
  for (const char* text : {"unix:///a/b", "tcp://h:2375", "tcp://[::1]:1", "ssh://u@h", "ssh://h:23"})
    EXPECT_EQ(parse_address(text)->text(), text);
}

TEST(Address, Refuses) {
  for (const char* bad :
       {"", "docker.sock", "unix://", "unix://relative", "tcp://", "tcp://h:0", "tcp://h:x", "tcp://h:99999",
        "tcp://[::1", "tcp://-oProxyCommand=x", "ssh://-oProxyCommand=x", "ssh://a b@h", "ssh://a;b@h", "ssh://-l@h",
        "ssh://h/path", "ssh://@h", "npipe:////./pipe/docker", "fd://", "http://h"}) {
    const auto address = parse_address(bad);
    ASSERT_FALSE(address) << bad;
    EXPECT_EQ(address.error().code, Code::invalid);
  }
  EXPECT_EQ(parse_address("npipe://x").error().message,
            "engine address \"npipe://x\": scheme npipe is not read; berth reads unix:///path/of.sock, tcp://host:port "
            "or ssh://user@host");
}

TEST(Address, NeverPrintsAPassword) {
  EXPECT_EQ(parse_address("ssh://u:secret@h").error().text().find("secret"), std::string::npos);
}

TEST(Address, PlainTcpOnlyToThisMachine) {
  for (const char* text : {"unix:///a", "ssh://h", "tcp://localhost:1", "tcp://127.0.0.1:1", "tcp://[::1]:1"})
    EXPECT_TRUE(check_reachable(*parse_address(text), false)) << text;
  for (const char* text : {"tcp://h:2376", "tcp://127.0.0.1.example.org", "tcp://10.0.0.1", "tcp://[fe80::1]:1"}) {
    EXPECT_EQ(check_reachable(*parse_address(text), false).error().code, Code::denied) << text;
    EXPECT_TRUE(check_reachable(*parse_address(text), true)) << text;
  }
  EXPECT_NE(check_reachable(*parse_address("tcp://h:2376"), false).error().message.find("DOCKER_TLS_VERIFY=1"),
            std::string::npos);
}

struct Row {
  std::string name;
  AddressChoice choice;
  std::string address, context;
};
TEST(Choice, FollowsDockersOrder) {
  const std::string config = R"({"currentContext": "cur"})";
  const Row rows[] = {
      {"nothing", {}, "unix:///var/run/docker.sock", ""},
      {"host flag", {.host_flag = "H", .docker_host = "D", .docker_context = "C", .config = config}, "H", ""},
      {"context flag", {.context_flag = "F", .docker_host = "D", .docker_context = "C", .config = config}, "", "F"},
      {"DOCKER_HOST", {.docker_host = "D", .docker_context = "C", .config = config}, "D", ""},
      {"DOCKER_CONTEXT", {.docker_context = "C", .config = config}, "", "C"},
      {"current", {.config = config}, "", "cur"},
      {"default", {.docker_context = "default", .config = config}, "unix:///var/run/docker.sock", ""},
      {"default beside host", {.context_flag = "default", .docker_host = "D"}, "D", ""},
      {"config without one", {.config = R"({"auths": {}})"}, "unix:///var/run/docker.sock", ""},
  };
  for (const Row& row : rows) {
    const auto chosen = choose_address(row.choice);
    ASSERT_TRUE(chosen) << row.name;
    EXPECT_EQ(chosen->address, row.address) << row.name;
    EXPECT_EQ(chosen->context, row.context) << row.name;
  }
  EXPECT_EQ(choose_address({.host_flag = "H", .context_flag = "C"}).error().code, Code::invalid);
  EXPECT_EQ(choose_address({.config = "{"}).error().code, Code::invalid);
}

TEST(Context, ReadsDockersFiles) {
  EXPECT_EQ(context_meta_path("wh1"),
            "contexts/meta/96cc3367601a1db95f3cbc885afdb8147e7ce9bff6c341fbcb0f178005982f29/meta.json");
  const std::string meta =
      R"({"Name":"wh1","Metadata":{},"Endpoints":{"docker":{"Host":"ssh://u@h","SkipTLSVerify":false}}})";
  EXPECT_EQ(parse_context_meta("wh1", meta).value_or("?"), "ssh://u@h");
  EXPECT_EQ(parse_context_meta("other", meta).error().code, Code::invalid);
  EXPECT_EQ(parse_context_meta("a", R"({"Name":"a"})").error().message, "docker context \"a\": has no docker endpoint");
  EXPECT_EQ(parse_context_meta("a", "[]").error().code, Code::invalid);
}

}  // namespace
}  // namespace berth::engine
