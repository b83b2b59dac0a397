#include "edge/keys.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/text.h"

namespace berth::edge {
namespace {

/// "ratelimit.average=1 ratelimit.burst=2" -> what is read, or the error.
std::string read(const std::string& text) {
  std::map<std::string, std::string, std::less<>> fields;
  for (const std::string_view part : split(text, ' ')) {
    const Cut pair = cut(part, '=');
    fields[lower(pair.before)] = replace_all(pair.after, "_", " ");
  }
  const Json tree = tree_of(fields);
  const auto action = read_action(tree.members()[0].first, tree.members()[0].second);
  return action ? write_action(*action).dump() : action.error().message;
}

TEST(Keys, ReadsTextsAsTheirTypes) {
  EXPECT_EQ(read("rateLimit.average=100 rateLimit.period=2 rateLimit.sourceCriterion.ipStrategy.depth=1"),
            R"({"ratelimit":{"average":100,"period":"2000ms","sourcecriterion":{"ipstrategy":{"depth":1}}}})");
  EXPECT_EQ(read("headers.customrequestheaders.x-a=1 headers.stsseconds=5"),
            R"({"headers":{"customrequestheaders":{"X-A":"1"},)"
            R"("customresponseheaders":{"Strict-Transport-Security":"max-age=5"},"stsseconds":5}})");
  EXPECT_EQ(read("errors.status=500-599,404 errors.service=s errors.query=/{status}"),
            R"({"errors":{"status":["500-599","404-404"],"service":"s","query":"/{status}"}})");
  EXPECT_EQ(read("compress=true"), R"({"compress":{}})");
  EXPECT_EQ(read("compress=true compress.encodings=br,gzip"), R"({"compress":{"encodings":["br","gzip"]}})");
}

TEST(Keys, RefusesWhatIsWrong) {
  const std::pair<std::string, std::string> wrong[] = {
      {"ratelimit.averge=1", "ratelimit.averge: is not known (did you mean \"ratelimit.average\"?)"},
      {"ratelimit.average=-1", "ratelimit.average: \"-1\" is not a number in range"},
      {"ratelimit.average=99999999999", "ratelimit.average: \"99999999999\" is not a number in range"},
      {"ratelimit.average=1x", "ratelimit.average: \"1x\" is not a number in range"},
      {"ratelimit.sourcecriterion.ipstrategy.dpth=1",
       "ratelimit.sourcecriterion.ipstrategy.dpth: is not known (did you mean "
       "\"ratelimit.sourcecriterion.ipstrategy.depth\"?)"},
      {"redirectscheme.permanent=maybe", "redirectscheme.permanent: \"maybe\" is neither true nor false"},
      {"redirectregex.regex=( redirectregex.replacement=x",
       "redirectregex.regex: \"(\" is not a regular expression: missing ): ("},
      {"ipallowlist.sourcerange=10.0.0.0/33", "ipallowlist.sourcerange: \"10.0.0.0/33\" is not an address or prefix"},
      {"ipallowlist=true", "ipallowlist.sourcerange: is empty: nobody could pass"},
      {"basicauth.users=ann", "basicauth.users: an entry is not name:hash as htpasswd writes it"},
      {"basicauth.users=ann:0123456789abc basicauth.realm=a\"b", "basicauth.realm: has characters that need escaping"},
      {"apikey.keys=ci:123", "apikey.keys: an entry is not name:hash with the SHA-256 of the key as 64 hex digits"},
      {"jwt.secret=short", "jwt.secret: is shorter than 32 bytes"},
      {"jwt.issuer=x", "jwt.secret: set exactly one of secret, publickey and jwks"},
      {"forwardauth.address=ftp://x", "forwardauth.address: must begin with http:// or https://"},
      {"forwardauth.address=http://a@b", "forwardauth.address: is not a plain URL"},
      {"headers.customresponseheaders.transfer-encoding=x",
       "headers.customresponseheaders.transfer-encoding: cannot be set or removed: the edge writes it for each "
       "message; "
       "leave it out"},
      {"headers.customrequestheaders.proxy-connection=",
       "headers.customrequestheaders.proxy-connection: cannot be set or removed: the edge writes it for each message; "
       "leave it out"},
      {"headers.customrequestheaders.a:b=1", "headers.customrequestheaders.a:b: is not a field name"},
      {"headers.customrequestheaders.host=a/b",
       "headers.customrequestheaders.host: \"a/b\" is not a host with or without a port"},
      {"headers.customrequestheaders.host=a:b:80",
       "headers.customrequestheaders.host: \"a:b:80\" is not a host with or without a port"},
      {"headers.customrequestheaders.host=a:99999",
       "headers.customrequestheaders.host: \"a:99999\" is not a host with or without a port"},
      {"headers.customrequestheaders.host=",
       "headers.customrequestheaders.host: \"\" is not a host with or without a port"},
      {"headers.customresponseheaders.host=a", "headers.customresponseheaders.host: is no field of replies"},
      {"headers.accesscontrolalloworiginlist=* headers.accesscontrolallowcredentials=true",
       "headers.accesscontrolallowcredentials: does not go with every origin (*); list the origins"},
      {"compress.encodings=lzma", "compress.encodings: \"lzma\" is not gzip, br or zstd"},
      {"circuitbreaker.expression=x",
       "circuitbreaker.expression: column 1: expected NetworkErrorRatio, ResponseCodeRatio, LatencyAtQuantileMS or "
       "RequestThreshold"},
      {"errors.status=600 errors.service=s errors.query=/",
       "errors.status: \"600\" is not a status or a range of them"},
      {"encodedcharacters.allowencodedslash=true",
       "encodedcharacters.allowencoded: cannot be allowed: routes and services could read such a path in two ways; "
       "such "
       "requests get 400"},
      {"retry.attempts=0", "retry.attempts: must be from 1 to 10"},
      {"addprefix.prefix=x", "addprefix.prefix: must begin with /"},
      {"replacepath.path=/a?b", "replacepath.path: is not a plain path"},
      {"stripprefix.prefixes[1]=x", "stripprefix.prefixes is not a text"},
      {"magic.x=1", "middleware kind \"magic\" is not known"},
  };
  for (const auto& [text, message] : wrong) EXPECT_EQ(read(text), message) << text;
}

TEST(Keys, EveryKindReadsItsOwnDefaultsBack) {
  EXPECT_EQ(middleware_kinds().size(), std::variant_size_v<Action>);
  for (const std::string_view kind : middleware_kinds()) {
    const auto action = read_action(kind, Json::object());
    if (!action) continue;  // something must be said: the message was tested above
    const Json written = write_action(*action);
    EXPECT_EQ(read_action(kind, written[kind]).value(), *action) << kind;
  }
}

TEST(Keys, Services) {
  Service service;
  const Json tree = tree_of({{"strategy", "P2C"},
                             {"sticky.cookie", "true"},
                             {"sticky.cookie.name", "sid"},
                             {"healthcheck.path", "/up"},
                             {"healthcheck.interval", "5s"},
                             {"healthcheck.headers.x-a", "1"},
                             {"passhostheader", "false"}});
  ASSERT_TRUE(read_balancing(tree, service).has_value());
  EXPECT_EQ(service.strategy, Strategy::p2c);
  EXPECT_EQ(service.sticky->name, "sid");
  EXPECT_EQ(service.health->path, "/up");
  EXPECT_FALSE(service.passive);
  EXPECT_EQ(write_balancing(service).dump(),
            R"({"passhostheader":false,"strategy":"p2c","sticky":{"cookie":{"name":"sid"}},)"
            R"("healthcheck":{"path":"/up","interval":"5000ms","headers":{"X-A":"1"}}})");
  Service again;
  ASSERT_TRUE(read_balancing(write_balancing(service), again).has_value());
  EXPECT_EQ(again, service);
  Service group;
  ASSERT_TRUE(read_group("weighted",
                         tree_of({{"services[0].name", "a"}, {"services[1].name", "b"}, {"services[1].weight", "3"}}),
                         group)
                  .has_value());
  EXPECT_EQ(write_group(group).dump(), R"({"weighted":{"services":[{"name":"a"},{"name":"b","weight":3}]}})");
}

TEST(Keys, Transports) {
  const Json tree = lower_keys(parse_json(R"({"serverName": "a.test", "insecureSkipVerify": true, "disableHTTP2": true,
      "rootCAs": ["/a.pem", "/b.pem"], "certificates": [{"certFile": "/c.pem", "keyFile": "/k.pem"}],
      "maxIdleConnsPerHost": 7, "forwardingTimeouts": {"dialTimeout": "2s", "responseHeaderTimeout": 3,
      "idleConnTimeout": "4s", "readIdleTimeout": "5s", "pingTimeout": "6s"}})")
                                   .value());
  Transport transport{.name = "t"}, again{.name = "t"};
  ASSERT_TRUE(read_transport(tree, transport).has_value());
  EXPECT_EQ(transport.roots, (std::vector<std::string>{"/a.pem", "/b.pem"}));
  EXPECT_EQ(transport.certificates, (std::vector<PemPair>{{"/c.pem", "/k.pem"}}));
  EXPECT_EQ(transport.response_header.count(), 3000);
  EXPECT_EQ(transport.max_idle, 7u);
  ASSERT_TRUE(read_transport(write_transport(transport), again).has_value());
  EXPECT_EQ(again, transport);

  const Json tcp = lower_keys(parse_json(R"({"tls": {"serverName": "db.test", "rootCAs": ["/a.pem"],
      "peerCertURI": "spiffe://x/y"}, "dialTimeout": "1s", "dialKeepAlive": "20s", "terminationDelay": "-1s"})")
                                  .value());
  TcpTransport database, same;
  ASSERT_TRUE(read_transport(tcp, database).has_value());
  EXPECT_EQ(database.peer_uri, "spiffe://x/y");
  EXPECT_EQ(database.keep_alive.value.count(), 20'000);
  EXPECT_LT(database.termination_delay.value.count(), 0);
  ASSERT_TRUE(read_transport(write_transport(database), same).has_value());
  EXPECT_EQ(same, database);
}

TEST(Keys, RefusedTransports) {
  const auto refusal = [](const char* text) {
    Transport transport;
    const auto done = read_transport(lower_keys(parse_json(text).value()), transport);
    return done ? "accepted" : done.error().message;
  };
  EXPECT_EQ(refusal(R"({"spiffe": {"ids": ["spiffe://x"]}})"),
            "serverstransport.spiffe: is not supported: there is no workload API here; use rootCAs, certificates and "
            "peerCertURI");
  EXPECT_EQ(refusal(R"({"rootCa": "x"})"),
            "serverstransport.rootca: is not known (did you mean \"serverstransport.rootcas\"?)");
  EXPECT_EQ(refusal(R"({"certificates": [{"certFile": "a"}]})"),
            "serverstransport.certificates: lacks certFile or keyFile");
  EXPECT_EQ(refusal(R"({"certificates": [{"certFile": "a", "keyFile": "b"}, {"certFile": "a", "keyFile": "b"}]})"),
            "serverstransport.certificates: more than one is not supported");
  EXPECT_EQ(refusal(R"({"peerCertURI": "spiffe://x", "insecureSkipVerify": true})"),
            "serverstransport.peercerturi: needs a certificate that is verified; leave insecureSkipVerify out");
  EXPECT_EQ(refusal(R"({"serverName": "a b"})"), "serverstransport.servername: is no host");
}

TEST(Keys, ListOfTheDocumentIsThisOne) {
  const std::string path = TESTDATA "/../../../doc/labels.md";
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  const std::string list = describe_keys();
  if (std::getenv("BERTH_ACCEPT")) {
    std::ofstream(path) << text.str().substr(0, text.str().find("## Middlewares\n")) << list;
    GTEST_SKIP() << "rewrote " << path;
  }
  EXPECT_TRUE(text.str().ends_with(list)) << "run with BERTH_ACCEPT=1 to write the list anew";
}

}  // namespace
}  // namespace berth::edge
