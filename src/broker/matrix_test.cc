// Every operation, under every named policy, in every mutation of its request: a mutation is refused, or it is decided
// and sent on exactly as the plain request is.
#include <gtest/gtest.h>

#include <cstdio>

#include "base/text.h"
#include "broker/decide.h"

namespace berth::broker {
namespace {

constexpr Versions kVersions{.oldest = 24, .newest = 41};

std::string plain_path(const Operation& operation) {
  std::string path(operation.path);
  path = replace_all(path, "{id}", "web-1");
  return replace_all(path, "{image}", "team/app:1");
}

std::string plain_body(const Operation& operation) {
  if (operation.body == "network") return R"({"Name":"n"})";
  if (operation.body.starts_with("network-")) return R"({"Container":"web-1"})";
  return is_list(operation.body) ? "[]" : "{}";
}

struct Case {
  std::string method, target, body;
  bool upgrade = false;
  std::string content_type = "application/json";
  std::string content_encoding{};
  bool browser = false;
};

struct Outcome {
  bool allowed;
  std::string sent;  ///< method, target and body
  std::string rule;
};

Outcome decide(const Policy& policy, const Case& given) {
  Verdict verdict = decide_head(policy, kVersions,
                                {.method = given.method,
                                 .target = given.target,
                                 .has_body = !given.body.empty(),
                                 .wants_upgrade = given.upgrade,
                                 .content_type = given.content_type,
                                 .content_encoding = given.content_encoding,
                                 .from_browser = given.browser});
  if (verdict.allowed() && !streams_body(*verdict.match.operation))
    verdict = decide_body(policy, std::move(verdict), given.body);
  if (!verdict.allowed()) return {false, "", verdict.rule};
  return {true, std::string(verdict.match.operation->method) + " " + verdict.target(kVersions) + " " + verdict.body,
          ""};
}

// Each character of `text` in turn written as %XX, the first `most` of them.
void add_escapes(const Case& plain, std::vector<Case>& out, std::size_t most) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  for (std::size_t i = 0; i < plain.target.size() && i < most; ++i) {
    Case each = plain;
    const auto byte = static_cast<unsigned char>(plain.target[i]);
    each.target.replace(i, 1, std::string("%") + kHex[byte >> 4] + kHex[byte & 15]);
    out.push_back(each);
  }
}

void add_paths(const Case& plain, std::vector<Case>& out) {
  const std::string& path = plain.target;
  const auto first = path.find('/', 1);
  const std::string head = path.substr(0, first), tail = first == std::string::npos ? "" : path.substr(first);
  std::string upper = path;
  upper[1] = static_cast<char>(std::toupper(upper[1]));
  const std::string tricks[] = {"/" + path,
                                "/." + path,
                                "/x/.." + path,
                                "/%2e" + path,
                                "/%2e%2e" + path,
                                "/..%2f" + path,
                                path + "/",
                                path + "//",
                                path + "/.",
                                path + "/..",
                                path + "%00",
                                path + "%20",
                                path + "%0d%0a",
                                path + "%2f",
                                path + "%252f",
                                path + ";a=b",
                                path + "#x",
                                path + "\\",
                                path + "\t",
                                head + "//" + tail,
                                head + "%2F" + tail,
                                head + "\\" + tail,
                                upper,
                                "http://evil" + path,
                                "https://evil" + path,
                                "evil" + path,
                                "*",
                                path.substr(1),
                                head + "/a/../" + tail,
                                "/\xEF\xBC\x8F" + path.substr(1),
                                path + "\xC2\xA0",
                                head + "/%c0%af" + tail};
  for (const std::string& trick : tricks) {
    Case each = plain;
    each.target = trick;
    out.push_back(each);
  }
}

void add_versions(const Case& plain, std::vector<Case>& out) {
  for (const char* version :
       {"/v1.41",       "/v1.24",  "/v1.30",     "/v1.23",  "/v1.12",  "/v1.42", "/v1.99", "/v1.41.0.0",
        "/v0001.41",    "/v1.041", "/V1.41",     "/v1",     "/v1.",    "/v.41",  "/v1.4",  "/v2.0",
        "/v1.41/v1.41", "/v1.41/", "/v1.%34%31", "/v-1.41", "/v1.41x", "/v1,41"}) {
    Case each = plain;
    each.target = version + plain.target;
    out.push_back(each);
  }
}

void add_methods(const Case& plain, std::vector<Case>& out) {
  for (const char* method :
       {"get", "Get", "post", "OPTIONS", "TRACE", "CONNECT", "PATCH", "PROPFIND", "BREW", "QUERY"}) {
    Case each = plain;
    each.method = method;
    out.push_back(each);
  }
}

void add_queries(const Case& plain, std::vector<Case>& out) {
  for (const char* query :
       {"?", "?&", "?unheard=1", "?a;b", "?%", "?filters={", "?filters=1", "?filters={\"a\":{\"b\":true}}x", "?ALL=1",
        "?al%6C=1&all=0", "?name=..%2f", "?force=1&force=0", "?fromSrc=http://127.0.0.1/x",
        "?remote=http://127.0.0.1/x", "?ps_args=axe", "?ps_args=eww", "?networkmode=host", "?%00=1"}) {
    Case each = plain;
    each.target += query;
    out.push_back(each);
  }
}

void add_framings(const Case& plain, std::vector<Case>& out) {
  Case each = plain;
  each.upgrade = true;
  out.push_back(each);
  each = plain;
  each.browser = true;
  out.push_back(each);
  each = plain;
  each.content_encoding = "gzip";
  out.push_back(each);
  for (const char* type : {"text/plain", "", "application/x-www-form-urlencoded", "application/json2",
                           "APPLICATION/JSON", "application/json; charset=utf-8"}) {
    each = plain;
    each.content_type = type;
    out.push_back(each);
  }
  const std::string& body = plain.body;
  for (const std::string& other :
       {"\xEF\xBB\xBF" + body, body + "x", body + body, std::string(60'000, ' ') + body, "[" + body + "]",
        std::string("{\"HostConfig\":{\"Privileged\":true}}"), std::string("{\"Unheard\":1}"),
        std::string("{\"a\":1,\"a\":2}"), std::string("{\"Image\":\"\\ud800\"}"), std::string(100'000, ' ') + body}) {
    each = plain;
    each.body = other;
    out.push_back(each);
  }
}

std::vector<Case> mutations_of(const Case& plain) {
  std::vector<Case> out;
  add_paths(plain, out);
  add_versions(plain, out);
  add_methods(plain, out);
  add_queries(plain, out);
  add_escapes(plain, out, 40);
  add_framings(plain, out);
  return out;
}

// What the mutation may be sent on as: itself with another query or body is another request of the same operation.
bool same_operation(const std::string& sent, const std::string& plain) {
  return cut(cut(sent, '?').before, '{').before.substr(0, plain.find(' ', 5)) ==
         cut(cut(plain, '?').before, '{').before.substr(0, plain.find(' ', 5));
}

TEST(Matrix, EveryMutationIsRefusedOrDecidedAsThePlainRequest) {
  std::size_t operations_seen = 0, decisions = 0, mutations = 0, passed = 0, differences = 0;
  for (const NamedPolicy& named : named_policies()) {
    Policy policy = *named_policy(named.name);
    policy.body_limit = 80'000;
    for (const Operation& operation : operations()) {
      ++operations_seen;
      Case plain{.method = std::string(operation.method), .target = plain_path(operation), .body = {}};
      if (!operation.body.empty() && !streams_body(operation)) plain.body = plain_body(operation);
      const Outcome expected = decide(policy, plain);
      EXPECT_EQ(expected.allowed, policy.allows(operation))
          << named.name << " " << operation.name << " " << expected.rule;
      ++decisions;
      for (const Case& each : mutations_of(plain)) {
        ++mutations;
        const Outcome outcome = decide(policy, each);
        if (!outcome.allowed) continue;
        ++passed;
        if (expected.allowed && same_operation(outcome.sent, expected.sent)) continue;
        ++differences;
        ADD_FAILURE() << named.name << " " << operation.name << ": " << each.method << " " << each.target << " -> "
                      << outcome.sent;
      }
    }
  }
  std::printf("matrix: %zu decisions of %zu operations x %zu policies, %zu mutations, %zu passed on, %zu differences\n",
              decisions, operations().size(), named_policies().size(), mutations, passed, differences);
  EXPECT_EQ(differences, 0u);
  EXPECT_GT(passed, 1000u);  // it does not hold because everything is refused
  EXPECT_EQ(operations_seen, decisions);
}

TEST(Matrix, AllowedRequestsAreSentInOneSpelling) {
  const Policy policy = *named_policy("operate");
  const auto sent = [&](std::string method, std::string target, std::string body = "") {
    const Outcome outcome =
        decide(policy, {.method = std::move(method), .target = std::move(target), .body = std::move(body)});
    return outcome.allowed ? outcome.sent : "refused by " + outcome.rule;
  };
  EXPECT_EQ(sent("GET", "/v1.30/containers/json?all=1&filters=%7B%22name%22%3A%7B%22a%22%3Atrue%7D%7D"),
            "GET /v1.41/containers/json?all=1&filters=%7B%22name%22%3A%5B%22a%22%5D%7D ");
  EXPECT_EQ(sent("GET", "/images/host%3A5000%2Fa/json"), "GET /v1.41/images/host:5000/a/json ");
  EXPECT_EQ(sent("POST", "/containers/a/start", "{}"), "POST /v1.41/containers/a/start ");
  EXPECT_EQ(sent("POST", "/containers/a/start", R"({"Privileged":true})"), "refused by body");
  EXPECT_EQ(sent("GET", "/containers/a/top?ps_args=axe"), "refused by query");
  EXPECT_EQ(sent("GET", "/containers/a/top?ps_args=-o+pid,comm"),
            "GET /v1.41/containers/a/top?ps_args=-o%20pid%2Ccomm ");
  EXPECT_EQ(sent("POST", "/images/create?fromSrc=http://x/"), "refused by query");
  EXPECT_EQ(sent("POST", "/build?networkmode=host"), "refused by host-network");
  EXPECT_EQ(sent("GET", "/v1.50/info"), "refused by version");
  EXPECT_EQ(sent("GET", "/containers/a/attach/ws"), "refused by operation");
}

TEST(Scope, LabelsNarrowListsBodiesAndNames) {
  const Policy policy = *parse_policy(*parse_json(R"({"extends":"operate","labels":{"team":"a"}})"), "file");
  const auto head = [&](std::string_view method, std::string_view target) {
    return decide_head(policy, kVersions, {.method = method, .target = target, .content_type = "application/json"});
  };
  EXPECT_EQ(head("GET", "/containers/json").query[0].second, R"({"label":["team=a"]})");
  EXPECT_EQ(head("POST", "/containers/x/kill").references, (std::vector<Reference>{{"containers", "x"}}));
  EXPECT_EQ(head("POST", "/exec/0a/start").references, (std::vector<Reference>{{"exec", "0a"}}));
  const Verdict made = decide_body(policy, head("POST", "/containers/create"), R"({"Image":"i","Labels":{"team":"b"},
      "HostConfig":{"NetworkMode":"n","PidMode":"container:p","Binds":["v:/v"]}})");
  EXPECT_EQ(made.references, (std::vector<Reference>{{"containers", "p"}, {"networks", "n"}, {"volumes", "v"}}));
  EXPECT_EQ(parse_json(made.body)->at("Labels.team").text(), "a");
}

}  // namespace
}  // namespace berth::broker
