#include "edge/rule.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/text.h"

namespace berth::edge {
namespace {

std::string read_file(const std::string& name) {
  std::ifstream file(std::string(TESTDATA) + "/" + name);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(file.good() && !text.str().empty()) << name;
  return text.str();
}

std::string print(const Matcher& matcher) {
  static constexpr std::string_view kNames[] = {"host",   "host~",   "path",  "prefix", "path~", "method",
                                                "header", "header~", "query", "query~", "ip"};
  std::string out = matcher.negated ? "!" : "";
  out += kNames[static_cast<std::size_t>(matcher.kind)];
  if (!matcher.key.empty()) out += "[" + matcher.key + "]";
  if (matcher.any_value) return out;
  return out + "=" + (matcher.kind == MatcherKind::client_ip ? matcher.prefix.text() : matcher.value);
}

std::string print(const Rule& rule, const RuleNode& node) {
  if (node.kind == RuleNode::Kind::match) return print(rule.matchers[node.matcher]);
  std::string out = node.kind == RuleNode::Kind::all ? "(all" : "(any";
  for (const RuleNode& child : node.children) out += " " + print(rule, child);
  return out + ")";
}

std::string outcome(const std::string& text) {
  const auto rule = parse_rule(text);
  if (!rule) return "error: " + rule.error().text();
  std::string out = print(*rule, rule->root);
  for (const std::string& warning : rule->warnings) out += "\nwarning: " + warning;
  const auto hosts = hosts_of(*rule);
  if (!hosts.empty()) out += "\nhosts: " + join(hosts, " ");
  return out;
}

// testdata/rules.txt: a rule, a line of ten dashes, what it becomes; blocks are divided by an empty line.
// BERTH_ACCEPT=1 in the environment writes the present outcomes into the file, for review as a diff.
TEST(Rule, ParsesGoldenCases) {
  std::string rest = read_file("rules.txt"), accepted;
  int cases = 0;
  while (!rest.empty()) {
    const auto end = rest.find("\n\n");
    const std::string block = rest.substr(0, end);
    rest = end == std::string::npos ? "" : rest.substr(end + 2);
    const auto line = block.find("\n----------");
    ASSERT_NE(line, std::string::npos) << block;
    const std::string input = block.substr(0, line), expected(trim(block.substr(line + 11)));
    accepted += input + "\n----------\n" + outcome(input) + "\n\n";
    if (!getenv("BERTH_ACCEPT")) EXPECT_EQ(outcome(input), expected) << input;
    ++cases;
  }
  EXPECT_GT(cases, 40);
  if (getenv("BERTH_ACCEPT")) std::ofstream(std::string(TESTDATA) + "/rules.txt") << accepted;
}

struct Request {
  std::string host = "example.com", method = "GET", path = "/", query{}, client = "192.0.2.7";
  std::vector<std::pair<std::string, std::string>> headers{};
};

bool ask(const std::string& text, const Request& request) {
  const auto rule = parse_rule(text);
  EXPECT_TRUE(rule.has_value()) << text << ": " << rule.error().text();
  http::Fields fields;
  for (const auto& [name, value] : request.headers) fields.add({name, value});
  return rule && matches(*rule, {.host = request.host,
                                 .method = request.method,
                                 .path = request.path,
                                 .query = request.query,
                                 .client = *parse_ip(request.client),
                                 .headers = &fields});
}

TEST(Rule, HostMatches) {
  EXPECT_TRUE(ask("Host(`EXAMPLE.com`)", {}));
  EXPECT_FALSE(ask("Host(`example.org`)", {}));
  EXPECT_TRUE(ask("Host(`*`)", {.host = "anything"}));
  EXPECT_TRUE(ask("Host(`*.example.com`)", {.host = "a.example.com"}));
  EXPECT_FALSE(ask("Host(`*.example.com`)", {.host = "a.b.example.com"}));
  EXPECT_FALSE(ask("Host(`*.example.com`)", {.host = "example.com"}));
  EXPECT_FALSE(ask("Host(`*.example.com`)", {.host = ".example.com"}));
  EXPECT_TRUE(ask("Host(`a.b`, `example.com`)", {}));
  EXPECT_FALSE(ask("!Host(`a.b`, `example.com`)", {}));
  EXPECT_TRUE(ask("!Host(`a.b`, `c.d`)", {}));
}

TEST(Rule, HostRegexpIsUnanchoredAndWithoutCase) {
  EXPECT_TRUE(ask("HostRegexp(`XAMPLE`)", {}));
  EXPECT_FALSE(ask("HostRegexp(`^xample`)", {}));
  EXPECT_TRUE(ask("HostRegexp(`{sub:[a-z]+}.example.com`)", {.host = "abc.example.com"}));
  EXPECT_FALSE(ask("HostRegexp(`{sub:[a-z]+}.example.com`)", {.host = "abc.exampleXcom"}));
  EXPECT_FALSE(ask("HostRegexp(`{sub:[a-z]+}.example.com`)", {.host = "1.example.com"}));
  EXPECT_TRUE(ask("HostRegexp(`{sub:[a-z]{2,3}}.example.com`)", {.host = "ab.example.com"}));
  EXPECT_FALSE(ask("HostRegexp(`{sub}.example.com`)", {.host = "a.b.example.com"}));
}

TEST(Rule, PathsMatch) {
  EXPECT_TRUE(ask("Path(`/a`)", {.path = "/a"}));
  EXPECT_FALSE(ask("Path(`/a`)", {.path = "/a/"}));
  EXPECT_TRUE(ask("PathPrefix(`/products`)", {.path = "/products-for-sale"}));
  EXPECT_FALSE(ask("PathPrefix(`/products`)", {.path = "/product"}));
  EXPECT_TRUE(ask("PathRegexp(`\\.(jpg|png)$`)", {.path = "/x/a.png"}));
  EXPECT_FALSE(ask("PathRegexp(`\\.(jpg|png)$`)", {.path = "/x/a.pngx"}));
  EXPECT_TRUE(ask("Path(`/users/{id:[0-9]+}`)", {.path = "/users/17"}));
  EXPECT_FALSE(ask("Path(`/users/{id:[0-9]+}`)", {.path = "/users/17/edit"}));
  EXPECT_TRUE(ask("PathPrefix(`/users/{id}/`)", {.path = "/users/17/edit"}));
}

TEST(Rule, OtherMatchersMatch) {
  EXPECT_TRUE(ask("Method(`GET`)", {}));
  EXPECT_FALSE(ask("Method(`POST`)", {}));
  EXPECT_TRUE(ask("Header(`x-kind`, `a`)", {.headers = {{"X-Kind", "a"}}}));
  EXPECT_FALSE(ask("Header(`x-kind`, `A`)", {.headers = {{"X-Kind", "a"}}}));
  EXPECT_TRUE(ask("Header(`x-kind`, `b`)", {.headers = {{"X-Kind", "a"}, {"x-kind", "b"}}}));
  EXPECT_TRUE(ask("HeaderRegexp(`X-Kind`, `^v[0-9]`)", {.headers = {{"X-Kind", "v12"}}}));
  EXPECT_FALSE(ask("HeaderRegexp(`X-Kind`, `^v[0-9]`)", {}));
  EXPECT_TRUE(ask("Query(`a`)", {.query = "b=2&a"}));
  EXPECT_TRUE(ask("Query(`a`, `1 2`)", {.query = "b=2&a=1+2"}));
  EXPECT_TRUE(ask("Query(`a`, `/`)", {.query = "a=%2F"}));
  EXPECT_FALSE(ask("Query(`a`, `1`)", {.query = "a=2"}));
  EXPECT_TRUE(ask("Query(`a=1`)", {.query = "a=1"}));
  EXPECT_TRUE(ask("QueryRegexp(`a`, `^[0-9]+$`)", {.query = "a=12"}));
  EXPECT_TRUE(ask("ClientIP(`192.0.2.0/24`)", {}));
  EXPECT_FALSE(ask("ClientIP(`192.0.3.0/24`)", {}));
  EXPECT_TRUE(ask("ClientIP(`::1`)", {.client = "::1"}));
}

TEST(Rule, NegationGoesDown) {
  EXPECT_TRUE(ask("!(Host(`a`) && Path(`/`))", {}));
  EXPECT_FALSE(ask("!(Host(`a`) || Path(`/`))", {}));
  EXPECT_TRUE(ask("!!Path(`/`)", {}));
  EXPECT_TRUE(ask("Host(`a`) || Host(`example.com`) && !Path(`/x`)", {}));
}

TEST(Rule, BoundsItsInput) {
  std::string deep(100, '(');
  EXPECT_NE(outcome(deep).find("nested deeper"), std::string::npos);
  EXPECT_NE(outcome(std::string(100, '!') + "Path(`/`)").find("nested deeper"), std::string::npos);
  EXPECT_NE(outcome("Path(`/" + std::string(5000, 'a') + "`)").find("longer than 4096"), std::string::npos);
  std::string many = "Path(`/`)";
  for (int i = 0; i < 300; ++i) many += "||Path(`/`)";
  EXPECT_NE(outcome(many).find("more than 256"), std::string::npos);
}

TEST(Rule, HostsAreCanonical) {
  EXPECT_EQ(canonical_host("Example.COM:8443").value(), "example.com");
  EXPECT_EQ(canonical_host("example.com.").value(), "example.com");
  EXPECT_EQ(canonical_host("[::1]:443").value(), "::1");
  EXPECT_EQ(canonical_host("127.0.0.1").value(), "127.0.0.1");
  for (const char* wrong :
       {"", ".", "a..b", "a b", "a/b", "x@y", "[::1", "[::1]x", "a:b", "a:123456", "a.*.b", "*a.b"}) {
    EXPECT_FALSE(canonical_host(wrong).has_value()) << wrong;
  }
  EXPECT_FALSE(canonical_host(std::string(64, 'a') + ".b").has_value());
}

TEST(Ip, ParsesAndPrints) {
  EXPECT_EQ(parse_ip("10.1.2.3")->text(), "10.1.2.3");
  EXPECT_EQ(parse_ip("::ffff:10.1.2.3").value(), parse_ip("10.1.2.3").value());
  EXPECT_EQ(parse_ip("[2001:db8::1]")->text(), "2001:db8::1");
  EXPECT_EQ(parse_cidr("10.1.2.3/8")->text(), "10.0.0.0/8");
  EXPECT_EQ(parse_cidr("2001:db8:ffff::/33")->text(), "2001:db8:8000::/33");
  EXPECT_TRUE(parse_cidr("2001:db8::/33")->contains(*parse_ip("2001:db8:7fff::1")));
  EXPECT_FALSE(parse_cidr("2001:db8::/33")->contains(*parse_ip("2001:db8:8000::1")));
  EXPECT_TRUE(parse_ip("127.3.0.1")->is_loopback());
  EXPECT_TRUE(parse_ip("::1")->is_loopback());
  EXPECT_FALSE(parse_ip("128.0.0.1")->is_loopback());
  for (const char* wrong : {"", "1.2.3", "1.2.3.4.5", "01.2.3.4", "g::", "1.2.3.4/33"}) {
    EXPECT_FALSE(parse_cidr(wrong).has_value()) << wrong;
  }
}

TEST(Constraints, LookAtLabels) {
  const std::vector<std::pair<std::string, std::string>> labels{{"tier", "public"}, {"Env", "prod-1"}};
  const RequestFacts facts{
      .host = {}, .method = {}, .path = {}, .query = {}, .client = {}, .headers = nullptr, .labels = &labels};
  const auto fits = [&](std::string_view text) {
    const auto rule = parse_rule(text, RuleKind::labels);
    return rule ? matches(*rule, facts) ? "yes" : "no" : rule.error().message;
  };
  EXPECT_EQ(fits("Label(`tier`, `public`)"), "yes");
  EXPECT_EQ(fits("Label(`tier`, `publi`)"), "no");
  EXPECT_EQ(fits("Label(`env`, `prod-1`)"), "no") << "labels have case";
  EXPECT_EQ(fits("!Label(`none`, `x`) && (LabelRegex(`Env`, `^prod`) || Label(`tier`, `x`))"), "yes");
  EXPECT_EQ(fits("!(Label(`tier`, `public`) || Label(`tier`, `x`))"), "no");
  EXPECT_EQ(fits("LabelRegex(`tier`, `blic$`)"), "yes");
  EXPECT_EQ(fits("Label(`tier`)"), "1:1: Label takes 2 arguments, got 1");
  EXPECT_EQ(fits("LabelRegexp(`tier`, `a`)"), "1:1: unknown matcher LabelRegexp (did you mean \"LabelRegex\"?)");
  EXPECT_EQ(fits("Label(`a`, `b`) & Label(`c`, `d`)"), "1:17: write && for \"and\", || for \"or\"");
  EXPECT_EQ(fits(""), "1:1: is empty: write a matcher such as Label(`name`, `value`)");
  EXPECT_FALSE(matches(*parse_rule("Label(`tier`, `public`)", RuleKind::labels), {}));
  EXPECT_FALSE(parse_rule("Label(`tier`, `public`)").has_value()) << "no matcher of routers";
}

TEST(Rule, SaysWhatKeepsItFromMatching) {
  const http::Fields fields = [] {
    http::Fields out;
    out.add({"X-Team", "red"});
    return out;
  }();
  const RequestFacts facts{.host = "a.test",
                           .method = "GET",
                           .path = "/x",
                           .query = "q=1",
                           .client = parse_ip("10.0.0.1").value(),
                           .headers = &fields};
  const auto why = [&](std::string_view text) { return mismatch(parse_rule(text).value(), facts); };
  EXPECT_EQ(why("Host(`a.test`) && Header(`X-Team`, `red`)"), "");
  EXPECT_EQ(why("Host(`a.test`) && Header(`X-Team`, `blue`) && Method(`POST`)"), "Header(`x-team`, `blue`)");
  EXPECT_EQ(why("Host(`b.test`) || Method(`POST`)"), "Host(`b.test`), Method(`POST`)");
  EXPECT_EQ(why("!ClientIP(`10.0.0.0/8`)"), "!ClientIP(`10.0.0.0/8`)");
  EXPECT_EQ(why("Query(`p`)"), "Query(`p`)");
  EXPECT_EQ(why("!(Path(`/x`) && Query(`q`, `1`))"), "!Path(`/x`), !Query(`q`, `1`)");
}

}  // namespace
}  // namespace berth::edge
