#include "compose/short.h"

#include <gtest/gtest.h>

#include "compose/canonical.h"

namespace berth::compose {
namespace {

std::string ports(std::string_view text) {
  const auto parsed = parse_ports(text);
  if (!parsed) return parsed.error().message;
  std::string out;
  for (const Port& port : *parsed)
    out += port.host_ip + "|" + port.published + "|" + std::to_string(port.target) + "/" + port.protocol + " ";
  return out;
}

TEST(Short, Ports) {
  EXPECT_EQ(ports("80"), "||80/tcp ");
  EXPECT_EQ(ports("[::1]:8080:80/UDP"), "::1|8080|80/udp ");
  EXPECT_EQ(ports("8000-8001:80-81"), "|8000|80/tcp |8001|81/tcp ");
  EXPECT_EQ(ports("8000-8009:80"), "|8000-8009|80/tcp ");
  EXPECT_EQ(ports("9-10"), "||10/tcp ||9/tcp ");
}

TEST(Short, PortsThatAreWrong) {
  EXPECT_EQ(ports("80:http"), "invalid port \"80:http\": invalid containerPort: http");
  EXPECT_EQ(ports("a:80"), "invalid port \"a:80\": invalid hostPort: a");
  EXPECT_EQ(ports("localhost:80:80"), "invalid port \"localhost:80:80\": invalid IP address: localhost");
  EXPECT_EQ(ports("80/quic"), "invalid port \"80/quic\": the protocol must be tcp, udp or sctp, not quic");
  for (const auto* const bad : {"", "80:", "65536", "-1", "2-1", "1-9:1-8", "256.1.1.1:1:1", "[::1:1:1"})
    EXPECT_FALSE(parse_ports(bad)) << bad;
}

std::string volume(std::string_view text) {
  const auto mount = parse_volume(text);
  return mount ? to_json(volume_node(*mount, {})).dump() : mount.error().message;
}

TEST(Short, Volumes) {
  EXPECT_EQ(volume("data:/x"), R"({"type":"volume","source":"data","target":"/x","volume":{}})");
  EXPECT_EQ(volume("./a:/x:ro,z"),
            R"({"type":"bind","source":"./a","target":"/x","read_only":true,"bind":{"selinux":"z"}})");
  EXPECT_EQ(volume("data:/x:nocopy"), R"({"type":"volume","source":"data","target":"/x","volume":{"nocopy":true}})");
  EXPECT_EQ(volume("C:\\a:/x"), R"({"type":"bind","source":"C:\\a","target":"/x","bind":{}})");
  EXPECT_EQ(volume("${A:-b}:/x"), R"({"type":"volume","source":"${A:-b}","target":"/x","volume":{}})");
  EXPECT_EQ(volume("aa::/x"), "invalid volume \"aa::/x\": empty section between colons");
  EXPECT_EQ(volume("aa:/x:ro:z"), "invalid volume \"aa:/x:ro:z\": too many colons");
}

TEST(Short, Addresses) {
  for (const auto* const good : {"1.2.3.4", "::", "::1", "2001:db8::1", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4"})
    EXPECT_TRUE(is_ip(good)) << good;
  for (const auto* const bad :
       {"", "1.2.3", "1.2.3.256", "01.2.3.4", "::1::", "1:2:3:4:5:6:7", "12345::", "g::", "[::1]"})
    EXPECT_FALSE(is_ip(bad)) << bad;
}

TEST(Short, Paths) {
  EXPECT_EQ(clean_path("/a/./b//../c/"), "/a/c");
  EXPECT_EQ(clean_path("a/../../b"), "../b");
  EXPECT_EQ(clean_path("/.."), "/");
  EXPECT_EQ(clean_path("./"), ".");
  EXPECT_EQ(join_path("/a", "../b"), "/b");
  EXPECT_EQ(join_path("/a", "/b"), "/b");
  EXPECT_EQ(parent_path("/a"), "/");
  EXPECT_EQ(relative_path("/a/b", "/a/c/d"), "../c/d");
  EXPECT_EQ(relative_path("/", "/a"), "a");
  EXPECT_EQ(relative_path("/a", "/a"), ".");
}

}  // namespace
}  // namespace berth::compose
