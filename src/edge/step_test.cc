#include "edge/step.h"

#include <gtest/gtest.h>

namespace berth::edge {
namespace {

std::string after(std::vector<Middleware> middlewares, std::string_view path) {
  const std::string text = "GET " + std::string(path) + "?q=1 HTTP/1.1\r\nHost: a:8443\r\n\r\n";
  http::RequestHead head;
  EXPECT_EQ(http::parse_request(text, head).state, http::Parsed::State::complete);
  Rewritten rewritten;
  rewritten.begin(path);
  const Hop hop{.listener = Listener::web, .peer = *parse_ip("192.0.2.1"), .peer_text = "192.0.2.1", .server = "me"};
  for (const Middleware& each : middlewares) {
    const Verdict verdict = take_step(each, {head, path, hop}, rewritten);
    if (verdict.status != 0) return std::to_string(verdict.status) + " " + verdict.location;
  }
  return rewritten.path + (rewritten.stripped.empty() ? "" : " without " + rewritten.stripped);
}

Pattern pattern(std::string text) {
  auto regex = compile_regex(text, {.captures = true}).value();
  return {std::move(text), std::move(regex)};
}

TEST(Step, RewritesInOrder) {
  const Middleware strip{"s", StripPrefix{.prefixes = {"/api", "/v1"}}}, add{"a", AddPrefix{"/base"}};
  EXPECT_EQ(after({strip}, "/api/x"), "/x without /api");
  EXPECT_EQ(after({strip}, "/api"), "/ without /api");
  EXPECT_EQ(after({strip}, "/apix"), "/x without /api");
  EXPECT_EQ(after({strip}, "/other"), "/other");
  EXPECT_EQ(after({strip, add}, "/v1/x"), "/base/x without /v1");
  EXPECT_EQ(after({strip, strip}, "/api/v1/x"), "/x without /api/v1");
  EXPECT_EQ(after({{"r", RedirectScheme{"https", "", true}}}, "/x"), "301 https://a/x?q=1");
  EXPECT_EQ(after({{"r", RedirectScheme{"https", "444", false}}}, "/x"), "302 https://a:444/x?q=1");
  EXPECT_EQ(after({{"r", RedirectScheme{"http", "", false}}}, "/x"), "/x");
}

TEST(Step, RefusesAPathThatChangesItsMeaning) {
  const Middleware strip{"s", StripPrefix{.prefixes = {"/api"}}};
  EXPECT_EQ(after({strip}, "/api../admin"), "400 ");
  EXPECT_EQ(after({strip}, "/api./x"), "400 ");
  const Middleware regex{"s", StripPrefixRegex{{pattern("/[a-z]+")}}};
  EXPECT_EQ(after({regex}, "/api../admin"), "400 ");
  EXPECT_EQ(after({regex}, "/x/api"), "/api without /x");
  EXPECT_EQ(after({regex}, "/1/api"), "/1/api");
  for (const char* to : {"/a/../b", "/a//b", "/a?b", "/a#b", "/%41", "/a%2fb", "a", "", "/a b", "/a\r\nX: y", "/\\"}) {
    EXPECT_EQ(after({{"r", ReplacePathRegex{pattern("^/x$"), to}}}, "/x"), "400 ") << to;
  }
}

TEST(Step, CannotRedirectIntoAnotherField) {
  EXPECT_EQ(after({{"r", RedirectRegex{pattern(".*"), "https://b/\r\nX: y", false}}}, "/x"), "400 ");
  EXPECT_EQ(after({{"r", RedirectRegex{pattern("^(http)://a:8443/(.*)$"), "${1}s://b/$2$$", true}}}, "/x"),
            "301 https://b/x?q=1$");
  EXPECT_EQ(after({{"r", RedirectRegex{pattern("nothing"), "x", false}}}, "/x"), "/x");
}

TEST(Regex, ReplacesAsGoDoes) {
  const auto all = [](std::string_view regex, std::string_view text, std::string_view to) {
    return replace(*compile_regex(regex, {.captures = true}).value(), text, to).value_or("too long");
  };
  EXPECT_EQ(all("a", "banana", "o"), "bonono");
  EXPECT_EQ(all("(?P<x>a)(n)", "banana", "${x}1$2"), "ba1na1na");
  EXPECT_EQ(all("a", "cat", "$1x${nothing}-"), "c-t");
  EXPECT_EQ(all("a", "cat", "$$ $"), "c$ $t");
  EXPECT_EQ(all("x*", "abc", "-"), "-a-b-c-");
  EXPECT_EQ(all("", std::string(10000, 'a'), "0123456789"), "too long");
  // Nested repetition takes linear time.
  EXPECT_EQ(all("^(a+)+$", std::string(5000, 'a') + "b", "x"), std::string(5000, 'a') + "b");
}

}  // namespace
}  // namespace berth::edge
