// The cache in the edge: what reaches the origin, who waits for whom, and what clients get.
#include <gtest/gtest.h>

#include "edge/server_fixture.h"

namespace berth::edge {
namespace {

using Test = io::Task<void>;
using std::chrono::milliseconds;

void cache(World& world, CachePolicy::Fields fields = {}) {
  Snapshot snapshot = world.snapshot(2);
  snapshot.routes.front().middlewares = {{"c", read_cache_policy(std::move(fields)).value()}};
  world.use(std::move(snapshot));
}

Say fresh(std::string body) {
  return {.headers = {{"Cache-Control", "max-age=60"}, {"ETag", "\"1\""}}, .body = std::move(body)};
}

io::Task<void> pause(milliseconds time) {
  const auto slept = co_await io::sleep_for(time);
  static_cast<void>(slept);
}

io::Task<void> ask_into(World& world, std::string text, Answer& answer) {
  auto browser = co_await world.browse();
  answer = co_await browser->ask(std::move(text));
}

/// All at once; `before_go` is when the origin is released, once all have come.
io::Task<std::vector<Answer>> ask_all(World& world, std::string text, std::size_t count) {
  std::vector<Answer> answers(count);
  io::Scope scope(co_await io::here());
  for (Answer& answer : answers) scope.spawn(ask_into(world, text, answer));
  co_await pause(milliseconds(300));
  world.go.set();
  co_await scope.join();
  co_return answers;
}

Test answers_from_the_store(World& world) {
  cache(world);
  world.says["/a"] = fresh("0123456789");
  auto browser = co_await world.browse();
  const Answer first = co_await browser->ask(get("/a"));
  EXPECT_EQ(first.body, "0123456789");
  EXPECT_EQ(first.field("cache-status"), "berth; fwd=miss; fwd-status=200; stored; ttl=60");
  EXPECT_EQ(first.field("age"), "");
  const Answer second = co_await browser->ask(get("/a"));
  EXPECT_EQ(second.body, "0123456789");
  EXPECT_EQ(second.field("cache-status").substr(0, 10), "berth; hit");
  EXPECT_EQ(second.field("age"), "0");
  EXPECT_EQ(second.field("content-length"), "10");
  const Answer part = co_await browser->ask(get("/a", "Range: bytes=2-4\r\n"));
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "234");
  EXPECT_EQ(part.field("content-range"), "bytes 2-4/10");
  const Answer same = co_await browser->ask(get("/a", "If-None-Match: \"1\"\r\n"));
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.body, "");
  const Answer head = co_await browser->ask("HEAD /a HTTP/1.1\r\nHost: app.test\r\n\r\n");
  EXPECT_EQ(head.field("content-length"), "10");
  EXPECT_EQ(head.body, "");
  const Answer beyond = co_await browser->ask(get("/a", "Range: bytes=10-\r\n"));
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(world.says["/a"].asked, 1u);
  const Answer other = co_await browser->ask(get("/a?b"));
  EXPECT_EQ(world.says["/a"].asked, 2u);
  EXPECT_EQ(world.access.back(), "GET /a 200 ");
}
TEST(CacheServe, AnswersFromTheStore) {
  World().run(answers_from_the_store);
}

Test one_request_for_all(World& world) {
  cache(world);
  world.says["/a"] = fresh(std::string(200'000, 'x'));
  world.says["/a"].waits = true;
  for (const Answer& answer : co_await ask_all(world, get("/a"), 50)) {
    EXPECT_EQ(answer.body.size(), 200'000u);
    EXPECT_TRUE(answer.complete);
  }
  EXPECT_EQ(world.says["/a"].asked, 1u);
  EXPECT_EQ(world.store->totals().counts[static_cast<std::size_t>(CacheCount::collapsed)], 49u);
}
TEST(CacheServe, OneRequestForAll) {
  World().run(one_request_for_all);
}

Test reads_what_still_arrives(World& world) {
  cache(world);
  world.says["/a"] = fresh(std::string(40'000, 'x'));
  world.says["/a"].waits_inside = true;
  auto first = co_await world.browse(), second = co_await world.browse();
  EXPECT_TRUE(co_await first->send(get("/a")));
  co_await pause(milliseconds(50));
  EXPECT_TRUE(co_await second->send(get("/a")));
  // Both have the first half while the origin still thinks about the second one.
  while (second->wire.unread().size() < 16'000) EXPECT_TRUE((co_await second->wire.fill()).value_or(false));
  EXPECT_FALSE(world.go.is_set());
  world.go.set();
  EXPECT_EQ((co_await second->receive()).body.size(), 40'000u);
  EXPECT_EQ((co_await first->receive()).body.size(), 40'000u);
  EXPECT_EQ(world.says["/a"].asked, 1u);
  const Answer stored = co_await first->ask(get("/a"));
  EXPECT_EQ(stored.field("content-length"), "40000");
}
TEST(CacheServe, ReadsWhatStillArrives) {
  World().run(reads_what_still_arrives);
}

Test a_private_answer_lets_all_go(World& world) {
  cache(world);
  world.says["/a"] = {.headers = {{"Cache-Control", "private"}}, .body = "mine", .waits = true};
  for (const Answer& answer : co_await ask_all(world, get("/a"), 10)) {
    EXPECT_EQ(answer.body, "mine");
    EXPECT_EQ(answer.field("cache-status"), "berth; fwd=miss; fwd-status=200; detail=\"private\"");
  }
  EXPECT_EQ(world.says["/a"].asked, 10u);
  // From now on nobody waits: ten more are at the origin at once.
  world.go.reset();
  std::vector<Answer> answers(10);
  io::Scope scope(co_await io::here());
  for (Answer& answer : answers) scope.spawn(ask_into(world, get("/a"), answer));
  for (int i = 0; i < 100 && world.says["/a"].asked < 20; ++i) co_await pause(milliseconds(10));
  EXPECT_EQ(world.says["/a"].asked, 20u);
  world.go.set();
  co_await scope.join();
}
TEST(CacheServe, APrivateAnswerLetsAllGo) {
  World().run(a_private_answer_lets_all_go);
}

Test another_takes_over(World& world) {
  cache(world);
  world.says["/a"] = fresh("done");
  world.says["/a"].waits = true;
  auto leader = co_await world.browse(), other = co_await world.browse();
  EXPECT_TRUE(co_await leader->send(get("/a")));
  co_await pause(milliseconds(50));
  EXPECT_TRUE(co_await other->send(get("/a")));
  co_await pause(milliseconds(50));
  leader->wire.stream().close();
  for (int i = 0; i < 300 && world.says["/a"].asked < 2; ++i) co_await pause(milliseconds(10));
  world.go.set();
  EXPECT_EQ((co_await other->receive()).body, "done");
  EXPECT_EQ(world.says["/a"].asked, 2u);
}
TEST(CacheServe, AnotherTakesOverWhenTheFirstLeaves) {
  World().run(another_takes_over);
}

Test keeps_what_its_client_left(World& world) {
  cache(world);
  world.says["/a"] = fresh(std::string(40'000, 'x'));
  world.says["/a"].waits_inside = true;
  auto leader = co_await world.browse();
  EXPECT_TRUE(co_await leader->send(get("/a")));
  co_await pause(milliseconds(50));
  leader->wire.stream().close();
  world.go.set();
  co_await pause(milliseconds(50));
  auto other = co_await world.browse();
  EXPECT_EQ((co_await other->ask(get("/a"))).body.size(), 40'000u);
  EXPECT_EQ(world.says["/a"].asked, 1u);
}
TEST(CacheServe, KeepsWhatItsClientLeft) {
  World().run(keeps_what_its_client_left);
}

Test serves_stale_while_it_asks(World& world) {
  cache(world);
  Say& said = world.says["/a"];
  said = {.headers = {{"Cache-Control", "max-age=0, stale-while-revalidate=60"}, {"ETag", "\"1\""}}, .body = "old"};
  auto browser = co_await world.browse();
  EXPECT_EQ((co_await browser->ask(get("/a", "Foo: 1\r\n"))).body, "old");
  said.headers = {{"Cache-Control", "max-age=60"}, {"ETag", "\"2\""}};
  said.body = "new";
  EXPECT_EQ((co_await browser->ask(get("/a", "Foo: 2\r\n"))).body, "old");
  for (int i = 0; i < 100 && said.asked < 2; ++i) co_await pause(milliseconds(10));
  co_await pause(milliseconds(50));
  const Answer now = co_await browser->ask(get("/a"));
  EXPECT_EQ(now.body, "new");
  EXPECT_EQ(said.asked, 2u);
  EXPECT_TRUE(said.request.contains("if-none-match: \"1\"\n")) << said.request;
  EXPECT_TRUE(said.request.contains("foo: 2\n") && said.request.contains("host: app.test\n")) << said.request;
}
TEST(CacheServe, ServesStaleWhileItAsks) {
  World().run(serves_stale_while_it_asks);
}

Test confirms_by_304(World& world) {
  cache(world);
  Say& said = world.says["/a"];
  said = {.headers = {{"Cache-Control", "no-cache"}, {"ETag", "\"1\""}, {"X", "1"}}, .body = "body"};
  auto browser = co_await world.browse();
  EXPECT_EQ((co_await browser->ask(get("/a"))).body, "body");
  said.headers = {{"Cache-Control", "max-age=60"}, {"ETag", "\"1\""}, {"X", "2"}};
  const Answer second = co_await browser->ask(get("/a"));
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(second.body, "body");
  EXPECT_EQ(second.field("x"), "2");
  EXPECT_EQ(second.field("cache-status"), "berth; fwd=stale; fwd-status=304; stored; ttl=60");
  const Answer third = co_await browser->ask(get("/a"));
  EXPECT_EQ(third.field("x"), "2");
  EXPECT_EQ(said.asked, 2u);
}
TEST(CacheServe, ConfirmsBy304) {
  World().run(confirms_by_304);
}

Test stands_in_for_a_failure(World& world) {
  cache(world);
  world.says["/a"] = {.headers = {{"Cache-Control", "max-age=0, stale-if-error=60"}, {"ETag", "\"1\""}}, .body = "old"};
  world.says["/b"] = {.headers = {{"Cache-Control", "no-cache, stale-if-error=60"}, {"ETag", "\"1\""}}, .body = "old"};
  auto browser = co_await world.browse();
  for (const std::string_view path : {"/a", "/b"}) EXPECT_EQ((co_await browser->ask(get(path))).body, "old");
  for (Say* said : {&world.says["/a"], &world.says["/b"]}) *said = {.status = 503, .body = "down"};
  EXPECT_EQ((co_await browser->ask(get("/a"))).body, "old");
  EXPECT_EQ((co_await browser->ask(get("/b"))).status, 503);
  EXPECT_EQ(world.store->totals().counts[static_cast<std::size_t>(CacheCount::stand_in)], 1u);
}
TEST(CacheServe, StandsInForAFailure) {
  World().run(stands_in_for_a_failure);
}

Test forgets_what_changed(World& world) {
  cache(world);
  for (const std::string path : {"/a", "/b", "/c"}) world.says[path] = fresh("x");
  auto browser = co_await world.browse();
  for (const std::string_view path : {"/a", "/b", "/c"}) EXPECT_EQ((co_await browser->ask(get(path))).status, 200);
  world.says["/a"].headers = {{"Location", "/b"}, {"Content-Location", "https://elsewhere.test/c"}};
  const std::string post = "POST /a HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1\r\n\r\nx";
  EXPECT_EQ((co_await browser->ask(post)).field("cache-status"), "berth; fwd=bypass; fwd-status=200");
  for (const std::string_view path : {"/a", "/b", "/c"}) EXPECT_EQ((co_await browser->ask(get(path))).status, 200);
  EXPECT_EQ(world.says["/a"].asked, 3u);
  EXPECT_EQ(world.says["/b"].asked, 2u);
  EXPECT_EQ(world.says["/c"].asked, 1u);
  world.says["/c"].status = 500;
  EXPECT_EQ((co_await browser->ask("DELETE /c HTTP/1.1\r\nHost: app.test\r\n\r\n")).status, 500);
  EXPECT_EQ((co_await browser->ask(get("/c"))).status, 200);
}
TEST(CacheServe, ForgetsWhatChanged) {
  World().run(forgets_what_changed);
}

Test passes_on_what_is_too_large(World& world) {
  cache(world, {{"max-size", "100k"}});
  world.says["/a"] = fresh(std::string(5'000'000, 'x'));
  world.says["/a"].waits_inside = true;  // chunked: nobody knows how large before it is over
  world.go.set();
  auto browser = co_await world.browse();
  for (int i = 0; i < 2; ++i) EXPECT_EQ((co_await browser->ask(get("/a"))).body.size(), 5'000'000u);
  EXPECT_EQ(world.says["/a"].asked, 2u);
  EXPECT_LT(world.store->totals().bytes, 100'000u);
  EXPECT_EQ(world.store->totals().incoming, 0u);
}
TEST(CacheServe, PassesOnWhatIsTooLarge) {
  World().run(passes_on_what_is_too_large);
}

Test keeps_no_half(World& world) {
  cache(world);
  world.says["/a"] = fresh(std::string(1000, 'x'));
  world.says["/a"].dies = true;
  auto browser = co_await world.browse();
  EXPECT_FALSE((co_await browser->ask(get("/a"))).complete);
  world.says["/a"].dies = false;
  auto other = co_await world.browse();
  EXPECT_EQ((co_await other->ask(get("/a"))).body.size(), 1000u);
  EXPECT_EQ(world.says["/a"].asked, 2u);
}
TEST(CacheServe, KeepsNoHalf) {
  World().run(keeps_no_half);
}

Test a_purge_reaches_what_is_on_its_way(World& world) {
  cache(world);
  world.says["/a"] = fresh("old");
  world.says["/a"].waits_inside = true;
  auto browser = co_await world.browse(), other = co_await world.browse();
  EXPECT_TRUE(co_await browser->send(get("/a")));
  co_await pause(milliseconds(50));
  world.store->purge({CachePurge::By::prefix, "http://app.test/"});
  EXPECT_TRUE(co_await other->send(get("/a")));
  co_await pause(milliseconds(50));
  EXPECT_EQ(world.says["/a"].asked, 2u);
  world.go.set();
  EXPECT_EQ((co_await browser->receive()).body, "old");
  EXPECT_EQ((co_await other->receive()).body, "old");
}
TEST(CacheServe, APurgeReachesWhatIsOnItsWay) {
  World().run(a_purge_reaches_what_is_on_its_way);
}

Test treats_cookies_as_told(World& world) {
  cache(world, {{"cookies", "strip"}});
  world.says["/a"] = fresh("x");
  auto browser = co_await world.browse();
  for (int i = 0; i < 2; ++i) EXPECT_EQ((co_await browser->ask(get("/a", "Cookie: a=b\r\n"))).status, 200);
  EXPECT_EQ(world.says["/a"].asked, 1u);
  EXPECT_FALSE(world.says["/a"].request.contains("cookie"));
  cache(world, {{"cookies", "pass"}});
  for (int i = 0; i < 2; ++i) EXPECT_EQ((co_await browser->ask(get("/a", "Cookie: a=b\r\n"))).status, 200);
  EXPECT_EQ(world.says["/a"].asked, 3u);
  EXPECT_TRUE(world.says["/a"].request.contains("cookie: a=b\n"));
}
TEST(CacheServe, TreatsCookiesAsTold) {
  World().run(treats_cookies_as_told);
}

Test keeps_variants_apart(World& world) {
  cache(world);
  world.says["/a"] = fresh("x");
  world.says["/a"].headers.emplace_back("Vary", "Foo");
  auto browser = co_await world.browse();
  for (const std::string_view foo : {"1", "2", "1", "2"})
    EXPECT_EQ((co_await browser->ask(get("/a", "Foo: " + std::string(foo) + "\r\n"))).status, 200);
  EXPECT_EQ(world.says["/a"].asked, 2u);
  EXPECT_EQ((co_await browser->ask(get("/b", "Cache-Control: only-if-cached\r\n"))).status, 504);
}
TEST(CacheServe, KeepsVariantsApart) {
  World().run(keeps_variants_apart);
}

constexpr std::string_view kAsAnn = "Authorization: Basic YW5uOjE=\r\n";

Test keeps_logins_apart(World& world) {
  cache(world);
  world.says["/a"] = fresh("for anybody");
  auto browser = co_await world.browse();
  EXPECT_EQ((co_await browser->ask(get("/a"))).body, "for anybody");
  // What was stored for nobody in particular says nothing to someone who logged in (RFC 9111 3.5).
  world.says["/a"].body = "for ann";
  EXPECT_EQ((co_await browser->ask(get("/a", kAsAnn))).body, "for ann");
  EXPECT_EQ(world.says["/a"].asked, 2u);
  // And the reverse: hers is kept for nobody.
  const Answer plain = co_await browser->ask(get("/a"));
  EXPECT_EQ(plain.body, "for anybody");
  EXPECT_TRUE(plain.field("cache-status").starts_with("berth; hit"));
  world.says["/b"] = fresh("for ann");
  EXPECT_EQ((co_await browser->ask(get("/b", kAsAnn))).body, "for ann");
  world.says["/b"].body = "for anybody";
  EXPECT_EQ((co_await browser->ask(get("/b"))).body, "for anybody");
  EXPECT_EQ(world.says["/b"].asked, 2u);
}
TEST(CacheServe, KeepsLoginsApart) {
  World().run(keeps_logins_apart);
}

Test shares_what_is_public(World& world) {
  cache(world);
  for (const std::string control : {"public, max-age=60", "s-maxage=60", "max-age=60, must-revalidate"}) {
    // First for someone who logged in, or first for anybody: one reply serves both.
    for (const bool ann_first : {true, false}) {
      const std::string path = "/" + std::to_string(control.size()) + (ann_first ? "/ann" : "/anybody");
      world.says[path] = {.headers = {{"Cache-Control", control}}, .body = "for all"};
      auto browser = co_await world.browse();
      EXPECT_EQ((co_await browser->ask(get(path, ann_first ? kAsAnn : ""))).body, "for all");
      const Answer other = co_await browser->ask(get(path, ann_first ? "" : kAsAnn));
      EXPECT_TRUE(other.field("cache-status").starts_with("berth; hit")) << control;
      EXPECT_EQ(world.says[path].asked, 1u) << control;
    }
  }
}
TEST(CacheServe, SharesWhatIsPublic) {
  World().run(shares_what_is_public);
}

}  // namespace
}  // namespace berth::edge
