// The state machine against a CA that lives here: honest, slow, forgetful, and hostile.
#include "edge/acme_flow.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"

namespace berth::edge {
namespace {

using std::chrono::seconds;
using Kind = AcmeStep::Kind;

const std::string kCa = "https://ca.test/";

AcmeSigner signer() {
  return {.jwk = R"({"kty":"EC"})", .thumbprint = "thumb", .sign = [](std::string_view) { return "sig"; }};
}

/// What a signed request says.
struct Asked {
  std::string url, payload;
  Json head;
};

Asked read(const AcmeStep& step) {
  const Json json = parse_json(step.body).value();
  return {.url = step.url,
          .payload = decode_base64(json["payload"].text()).value(),
          .head = parse_json(decode_base64(json["protected"].text()).value()).value()};
}

/// A CA with one order. Members change how it behaves.
class Ca {
 public:
  AcmeReply answer(const AcmeStep& step) {
    ++requests;
    log.push_back(step.method + " " + step.url.substr(kCa.size()));
    if (step.url == kCa + "dir") return {.status = 200, .body = directory};
    AcmeReply reply = step.method == "HEAD" ? AcmeReply{.status = 200} : signed_reply(read(step));
    reply.nonce = "n" + std::to_string(++nonces);
    return reply;
  }

  std::string directory = R"({"newNonce":"https://ca.test/nonce","newAccount":"https://ca.test/account",
      "newOrder":"https://ca.test/order","renewalInfo":"https://ca.test/ari"})";
  std::vector<std::string> hosts{"a.example.com"};
  std::map<std::string, AcmeReply> instead;  ///< path -> reply
  std::map<std::string, int> pending;        ///< path -> polls that say so
  int bad_nonces = 0;
  bool validated = false, finalized = false;
  std::string token = "tok";
  int requests = 0, nonces = 0;
  std::vector<std::string> log;
  std::vector<Asked> asked;

 private:
  AcmeReply problem(int status, const std::string& type) {
    return {.status = status,
            .body = R"({"type":"urn:ietf:params:acme:error:)" + type + R"(","detail":"because \u001b[31m)" + type +
                    R"("})"};
  }

  AcmeReply signed_reply(const Asked& request) {
    if (bad_nonces > 0) {
      --bad_nonces;
      return problem(400, "badNonce");
    }
    asked.push_back(request);
    EXPECT_EQ(request.head["nonce"].text(), "n" + std::to_string(nonces));
    EXPECT_EQ(request.head["url"].text(), request.url);
    const std::string path = request.url.substr(kCa.size());
    if (const auto found = instead.find(path); found != instead.end()) return found->second;
    EXPECT_EQ(request.head.contains("jwk"), path == "account") << path;
    if (path != "account" && !instead.contains("account")) EXPECT_EQ(request.head["kid"].text(), kCa + "me");
    if (path == "account") return {.status = 201, .body = "{}", .location = kCa + "me"};
    if (path == "order") return {.status = 201, .body = order(), .location = kCa + "order/1"};
    if (path == "finalize") finalized = true;
    if (path == "order/1" || path == "finalize") return {.status = 200, .body = order()};
    if (path.starts_with("authz/")) return {.status = 200, .body = authorization(path), .retry_after = seconds(3)};
    if (path.starts_with("chall/")) {
      validated = true;
      return {.status = 200, .body = "{}"};
    }
    if (path == "cert") return {.status = 200, .body = "-----BEGIN CERTIFICATE-----\n"};
    return problem(404, "malformed");
  }

  bool waits(const std::string& path) { return pending[path]-- > 0; }

  std::string order() {
    Json json = Json::object({{"finalize", kCa + "finalize"}, {"authorizations", Json::array()}});
    for (std::size_t i = 0; i < hosts.size(); ++i) json.slot("authorizations").push(kCa + "authz/" + std::to_string(i));
    const bool slow = finalized && waits("issue");
    if (finalized && !slow) json.set("certificate", kCa + "cert");
    json.set("status", slow ? "processing" : finalized ? "valid" : validated ? "ready" : "pending");
    return json.dump();
  }

  std::string authorization(const std::string& path) {
    const std::string number = path.substr(6);
    const std::string& name = hosts[static_cast<std::size_t>(std::stoi(number))];
    const bool wildcard = name.starts_with("*.");
    Json json = Json::object({{"status", validated && !waits(path) ? "valid" : "pending"},
                              {"identifier", Json::object({{"value", wildcard ? name.substr(2) : name}})}});
    if (wildcard) json.set("wildcard", true);
    for (const char* type : {"http-01", "tls-alpn-01", "dns-01"}) {
      if (wildcard && std::string_view(type) != "dns-01") continue;
      json.slot("challenges").push(Json::object({{"type", type}, {"url", kCa + "chall/" + number}, {"token", token}}));
    }
    return json.dump();
  }
};

struct Outcome {
  AcmeStep last;
  AcmeProgress progress;
  std::vector<AcmeAnswer> presented;
  seconds waited{};
};

Outcome drive(Ca& ca, AcmeWish wish, AcmeProgress progress = {}) {
  AcmeFlow flow(std::move(wish), signer(), std::move(progress));
  Outcome out;
  for (int i = 0; i < 2000; ++i) {
    const AcmeStep& step = flow.step();
    if (step.kind == Kind::done || step.kind == Kind::failed) break;
    if (step.kind == Kind::ask) {
      const AcmeReply reply = ca.answer(step);
      flow.take(reply);
      continue;
    }
    if (step.kind == Kind::present) out.presented = step.answers;
    if (step.kind == Kind::wait) out.waited += step.pause;
    flow.go_on();
  }
  out.last = flow.step();
  out.progress = flow.progress();
  return out;
}

AcmeWish wish(std::vector<std::string> hosts = {"a.example.com"}) {
  return {.directory = kCa + "dir", .email = "me@example.com", .hosts = std::move(hosts), .csr = "CSR"};
}

TEST(AcmeFlow, IssuesACertificate) {
  Ca ca;
  const Outcome out = drive(ca, wish());
  ASSERT_EQ(out.last.kind, Kind::done) << out.last.error.text();
  EXPECT_EQ(out.last.chain, "-----BEGIN CERTIFICATE-----\n");
  EXPECT_EQ(out.progress, (AcmeProgress{.account = kCa + "me", .order = ""}));
  EXPECT_EQ(out.presented, (std::vector<AcmeAnswer>{{ChallengeType::http, "a.example.com", "tok", "tok.thumb"}}));
  EXPECT_EQ(ca.log,
            (std::vector<std::string>{"GET dir", "HEAD nonce", "POST account", "POST order", "POST authz/0",
                                      "POST chall/0", "POST authz/0", "POST order/1", "POST finalize", "POST cert"}));
  EXPECT_EQ(ca.asked[0].payload, R"({"termsOfServiceAgreed":true,"contact":["mailto:me@example.com"]})");
  EXPECT_EQ(ca.asked[1].payload, R"({"identifiers":[{"type":"dns","value":"a.example.com"}]})");
  EXPECT_EQ(ca.asked[2].payload, "");
  EXPECT_EQ(ca.asked[3].payload, "{}");
  EXPECT_EQ(ca.asked[6].payload, R"({"csr":"Q1NS"})");
}

TEST(AcmeFlow, ProvesEveryHostOfAnOrder) {
  Ca ca;
  ca.hosts = {"*.example.com", "example.com"};
  AcmeWish many = wish(ca.hosts);
  many.challenge = ChallengeType::dns;
  const Outcome out = drive(ca, many);
  ASSERT_EQ(out.last.kind, Kind::done) << out.last.error.text();
  ASSERT_EQ(out.presented.size(), 2u);
  EXPECT_EQ(out.presented[0].host, "example.com");
  EXPECT_EQ(out.presented[1].host, "example.com");
  EXPECT_EQ(dns_value({.key_authorization = "tok.thumb"}).size(), 43u);
}

TEST(AcmeFlow, WildcardsNeedDns) {
  Ca ca;
  ca.hosts = {"*.example.com"};
  EXPECT_EQ(drive(ca, wish(ca.hosts)).last.error.message,
            "the CA does not offer http-01 for *.example.com, only dns-01");
}

TEST(AcmeFlow, RepeatsWithAFreshNonce) {
  Ca ca;
  ca.bad_nonces = 20;
  EXPECT_EQ(drive(ca, wish()).last.kind, Kind::done);
  ca = {};
  ca.bad_nonces = 21;
  EXPECT_EQ(drive(ca, wish()).last.error.message, "the CA refused: because  [31mbadNonce (badNonce)");
}

TEST(AcmeFlow, WaitsAsLongAsTheCaAsks) {
  Ca ca;
  ca.pending = {{"authz/0", 4}, {"issue", 2}};
  const Outcome out = drive(ca, wish());
  EXPECT_EQ(out.last.kind, Kind::done);
  EXPECT_EQ(out.waited, seconds(4 * 3 + 1 + 1));
}

TEST(AcmeFlow, EndsWhenACaNeverDoes) {
  for (const char* what : {"authz/0", "issue"}) {
    Ca ca;
    ca.pending[what] = 1'000'000;
    const Outcome out = drive(ca, wish());
    EXPECT_EQ(out.last.error.code, Code::timeout);
    EXPECT_LE(out.waited, std::chrono::minutes(16));
    EXPECT_EQ(out.progress.order, kCa + "order/1") << "the next run goes on";
  }
}

TEST(AcmeFlow, GoesOnWithAnOrderThatItKnows) {
  Ca ca;
  ca.validated = true;
  const Outcome out = drive(ca, wish(), {.account = kCa + "me", .order = kCa + "order/1"});
  EXPECT_EQ(out.last.kind, Kind::done);
  EXPECT_EQ(ca.log, (std::vector<std::string>{"GET dir", "HEAD nonce", "POST order/1", "POST finalize", "POST cert"}));
  ca = {};
  ca.validated = ca.finalized = true;
  EXPECT_EQ(drive(ca, wish(), {.account = kCa + "me", .order = kCa + "order/1"}).last.kind, Kind::done);
  EXPECT_EQ(ca.log.back(), "POST cert");
  EXPECT_EQ(ca.log.size(), 4u);
}

TEST(AcmeFlow, MakesAnewWhatTheCaForgot) {
  Ca ca;
  EXPECT_EQ(drive(ca, wish(), {.account = kCa + "me", .order = kCa + "order/7"}).last.kind, Kind::done);
  EXPECT_EQ(ca.log[3], "POST order");
  ca = {};
  ca.instead["order/7"] = {.status = 200, .body = R"({"status":"invalid"})"};
  EXPECT_EQ(drive(ca, wish(), {.account = kCa + "me", .order = kCa + "order/7"}).last.kind, Kind::done);
  ca = {};
  ca.instead["order"] = {.status = 400, .body = R"({"type":"urn:ietf:params:acme:error:accountDoesNotExist"})"};
  const Outcome out = drive(ca, wish(), {.account = kCa + "me", .order = ""});
  EXPECT_EQ(out.last.kind, Kind::failed);
  EXPECT_EQ(std::ranges::count(ca.log, "POST account"), 1);
}

TEST(AcmeFlow, ReplacesWhereTheCaKnowsRenewals) {
  Ca ca;
  AcmeWish again = wish();
  again.replaces = "a.b";
  EXPECT_EQ(drive(ca, again).last.kind, Kind::done);
  EXPECT_TRUE(ca.asked[1].payload.contains(R"("replaces":"a.b")"));
  ca = {};
  ca.directory = replace_all(ca.directory, "renewalInfo", "other");
  EXPECT_EQ(drive(ca, again).last.kind, Kind::done);
  EXPECT_FALSE(ca.asked[1].payload.contains("replaces"));
}

TEST(AcmeFlow, BindsAnExternalAccount) {
  Ca ca;
  ca.directory = replace_all(ca.directory, "{\"newNonce", R"({"meta":{"externalAccountRequired":true},"newNonce)");
  EXPECT_EQ(drive(ca, wish()).last.error.message,
            "the CA wants an external account; set eab.kid and eab.hmacEncoded as it gave them");
  AcmeWish bound = wish();
  bound.binding = {.kid = "kid-1", .hmac = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"};
  EXPECT_EQ(drive(ca, bound).last.kind, Kind::done);
  const Json binding = parse_json(ca.asked[0].payload).value()["externalAccountBinding"];
  EXPECT_EQ(decode_base64(binding["protected"].text()).value(),
            R"({"alg":"HS256","kid":"kid-1","url":"https://ca.test/account"})");
  EXPECT_EQ(decode_base64(binding["payload"].text()).value(), R"({"kty":"EC"})");
  bound.binding.hmac = "!";
  EXPECT_EQ(drive(ca, bound).last.kind, Kind::failed);
}

TEST(AcmeFlow, TriesAgainAfterServerErrors) {
  Ca ca;
  ca.instead["order"] = {.status = 503, .retry_after = seconds(30)};
  const Outcome down = drive(ca, wish());
  EXPECT_EQ(down.last.error.code, Code::unavailable);
  EXPECT_EQ(down.last.error.message, "the CA refused for now: it answered 503");
  EXPECT_EQ(down.waited, seconds(120));
  EXPECT_EQ(down.last.retry_after, seconds(30));
}

TEST(AcmeFlow, TellsLimitsOfTheCa) {
  Ca ca;
  ca.instead["order"] = {.status = 429,
                         .body = R"({"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many"})",
                         .retry_after = seconds(3600)};
  const Outcome out = drive(ca, wish());
  EXPECT_EQ(out.last.error.message, "the CA refused for now: too many (rateLimited)");
  EXPECT_EQ(out.last.retry_after, seconds(3600));
}

TEST(AcmeFlow, TellsWhyAHostWasNotValidated) {
  Ca ca;
  ca.instead["chall/0"] = {.status = 200, .body = "{}"};
  const auto refused =
      AcmeReply{.status = 200,
                .body = R"({"status":"invalid","identifier":{"value":"a.example.com"},"challenges":[{"type":"http-01",
              "error":{"type":"urn:ietf:params:acme:error:connection","detail":"Connection refused"}}]})"};
  AcmeFlow flow(wish(), signer());
  while (flow.step().kind == Kind::ask || flow.step().kind == Kind::present) {
    if (flow.step().kind == Kind::present) {
      ca.instead["authz/0"] = refused;
      flow.go_on();
      continue;
    }
    const AcmeReply reply = ca.answer(flow.step());
    flow.take(reply);
  }
  EXPECT_EQ(flow.step().error.message, "the CA could not validate a.example.com by http-01: Connection refused");
  EXPECT_EQ(flow.progress().order, "");
}

// Whatever comes as reply to whatever request: an end, and never a request to another scheme.
TEST(AcmeFlow, EndsWithAnyReply) {
  const std::string huge(300u << 10, '[');
  std::string many = R"({"status":"pending","finalize":"https://ca.test/f","authorizations":[)";
  for (int i = 0; i < 200; ++i) many += std::string(i == 0 ? "" : ",") + "\"https://ca.test/authz/0\"";
  many += "]}";
  const std::string bodies[] = {"",
                                "null",
                                "[]",
                                "{",
                                huge,
                                many,
                                "{}",
                                R"({"status":7})",
                                R"({"status":"odd"})",
                                R"({"status":"pending"})",
                                R"({"status":"ready","finalize":"file:///etc/passwd"})",
                                R"({"status":"ready","finalize":"http://ca.test/f"})",
                                R"({"status":"valid","certificate":""})",
                                R"({"status":"valid"})",
                                R"({"status":"pending","authorizations":["https://ca.test/order/1"]})",
                                R"({"status":"pending","authorizations":[1,{},"x"]})",
                                R"({"status":"pending","identifier":{"value":"b.example.com"}})",
                                R"({"status":"pending","identifier":{"value":"a.example.com"},
                                    "challenges":[{"type":"http-01","url":"https://ca.test/c","token":"../x"}]})",
                                R"({"status":"pending","identifier":{"value":"a.example.com"},
                                    "challenges":[{"type":"http-01","url":"gopher://x","token":"ok"}]})"};
  for (const char* path : {"account", "order", "order/1", "authz/0", "chall/0", "finalize", "cert"}) {
    for (const std::string& body : bodies) {
      for (const int status : {200, 301, 500}) {
        for (const char* location : {"http://ca.test/order/1", "https://ca.test/order/1"}) {
          Ca ca;
          ca.instead[path] = {.status = status, .body = body, .location = location};
          const Outcome out = drive(ca, wish());
          ASSERT_TRUE(out.last.kind == Kind::done || out.last.kind == Kind::failed) << path << " " << body;
          for (const std::string& line : ca.log) ASSERT_FALSE(line.contains("//")) << line;
        }
      }
    }
  }
}

TEST(AcmeFlow, GivesUpOnRequestsWithoutEnd) {
  Ca ca;
  // An order that is ready, then pending with authorizations that are valid, for ever.
  ca.instead["order/1"] = {.status = 200,
                           .body = R"({"status":"pending","authorizations":["https://ca.test/authz/0"]})"};
  ca.validated = true;
  const Outcome out = drive(ca, wish(), {.account = kCa + "me", .order = kCa + "order/1"});
  EXPECT_EQ(out.last.kind, Kind::failed);
  EXPECT_LE(ca.requests, 400);
}

TEST(AcmeMessage, ReadsTimes) {
  EXPECT_EQ(parse_rfc3339("2026-01-02T03:04:05Z").value().time_since_epoch().count(), 1767323045);
  EXPECT_EQ(parse_rfc3339("2026-01-02T04:04:05.123456+01:00").value().time_since_epoch().count(), 1767323045);
  for (const char* wrong : {"", "2026-01-02", "2026-13-02T03:04:05Z", "2026-01-02T03:04:05", "2026-01-02T25:04:05Z",
                            "2026-01-02T03:04:05Zx"}) {
    EXPECT_FALSE(parse_rfc3339(wrong).has_value()) << wrong;
  }
  const std::chrono::sys_seconds now(seconds(784111777));  // Sun, 06 Nov 1994 08:49:37 GMT
  EXPECT_EQ(parse_retry_after("120", now), seconds(120));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now), seconds(60));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:40:37 GMT", now), seconds(0));
  EXPECT_EQ(parse_retry_after("99999999999", now), seconds(86400));
  for (const char* wrong : {"", "-1", "soon", "1.5"}) EXPECT_FALSE(parse_retry_after(wrong, now).has_value()) << wrong;
}

TEST(AcmeMessage, ReadsRenewalInformation) {
  const auto window = parse_renewal_info(R"({"suggestedWindow":{"start":"2026-01-02T00:00:00Z",
      "end":"2026-01-03T00:00:00Z"},"explanationURL":"https://ca.test/why"})");
  ASSERT_TRUE(window.has_value());
  EXPECT_EQ(window->end - window->start, std::chrono::days(1));
  EXPECT_EQ(window->explanation, "https://ca.test/why");
  for (const char* wrong :
       {"", "{}", R"({"suggestedWindow":{"start":"2026-01-03T00:00:00Z","end":"2026-01-02T00:00:00Z"}})",
        R"({"suggestedWindow":{"start":5,"end":6}})"}) {
    EXPECT_FALSE(parse_renewal_info(wrong).has_value()) << wrong;
  }
}

}  // namespace
}  // namespace berth::edge
