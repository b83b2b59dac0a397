#include "http/url.h"

#include <gtest/gtest.h>

namespace berth::http {
namespace {

TEST(Percent, EncodesAllButUnreserved) {
  EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encode("a/b c+d%\xc3\xa4"), "a%2Fb%20c%2Bd%25%C3%A4");
}

TEST(Percent, Decodes) {
  EXPECT_EQ(percent_decode("a%2Fb%20c+d").value_or("?"), "a/b c+d");
  EXPECT_EQ(percent_decode("%e4").value_or("?"), "\xe4");
  for (const char* bad : {"%", "%4", "a%zz", "%4g"}) EXPECT_EQ(percent_decode(bad).error().code, Code::invalid) << bad;
}

TEST(Query, RoundTrip) {
  const std::vector<std::pair<std::string, std::string>> pairs = {{"a", "1 2"}, {"a", "x&y=z"}, {"", ""}};
  const std::string text = encode_query(pairs);
  EXPECT_EQ(text, "a=1%202&a=x%26y%3Dz&=");
  EXPECT_EQ(*decode_query(text), pairs);
}

TEST(Query, ReadsFormsAndFlags) {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(*decode_query("a+b=c%2Bd&&e"), (Pairs{{"a b", "c+d"}, {"e", ""}}));
  EXPECT_EQ(decode_query("a=%z").error().code, Code::invalid);
  EXPECT_TRUE(decode_query("")->empty());
}

struct Good {
  std::string text, scheme, host;
  int port;
  std::string target, authority;
};
TEST(Url, Parses) {
  const Good cases[] = {
      {"http://Example.ORG", "http", "example.org", 80, "/", "example.org"},
      {"HTTPS://a:8443/b?c=d#e", "https", "a", 8443, "/b?c=d", "a:8443"},
      {"https://[::1]/", "https", "::1", 443, "/", "[::1]"},
      {"http://[::1]:81?x", "http", "::1", 81, "/?x", "[::1]:81"},
      {"http://a:/", "http", "a", 80, "/", "a"},
  };
  for (const Good& good : cases) {
    const auto url = parse_url(good.text);
    ASSERT_TRUE(url) << good.text;
    EXPECT_EQ(url->scheme, good.scheme);
    EXPECT_EQ(url->host, good.host);
    EXPECT_EQ(url->port, good.port);
    EXPECT_EQ(url->target(), good.target);
    EXPECT_EQ(url->authority(), good.authority);
  }
}

TEST(Url, Refuses) {
  for (const char* bad : {"", "a", "//a", "ftp://a", "http://", "http:///x", "http://a b", "http://a\n", "http://a:b",
                          "http://a:70000", "http://[::1", "http://ä"})
    EXPECT_EQ(parse_url(bad).error().code, Code::invalid) << bad;
}

TEST(Url, NeverPrintsAPassword) {
  const auto url = parse_url("https://user:secret@host/");
  ASSERT_FALSE(url);
  EXPECT_EQ(url.error().text().find("secret"), std::string::npos);
}

TEST(WebSocket, AcceptsAsTheRfcShows) {
  EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

}  // namespace
}  // namespace berth::http
