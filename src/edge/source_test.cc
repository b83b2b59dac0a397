#include "edge/source.h"

#include <gtest/gtest.h>

namespace berth::edge {
namespace {

struct From {
  std::string text;
  http::RequestHead head;
  Hop hop;
  std::vector<Cidr> trusted{*parse_cidr("10.0.0.0/8")};
  Ip client;

  From(std::string_view peer, std::string_view fields)
      : text("GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n"), client(*parse_ip(peer)) {
    hop.peer = client;
    EXPECT_EQ(http::parse_request(text, head).state, http::Parsed::State::complete);
  }
  Sender sender() const { return {hop, head.fields, "a", client, trusted}; }
  std::string address(const IpStrategy& strategy) const {
    const auto ip = address_by(strategy, sender());
    return ip ? ip->text() : "none";
  }
};

TEST(Source, AddressByStrategy) {
  const From proxied("10.0.0.1", "X-Forwarded-For: 1.1.1.1, 2.2.2.2\r\nX-Forwarded-For: 3.3.3.3\r\n");
  EXPECT_EQ(proxied.address({}), "10.0.0.1");
  EXPECT_EQ(proxied.address({.depth = 1}), "3.3.3.3");
  EXPECT_EQ(proxied.address({.depth = 3}), "1.1.1.1");
  EXPECT_EQ(proxied.address({.depth = 4}), "none");
  EXPECT_EQ(proxied.address({.excluded = {*parse_cidr("3.3.3.3"), *parse_cidr("2.0.0.0/8")}}), "1.1.1.1");
  EXPECT_EQ(proxied.address({.excluded = {*parse_cidr("0.0.0.0/0")}}), "none");
  const From direct("192.0.2.1", "X-Forwarded-For: 1.1.1.1\r\n");
  EXPECT_EQ(direct.address({.depth = 1}), "192.0.2.1");
  const From broken("10.0.0.1", "X-Forwarded-For: 1.1.1.1, nonsense, 2.2.2.2\r\n");
  EXPECT_EQ(broken.address({.depth = 2}), "none");
}

TEST(Source, GroupsAddressesOfIpv6) {
  const auto source = [](std::string_view peer, std::uint32_t bits) {
    return source_of({.ip = {.ipv6_subnet = bits}}, From(peer, "").sender());
  };
  EXPECT_EQ(source("2001:db8::1", 0), source("2001:db8::2", 0));
  EXPECT_NE(source("2001:db8::1", 0), source("2001:db8:0:1::1", 0));
  EXPECT_EQ(source("2001:db8:0:1::1", 56), source("2001:db8::1", 56));
  EXPECT_NE(source("2001:db8::1", 128), source("2001:db8::2", 128));
  EXPECT_NE(source("192.0.2.1", 0), source("192.0.2.2", 0));
}

TEST(Source, ByHeaderCookieAndHost) {
  const From a("192.0.2.1", "X-User: u\r\nCookie: x=1; id=7\r\n"), b("192.0.2.2", "X-User: u\r\nCookie: id=7\r\n"),
      c("192.0.2.2", "X-User: v\r\nCookie: idx=7\r\n");
  for (const SourceCriterion& by : {SourceCriterion{.header = "X-User"}, SourceCriterion{.cookie = "id"}}) {
    EXPECT_EQ(source_of(by, a.sender()), source_of(by, b.sender()));
    EXPECT_NE(source_of(by, a.sender()), source_of(by, c.sender()));
  }
  EXPECT_EQ(source_of({.host = true}, a.sender()), source_of({.host = true}, c.sender()));
}

}  // namespace
}  // namespace berth::edge
