#include "plan/redact.h"

#include <gtest/gtest.h>

namespace berth::plan {
namespace {

TEST(Redact, KnowsSecretsByTheirNames) {
  for (const char* name :
       {"PASSWORD", "DB_PASSWORD", "dbPassword", "POSTGRES_PASSWORD_FILE", "SECRET_KEY", "api-key", "apiKey",
        "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "tls.cert", "DSN", "SENTRY_DSN", "clientsecret", "REDIS_PASS", "KEY2",
        "traefik.http.middlewares.auth.basicauth.users", "htpasswd"})
    EXPECT_TRUE(is_secret_name(name)) << name;
  for (const char* name :
       {"DEBUG", "KEYBOARD", "AUTHOR", "MONKEY", "PASSENGER", "PATH", "DATABASE_URL", "certainly", ""})
    EXPECT_FALSE(is_secret_name(name)) << name;
}

TEST(Redact, KnowsCredentialsInUrls) {
  EXPECT_TRUE(is_secret("DATABASE_URL", "postgres://user:pw@db/shop"));
  EXPECT_TRUE(is_secret("X", "see amqp://a.b and redis://:pw@host:1"));
  for (const char* value : {"http://host:80/a@b", "http://user@host/", "postgres://user:@db", "a:b@c", ""})
    EXPECT_FALSE(is_secret("URL", value)) << value;
}

TEST(Redact, SaysOnlySizes) {
  EXPECT_EQ(redacted_change("12345678", "123456789012"), "changed (8 -> 12 bytes)");
  EXPECT_EQ(redacted_change({}, "123"), "added (3 bytes)");
  EXPECT_EQ(redacted_change("123", {}), "removed (3 bytes)");
}

TEST(Redact, HashesUnderAKey) {
  const Json value = hashed_value("pw", "k");
  EXPECT_EQ(value["bytes"].integer(), 2);
  EXPECT_EQ(value["hmac"].text().size(), 16u);
  EXPECT_EQ(value, hashed_value("pw", "k"));
  EXPECT_FALSE(value == hashed_value("pw", "other"));
  EXPECT_FALSE(value == hashed_value("pv", "k"));
  EXPECT_TRUE(hashed_value({}, "k").is_null());
}

TEST(Redact, GoesThroughABody) {
  const Json body = *parse_json(R"({"Env":["A=1","API_TOKEN=tttt","URL=ftp://u:pppp@h","TOKEN"],
    "Labels":{"secret":"ssss","x":"1"},"Cmd":["run"],
    "HostConfig":{"Memory":1,"LogConfig":{"Type":"splunk","Config":{"splunk-token":"llll","tag":"t"}}},
    "args":{"NPM_TOKEN":"nnnn","VERSION":"2"}})");
  const std::string text = redacted_body(body, "k").dump();
  for (const char* secret : {"tttt", "pppp", "ssss", "llll", "nnnn"})
    EXPECT_EQ(text.find(secret), std::string::npos) << secret;
  for (const char* shown :
       {R"("A=1")", R"("TOKEN")", R"("x":"1")", R"("Memory":1)", R"("tag":"t")", R"("VERSION":"2")"})
    EXPECT_NE(text.find(shown), std::string::npos) << shown << text;
}

}  // namespace
}  // namespace berth::plan
