// The pure core of the cache, by section of the RFCs.
#include <gtest/gtest.h>

#include "edge/cache_answer.h"
#include "edge/cache_date.h"
#include "edge/cache_dictionary.h"
#include "edge/cache_key.h"
#include "http/head.h"

namespace berth::edge {
namespace {

constexpr std::int64_t kNow = 1'767'225'600;  // Thu, 01 Jan 2026 00:00:00 GMT
constexpr std::string_view kDate = "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n";

/// Heads with the text that they view.
struct Told {
  explicit Told(std::string fields, int status = 200)
      : text("HTTP/1.1 " + std::to_string(status) + " x\r\n" + fields + "\r\n") {
    EXPECT_EQ(http::parse_response(text, head).state, http::Parsed::State::complete) << text;
  }
  std::string text;
  http::ResponseHead head;
};
struct Asked {
  explicit Asked(std::string fields = {}, std::string method = "GET")
      : text(method + " /a HTTP/1.1\r\nHost: a.test\r\n" + fields + "\r\n") {
    EXPECT_EQ(http::parse_request(text, head).state, http::Parsed::State::complete) << text;
  }
  std::string text;
  http::RequestHead head;
};

CachePolicy policy_of(CachePolicy::Fields fields = {}) {
  return read_cache_policy(std::move(fields)).value();
}

StoreVerdict judge(const Told& reply, const Asked& request = Asked(), const CachePolicy& policy = {}) {
  return may_store({request.head, reply.head, policy, {kNow, 0}}, reply_control(reply.head.fields));
}

StoredReply stored(const Told& reply, std::string_view body, const Asked& request = Asked(),
                   const CachePolicy& policy = {}) {
  const StoreFacts facts{request.head, reply.head, policy, {kNow, 0}};
  const ReplyControl control = reply_control(reply.head.fields);
  auto object = make_object(facts, control, may_store(facts, control).freshness, "r");
  object->body->append(body);
  object->body->complete();
  return object;
}

TEST(CacheControl, Rfc9111Section1_2_2DeltaSecondsSaturate) {
  EXPECT_EQ(parse_delta("0"), 0);
  EXPECT_EQ(parse_delta("003600"), 3600);
  EXPECT_EQ(parse_delta("2147483647"), 2147483647);
  EXPECT_EQ(parse_delta("2147483649"), kMostDelta);
  EXPECT_EQ(parse_delta("99999999999999999999999999"), kMostDelta);
  for (const std::string_view wrong : {"", "-1", "+1", "1.0", "1s", " 1", "a"})
    EXPECT_FALSE(parse_delta(wrong)) << wrong;
}

TEST(CacheControl, Rfc9111Section5_2Directives) {
  const struct {
    std::string_view line;
    std::optional<std::int64_t> max_age;
    bool no_store;
  } cases[] = {
      {"max-age=5", 5, false},
      {"MaX-aGe=5, nO-StOrE", 5, true},
      {"max-age=\"5\"", 5, false},
      {"max-age='5'", 0, false},
      {"max-age=-5", 0, false},
      {"max-age=5.0", 0, false},
      {"max-age", 0, false},
      {"max-age =5", std::nullopt, false},
      {"max-age= 5", std::nullopt, false},
      {"extension=\"max-age=60, no-store\", max-age=1", 1, false},
      {"max-age=1, extension=\"a\\\"max-age=60\"", 1, false},
      {"max-age=7, max-age=9", 7, false},
      {",, ,foo ,\tmax-age=5,", 5, false},
      {"no-store =x", std::nullopt, true},
      {"a=\"open, max-age=5", 5, false},
  };
  for (const auto& each : cases) {
    const Told reply("Cache-Control: " + std::string(each.line) + "\r\n");
    const ReplyControl control = reply_control(reply.head.fields);
    EXPECT_EQ(control.max_age, each.max_age) << each.line;
    EXPECT_EQ(control.no_store, each.no_store) << each.line;
  }
}

TEST(CacheControl, Rfc9111Section5_2_2_4NamedFieldsAreHidden) {
  const Told reply("Cache-Control: no-cache=\"a, B\", private=c, max-age=5\r\na: 1\r\nb: 2\r\nc: 3\r\nd: 4\r\n");
  const ReplyControl control = reply_control(reply.head.fields);
  EXPECT_FALSE(control.no_cache || control.is_private);
  EXPECT_EQ(control.hidden, (std::vector<std::string>{"a", "b", "c"}));
  const auto object = stored(reply, "");
  for (const std::string_view name : {"a", "b", "c"}) EXPECT_EQ(object->get(name), "") << name;
  EXPECT_EQ(object->get("d"), "4");
}

TEST(CacheControl, Rfc9213Section2TargetedFieldReplaces) {
  const auto of = [](std::string lines) { return reply_control(Told(std::move(lines)).head.fields); };
  EXPECT_EQ(of("CDN-Cache-Control: max-age=9\r\nCache-Control: no-store\r\n").max_age, 9);
  EXPECT_FALSE(of("CDN-Cache-Control: max-age=9\r\nCache-Control: no-store\r\n").no_store);
  EXPECT_TRUE(of("CDN-Cache-Control: max-age=9, &&&\r\nCache-Control: no-store\r\n").no_store);  // not a dictionary
  EXPECT_TRUE(of("CDN-Cache-Control: MAX-AGE=9\r\nCache-Control: no-store\r\n").no_store);
  EXPECT_TRUE(of("CDN-Cache-Control:\r\nCache-Control: no-store\r\n").no_store);
  EXPECT_EQ(of("CDN-Cache-Control: max-age=\"9\"\r\nCache-Control: max-age=5\r\n").max_age, std::nullopt);
  EXPECT_FALSE(of("CDN-Cache-Control: no-store=?0, max-age=1\r\n").no_store);
  EXPECT_EQ(of("CDN-Cache-Control: max-age=1;x=2, no-store\r\nCDN-Cache-Control: private\r\n").is_private, true);
}

TEST(CacheControl, Rfc9111Section5_4Pragma) {
  EXPECT_TRUE(request_control(Asked("Pragma: no-cache\r\n").head.fields).no_cache);
  EXPECT_FALSE(request_control(Asked("Pragma: no-cache\r\nCache-Control: max-stale\r\n").head.fields).no_cache);
}

TEST(CacheDictionary, Rfc9651Section4_2IsStrict) {
  const auto valid = [](std::string_view text) {
    DictionaryReader reader(text);
    while (reader.next()) {
    }
    return !reader.broken();
  };
  for (const std::string_view right : {"", "a", "a=1", "a, b;c=d", "a=?1 ,\tb=?0", "a=:aGk=:", "a=(1 2);x", "a=-1.5",
                                       "*a=tok/en:x", "a=\"q\\\"\"", "a=()"})
    EXPECT_TRUE(valid(right)) << right;
  for (const std::string_view wrong :
       {"A", "a,", ",a", "a=", "a =1", "a= 1", "a b", "a=\"x", "a=?2", "a=1.", "a=1.2345", "a=1234567890123456", "a=(1",
        "a=(1\"x\")", "a;", "&&", "a=\"\\x\"", "a=:x"})
    EXPECT_FALSE(valid(wrong)) << wrong;
}

TEST(CacheDate, Rfc9110Section5_6_7AllForms) {
  constexpr std::int64_t kThen = 784111777;
  for (const std::string_view text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                                      "Sun Nov  6 08:49:37 1994", "SUN, 06 NOV 1994 08:49:37 gmt"})
    EXPECT_EQ(parse_http_date(text, kNow), kThen) << text;
  EXPECT_EQ(parse_http_date("Thursday, 18-Aug-50 02:01:18 GMT", kNow), 2544400878);  // 2050, not 1950
  for (const std::string_view wrong :
       {"", "0", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37", "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06-Nov-1994 08:49:37 GMT",
        "Sun 06 Nov 1994 08:49:37 GMT", "Sun, 06  Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08.49.37 GMT"})
    EXPECT_FALSE(parse_http_date(wrong, kNow)) << wrong;
  std::string out;
  append_http_date(out, kThen);
  EXPECT_EQ(out, "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(CacheFresh, Rfc9111Section3WhatMayBeStored) {
  const struct {
    std::string_view reply, request, why;  // "": stored
    int status = 200;
  } cases[] = {
      {"Cache-Control: max-age=5\r\n", "", ""},
      {"", "", "no lifetime"},
      {"ETag: \"a\"\r\n", "", ""},  // of use when it is asked for again
      {"Cache-Control: no-store, max-age=5\r\n", "", "no-store"},
      {"Cache-Control: private, max-age=5\r\n", "", "private"},
      {"Cache-Control: max-age=5\r\nSet-Cookie: a=b\r\n", "", "set-cookie"},
      {"Cache-Control: max-age=5\r\nVary: a, *\r\n", "", "vary"},
      {"Cache-Control: max-age=5\r\n", "Authorization: x\r\n", "authorization"},
      {"Cache-Control: max-age=5, public\r\n", "Authorization: x\r\n", ""},
      {"Cache-Control: max-age=5, must-revalidate\r\n", "Authorization: x\r\n", ""},
      {"Cache-Control: s-maxage=5\r\n", "Authorization: x\r\n", ""},
      {"Cache-Control: max-age=5\r\n", "Range: bytes=0-1\r\n", "range"},
      {"Cache-Control: max-age=5\r\n", "", "", 599},
      {"Cache-Control: max-age=5, must-understand\r\n", "", "must-understand", 599},
      {"Cache-Control: max-age=5, must-understand, no-store\r\n", "", ""},
      {"Cache-Control: max-age=5\r\n", "", "status", 206},
      {"Cache-Control: max-age=0\r\n", "", "no lifetime"},
      {"Expires: 0\r\n", "", "no lifetime"},
  };
  for (const auto& each : cases) {
    const Told reply{std::string(each.reply), each.status};
    EXPECT_EQ(judge(reply, Asked(std::string(each.request))).why, each.why) << each.reply << each.request;
  }
  EXPECT_EQ(judge(Told("Cache-Control: max-age=5\r\n"), Asked("", "HEAD")).why, "method");
}

TEST(CacheFresh, Rfc9111Section4_2_1Lifetime) {
  const struct {
    std::string_view reply;
    std::int64_t lifetime;
    int status = 200;
  } cases[] = {
      {"Cache-Control: max-age=5, s-maxage=9\r\n", 9},
      {"Cache-Control: max-age=5\r\nExpires: Thu, 01 Jan 2026 01:00:00 GMT\r\n", 5},
      {"Expires: Thu, 01 Jan 2026 01:00:00 GMT\r\n", 3600},
      {"Expires: Wed, 31 Dec 2025 01:00:00 GMT\r\nETag: \"a\"\r\n", 0},
      {"Expires: 0\r\nETag: \"a\"\r\n", 0},
      {"Last-Modified: Wed, 31 Dec 2025 00:00:00 GMT\r\n", 8640},
      {"Last-Modified: Mon, 01 Jan 2001 00:00:00 GMT\r\n", 86400},  // at most a day
      {"Last-Modified: Wed, 31 Dec 2025 00:00:00 GMT\r\n", 0, 201},
      {"Last-Modified: Wed, 31 Dec 2025 00:00:00 GMT\r\nCache-Control: public\r\n", 8640, 599},
      {"CDN-Cache-Control: max-age=7\r\nCache-Control: max-age=5\r\nExpires: 0\r\n", 7},
  };
  for (const auto& each : cases) {
    const auto verdict = judge(Told(std::string(kDate) + std::string(each.reply), each.status));
    EXPECT_TRUE(verdict.store) << each.reply;
    EXPECT_EQ(verdict.freshness.lifetime, each.lifetime) << each.reply;
  }
  // Nobody said that a page which was asked for with a cookie is for everybody.
  const auto verdict =
      judge(Told(std::string(kDate) + "Last-Modified: Wed, 31 Dec 2025 00:00:00 GMT\r\n"), Asked("Cookie: a=b\r\n"));
  EXPECT_EQ(verdict.freshness.lifetime, 0);
}

TEST(CacheFresh, Rfc9111Section4_2_3Age) {
  const struct {
    std::string_view reply;
    std::int64_t age;
  } cases[] = {
      {"", 0},
      {"Age: 30\r\n", 30},
      {"Age: 30, 50\r\n", 30},
      {"Age: 30\r\nAge: 50\r\n", 30},
      {"Age: abc\r\n", 0},
      {"Age: -7\r\n", 0},
      {"Age: 7.5\r\n", 0},
      {"Age: 99999999999999999999\r\n", kMostDelta},
      {"Date: Wed, 31 Dec 2025 23:59:00 GMT\r\n", 60},
      {"Date: Wed, 31 Dec 2025 23:59:00 GMT\r\nAge: 90\r\n", 90},
      {"Date: Thu, 01 Jan 2026 01:00:00 GMT\r\n", 0},  // of tomorrow
  };
  for (const auto& each : cases) {
    const auto verdict = judge(Told("Cache-Control: max-age=5\r\n" + std::string(each.reply)));
    EXPECT_EQ(verdict.freshness.initial_age, each.age) << each.reply;
  }
  const Freshness fresh{.lifetime = 10, .initial_age = 4, .received = 1000};
  EXPECT_EQ(fresh.age(4999), 7);
  EXPECT_TRUE(fresh.is_fresh(6999));
  EXPECT_FALSE(fresh.is_fresh(7000));
}

TEST(CacheFresh, Rfc9111Section4WhatAStoredReplyMayAnswer) {
  const CachePolicy policy;
  const Freshness ten{.lifetime = 10};
  const Freshness graceful{.lifetime = 10, .stale_while_revalidate = 5};
  const Freshness strict{.lifetime = 10, .stale_while_revalidate = 5, .never_stale = true};
  const Freshness checked{.lifetime = 10, .validate_always = true};
  const auto use = [&](const Freshness* stored, std::int64_t ticks, RequestControl asked = {}) {
    return decide_use(stored, asked, policy, ticks);
  };
  EXPECT_EQ(use(nullptr, 0), CacheUse::fetch);
  EXPECT_EQ(use(nullptr, 0, {.only_if_cached = true}), CacheUse::refuse);
  EXPECT_EQ(use(&ten, 9000), CacheUse::serve);
  EXPECT_EQ(use(&ten, 10000), CacheUse::revalidate);
  EXPECT_EQ(use(&ten, 10000, {.only_if_cached = true}), CacheUse::refuse);
  EXPECT_EQ(use(&graceful, 14000), CacheUse::serve_stale);
  EXPECT_EQ(use(&graceful, 15000), CacheUse::revalidate);
  EXPECT_EQ(use(&strict, 14000), CacheUse::revalidate);
  EXPECT_EQ(use(&checked, 1000), CacheUse::revalidate);
  EXPECT_EQ(use(&ten, 1000, {.no_cache = true}), CacheUse::revalidate);
  EXPECT_EQ(use(&ten, 3000, {.max_age = 2}), CacheUse::revalidate);
  EXPECT_EQ(use(&ten, 3000, {.max_age = 3}), CacheUse::serve);
  EXPECT_EQ(use(&ten, 3000, {.min_fresh = 8}), CacheUse::revalidate);
  EXPECT_EQ(use(&ten, 12000, {.max_stale = 3}), CacheUse::serve);
  const CachePolicy own = policy_of({{"obey-client", "false"}});
  EXPECT_EQ(decide_use(&ten, {.no_cache = true}, own, 1000), CacheUse::serve);
}

TEST(CacheFresh, Rfc5861Section4StaleIfError) {
  const auto of = [](std::string control) { return judge(Told("Cache-Control: " + control + "\r\n")).freshness; };
  const Freshness told = of("max-age=10, stale-if-error=60"), silent = of("max-age=10"),
                  strict = of("max-age=10, must-revalidate, stale-if-error=60"), shared = of("s-maxage=10");
  EXPECT_TRUE(may_stand_in(told, false, 69000));
  EXPECT_FALSE(may_stand_in(told, false, 70000));
  EXPECT_FALSE(may_stand_in(silent, false, 11000));
  EXPECT_TRUE(may_stand_in(silent, true, 11000));  // disconnected, RFC 9111 4.2.4
  EXPECT_FALSE(may_stand_in(strict, true, 11000));
  EXPECT_FALSE(may_stand_in(shared, true, 11000));
}

TEST(CacheKey, IsTheCanonicalUrl) {
  std::string key;
  append_cache_key(key, {.scheme = "https", .host = "a.test", .authority = "A.test:443", .path = "/a", .query = "b"});
  EXPECT_EQ(key, "https://a.test/a");
  key.clear();
  append_cache_key(key, {"http", "::1", "[::1]:8080", "/", "", true});
  EXPECT_EQ(key, "http://[::1]:8080/?");
  EXPECT_EQ(cache_key_of("HTTPS://A.Test:443/x/../b%41?q#f"), "https://a.test/bA?q");
  EXPECT_EQ(cache_key_of("https://a.test"), "https://a.test/");
  EXPECT_EQ(cache_key_of("https://a.test?q"), "https://a.test/?q");
  EXPECT_EQ(cache_key_of("/c?d", "https://a.test/b"), "https://a.test/c?d");
  EXPECT_EQ(cache_key_of("c", "https://a.test/b/x?y"), "https://a.test/b/c");
  EXPECT_EQ(cache_key_of("//b.test/c", "https://a.test/b"), "https://b.test/c");
  for (const std::string_view wrong : {"ftp://a.test/", "https://a b/", "x", "https://a.test/%2f"})
    EXPECT_EQ(cache_key_of(wrong), "") << wrong;
  EXPECT_TRUE(same_origin("https://a.test/b", "https://a.test/c/d"));
  EXPECT_FALSE(same_origin("https://a.test/b", "http://a.test/b"));
  EXPECT_NE(cache_hash("a", 1), cache_hash("a", 2));
  EXPECT_NE(cache_hash("https://a.test/aaaaaaaaaaaaaaa1", 1), cache_hash("https://a.test/aaaaaaaaaaaaaaa2", 1));
}

TEST(CacheKey, Rfc9111Section4_1Vary) {
  EXPECT_EQ(vary_names(Told("Vary: Foo, bar\r\nVary: FOO\r\n").head.fields), "bar,foo");
  EXPECT_EQ(vary_names(Told("Vary:\r\nVary: a, *\r\n").head.fields), "*");
  const auto same = [](std::string vary, std::string one, std::string other) {
    std::string a, b;
    append_selecting(a, vary, Asked(std::move(one)).head.fields);
    append_selecting(b, vary, Asked(std::move(other)).head.fields);
    return a == b;
  };
  EXPECT_TRUE(same("foo", "Foo: 1, 2\r\n", "foo: 1\r\nFOO: 2\r\n"));
  EXPECT_TRUE(same("foo", "Foo: 1,2\r\n", "Foo: 1 , 2\r\n"));
  EXPECT_FALSE(same("foo", "Foo: 1, 2\r\n", "Foo: 2, 1\r\n"));
  EXPECT_FALSE(same("foo", "", "Foo:\r\n"));  // absent is not empty
  EXPECT_FALSE(same("bar,foo", "Bar: 1\r\n", "Foo: 1\r\n"));
  EXPECT_TRUE(same("accept-language", "Accept-Language: en, de\r\n", "Accept-Language: De ,eN\r\n"));
  EXPECT_FALSE(same("accept-language", "Accept-Language: en;q=0.5, de\r\n", "Accept-Language: de;q=0.5, en\r\n"));
  EXPECT_TRUE(prefers_language("fr;q=0.5, de;q=1.0", "de"));
  EXPECT_FALSE(prefers_language("fr, de", "de"));
}

TEST(CacheObject, Rfc9111Section3_1FieldsThatAreNotKept) {
  const auto object = stored(Told("Connection: a, close\r\na: 1\r\nKeep-Alive: x\r\nProxy-Authenticate: x\r\n"
                                  "Proxy-Authentication-Info: x\r\nAge: 3\r\nb: 2\r\nCache-Control: max-age=5\r\n"),
                             "");
  ASSERT_EQ(object->fields.size(), 3u);
  EXPECT_EQ(object->get("b"), "2");
  EXPECT_EQ(object->get("date"), "Thu, 01 Jan 2026 00:00:00 GMT");  // RFC 9110 6.6.1
}

TEST(CacheObject, Rfc9111Section3_2A304UpdatesFields) {
  const auto old =
      stored(Told("ETag: \"1\"\r\nA: 1\r\nB: 1\r\nContent-Encoding: gzip\r\nCache-Control: max-age=1\r\n"), "x");
  const Told reply(
      "ETag: \"2\"\r\nB: 2\r\nC: 3\r\nContent-Encoding: br\r\nCache-Control: max-age=9\r\n"
      "Connection: C\r\nContent-Length: 7\r\n",
      304);
  const http::ResponseHead merged = freshened(*old, reply.head);
  EXPECT_EQ(merged.status, 200);
  EXPECT_EQ(merged.fields.get("etag"), "\"1\"");
  EXPECT_EQ(merged.fields.get("a"), "1");
  EXPECT_EQ(merged.fields.get("b"), "2");
  EXPECT_EQ(merged.fields.get("content-encoding"), "gzip");
  EXPECT_EQ(merged.fields.get("cache-control"), "max-age=9");
  EXPECT_FALSE(merged.fields.find("c") || merged.fields.find("content-length"));
}

TEST(CacheObject, Rfc9111Section4_3_1TheConditionIsOurs) {
  const auto object = stored(Told("ETag: \"1\"\r\nLast-Modified: Wed, 31 Dec 2025 00:00:00 GMT\r\n"), "x");
  const Asked asked("If-None-Match: \"9\"\r\nRange: bytes=0-1\r\nIf-Range: x\r\nCookie: a\r\nFoo: 1\r\n");
  const auto head = request_for(asked.head, object.get(), policy_of({{"cookies", "strip"}}));
  EXPECT_EQ(head.fields.get("if-none-match"), "\"1\"");
  EXPECT_EQ(head.fields.get("if-modified-since"), "Wed, 31 Dec 2025 00:00:00 GMT");
  EXPECT_EQ(head.fields.get("foo"), "1");
  EXPECT_FALSE(head.fields.find("range") || head.fields.find("if-range") || head.fields.find("cookie"));
}

TEST(CacheBody, PiecesNeverMove) {
  CacheBody body(std::nullopt);
  body.append("first");
  const std::string_view first = body.piece(0);
  std::string all = "first";
  for (int i = 0; i < 100; ++i) {
    const std::string part(static_cast<std::size_t>(i) * 97, static_cast<char>('a' + i % 26));
    body.append(part);
    all += part;
  }
  EXPECT_EQ(body.piece(0).data(), first.data());
  std::string read;
  for (std::string_view piece; !(piece = body.piece(read.size())).empty();) read += piece;
  EXPECT_EQ(read, all);
  EXPECT_FALSE(body.length());
  body.complete();
  EXPECT_EQ(body.length(), all.size());
  EXPECT_EQ(CacheBody(7).length(), 7u);
}

TEST(CacheAnswer, Rfc9110Section13Conditions) {
  const auto tagged = stored(
      Told(std::string(kDate) + "ETag: W/\"a,b\"\r\n" + "Last-Modified: Wed, 31 Dec 2025 00:00:00 GMT\r\n"), "x");
  const auto dated = stored(Told(std::string(kDate) + "Cache-Control: max-age=1\r\n"), "x");
  const auto status = [](const StoredReply& object, std::string fields) {
    return answer_for(Asked(std::move(fields)).head, *object, kNow).status;
  };
  EXPECT_EQ(status(tagged, "If-None-Match: \"a,b\"\r\n"), 304);
  EXPECT_EQ(status(tagged, "If-None-Match: \"x\", W/\"a,b\"\r\n"), 304);
  EXPECT_EQ(status(tagged, "If-None-Match: *\r\n"), 304);
  EXPECT_EQ(status(tagged, "If-None-Match: \"b\"\r\nIf-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT\r\n"), 200);
  EXPECT_EQ(status(tagged, "If-Modified-Since: Wed, 31 Dec 2025 00:00:00 GMT\r\n"), 304);
  EXPECT_EQ(status(tagged, "If-Modified-Since: Tue, 30 Dec 2025 00:00:00 GMT\r\n"), 200);
  EXPECT_EQ(status(dated, "If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT\r\n"), 304);
  EXPECT_EQ(status(dated, "If-Modified-Since: yesterday\r\n"), 200);
}

TEST(CacheAnswer, Rfc9110Section14Ranges) {
  const auto object = stored(Told("ETag: \"a\"\r\nCache-Control: max-age=1\r\n"), "0123456789");
  const struct {
    std::string_view range;
    int status;
    std::uint64_t from = 0, length = 10;
  } cases[] = {
      {"bytes=0-1", 206, 0, 2},
      {"bytes=9-", 206, 9, 1},
      {"bytes=-3", 206, 7, 3},
      {"bytes=-30", 206, 0, 10},
      {"bytes=5-99", 206, 5, 5},
      {"bytes=10-", 416, 0, 0},
      {"bytes=-0", 416, 0, 0},
      {"bytes=3-2", 200},
      {"bytes=0-1,3-4", 200},
      {"items=0-1", 200},
      {"bytes=", 200},
      {"bytes=a-b", 200},
      {"bytes=99999999999999999999-", 416, 0, 0},
  };
  for (const auto& each : cases) {
    const auto answer = answer_for(Asked("Range: " + std::string(each.range) + "\r\n").head, *object, kNow);
    EXPECT_EQ(answer.status, each.status) << each.range;
    EXPECT_EQ(answer.from, each.from) << each.range;
    EXPECT_EQ(answer.length, each.length) << each.range;
  }
  const auto with = [&](std::string condition) {
    return answer_for(Asked("Range: bytes=0-1\r\nIf-Range: " + condition + "\r\n").head, *object, kNow).status;
  };
  EXPECT_EQ(with("\"a\""), 206);
  EXPECT_EQ(with("\"b\""), 200);
  EXPECT_EQ(with("W/\"a\""), 200);
  EXPECT_EQ(answer_for(Asked("Range: bytes=0-1\r\n", "HEAD").head, *object, kNow).status, 200);
}

TEST(CacheAnswer, Rfc9211CacheStatusAndAge) {
  const CachePolicy policy = policy_of({{"ttl", "30"}, {"cache-control", "public, max-age=30"}, {"debug", "true"}});
  const auto object = stored(Told("Cache-Control: max-age=1\r\nExpires: 0\r\nContent-Type: text/plain\r\n"),
                             "0123456789", Asked(), policy);
  http::ResponseHead head;
  AnswerText text;
  fill_answer(head, {.status = 206, .from = 2, .length = 3}, {*object, policy, 4000, {}}, text);
  EXPECT_EQ(head.fields.get("content-range"), "bytes 2-4/10");
  EXPECT_EQ(head.fields.get("age"), "4");
  EXPECT_EQ(head.fields.get("cache-status"), "berth; hit; ttl=26");
  EXPECT_EQ(head.fields.get("cache-control"), "public, max-age=30");
  EXPECT_EQ(head.fields.get("v-cache"), "HIT");
  EXPECT_FALSE(head.fields.find("expires"));
  fill_answer(head, {.status = 304, .from = 0, .length = 0},
              {*object, policy, 0, {.kind = CacheNote::Kind::miss, .forwarded_status = 200, .stored = true}}, text);
  EXPECT_FALSE(head.fields.find("content-type") || head.fields.find("age") || head.framing.length);
  EXPECT_EQ(head.fields.get("cache-status"), "berth; fwd=miss; fwd-status=200; stored; ttl=30");
}

TEST(CachePolicy, ReadsLabels) {
  const CachePolicy policy = policy_of({{"ttl", "30s"}, {"status", "200, 203"}, {"ttl.404", "5s"}, {"grace", "10s"}});
  EXPECT_EQ(policy.ttl_of(200), 30);
  EXPECT_EQ(policy.ttl_of(203), 30);
  EXPECT_EQ(policy.ttl_of(404), 5);
  EXPECT_EQ(policy.ttl_of(301), std::nullopt);
  EXPECT_EQ(policy.grace, 10);
  EXPECT_EQ(policy.cookies, CachePolicy::Cookies::pass);  // a lifetime of ours says nothing about who it is for
  EXPECT_EQ(policy_of({{"ttl", "30"}, {"cookies", "ignore"}}).cookies, CachePolicy::Cookies::ignore);
  const struct {
    CachePolicy::Fields fields;
    std::string_view message;
  } wrong[] = {
      {{{"tll", "1"}}, "cache.tll: is not known (did you mean \"ttl\"?)"},
      {{{"ttl", "soon"}}, "cache.ttl: \"soon\" is not a duration such as 30s or 5m"},
      {{{"ttl.304", "1"}}, "cache.ttl.304: \"304\" is not the status of a reply that can be stored"},
      {{{"cookies", "eat"}}, "cache.cookies: \"eat\" is not one of ignore, pass and strip"},
      {{{"ttl", "1"}, {"cache-control", "public; max-age=30"}},
       "cache.cache-control: \"public; max-age=30\" is not a list of directives such as public, max-age=30"},
      {{{"status", "200"}}, "cache.status says for which replies ttl is; set ttl too"},
      {{{"max-size", "2g"}}, "cache.max-size: must be 1 byte to 1 GiB"},
  };
  for (const auto& each : wrong) EXPECT_EQ(read_cache_policy(each.fields).error().message, each.message);
}

TEST(CachePolicy, SecondSeedWithoutItsFaults) {
  const CachePolicy policy = policy_of({{"ttl", "30s"}, {"grace", "10s"}, {"cache-control", "public, max-age=30"}});
  const auto why = [&](std::string reply, std::string request = {}, int status = 200) {
    return judge(Told(std::move(reply), status), Asked(std::move(request)), policy).why;
  };
  EXPECT_EQ(why(""), "");
  EXPECT_EQ(why("Cache-Control: no-store\r\n"), "no-store");  // the login page stays private
  EXPECT_EQ(why("Cache-Control: private\r\n"), "private");
  EXPECT_EQ(why("", "Cookie: a=b\r\n"), "cookie");
  EXPECT_EQ(why("", "", 404), "no lifetime");  // errors are not kept longer than pages
  EXPECT_EQ(judge(Told("Age: 500\r\n"), Asked(), policy).freshness.lifetime, 30);
}

}  // namespace
}  // namespace berth::edge
