#include "base/text.h"
#include "edge/server_fixture.h"

namespace berth::edge {
namespace {

using Test = io::Task<void>;

#define RUN(name)           \
  TEST(Server, name) {      \
    World world;            \
    world.run(name##_body); \
  }

Test ForwardsOverKeptConnections_body(World& world) {
  auto browser = co_await world.browse();
  for (int i = 0; i < 3; ++i) {
    const Answer answer = co_await browser->ask(get("/a/b?x=1"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.complete && answer.keep_alive);
    EXPECT_EQ(answer.field("x-origin"), "1");
    EXPECT_TRUE(answer.body.starts_with("GET /a/b?x=1\n")) << answer.body;
  }
  auto second = co_await world.browse();
  EXPECT_EQ((co_await second->ask(get("/c"))).status, 200);
  EXPECT_EQ(world.origin_connections, 1u);
  EXPECT_EQ(world.origin_requests, 4u);
  EXPECT_EQ(world.access.size(), 4u);
  EXPECT_EQ(world.access.back(), "GET /c 200 ");
}
RUN(ForwardsOverKeptConnections)

Test AnswersPipelinedRequestsInOrder_body(World& world) {
  auto browser = co_await world.browse();
  std::string burst;
  for (int i = 0; i < 20; ++i) burst += get("/p" + std::to_string(i));
  EXPECT_TRUE(co_await browser->send(burst));
  for (int i = 0; i < 20; ++i) {
    const Answer answer = co_await browser->receive();
    EXPECT_TRUE(answer.body.starts_with("GET /p" + std::to_string(i) + "\n")) << answer.body;
  }
}
RUN(AnswersPipelinedRequestsInOrder)

Test TellsTheUpstreamAboutTheClient_body(World& world) {
  auto browser = co_await world.browse();
  const Answer answer = co_await browser->ask(
      get("/h",
          "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: gopher\r\nX-Real-IP: 6.6.6.6\r\nForwarded: for=6\r\n"
          "X_Forwarded_Host: evil\r\nConnection: X-Forwarded-For, Cookie, X-Secret, Host\r\nX-Secret: 1\r\n"
          "Cookie: a=b\r\nTE: trailers\r\nProxy-Authorization: x\r\nAccept: */*\r\n"));
  EXPECT_EQ(answer.body,
            "GET /h\nhost: app.test\ncookie: a=b\naccept: */*\nx-forwarded-for: 127.0.0.1\nx-forwarded-host: app.test\n"
            "x-forwarded-port: 80\nx-forwarded-proto: http\nx-forwarded-server: edge-host\nx-real-ip: 127.0.0.1\n");
}
RUN(TellsTheUpstreamAboutTheClient)

Test BelievesTrustedProxies_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  snapshot.settings.trusted_proxies = {"127.0.0.0/8"};
  world.use(std::move(snapshot));
  auto browser = co_await world.browse();
  const Answer answer = co_await browser->ask(get("/h", "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n"));
  EXPECT_TRUE(answer.body.contains("x-forwarded-for: 6.6.6.6, 127.0.0.1\n")) << answer.body;
  EXPECT_TRUE(answer.body.contains("x-forwarded-proto: https\n")) << answer.body;
}
RUN(BelievesTrustedProxies)

Test StreamsBodiesBothWays_body(World& world) {
  auto browser = co_await world.browse();
  const std::string chunked = "POST /echo HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n";
  Answer answer = co_await browser->ask(chunked + "5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n");
  EXPECT_EQ(answer.body, "hello world");
  EXPECT_EQ(answer.field("transfer-encoding"), "chunked");
  answer = co_await browser->ask("POST /echo HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n\r\nagain");
  EXPECT_EQ(answer.body, "again");
  EXPECT_EQ(answer.field("content-length"), "5");
  // Interactive: each piece comes back before the next is sent.
  EXPECT_TRUE(co_await browser->send(chunked + "3\r\none\r\n"));
  const auto more = co_await browser->wire.fill();
  EXPECT_TRUE(more.has_value());
  while (!browser->wire.unread().contains("3\r\none\r\n")) EXPECT_TRUE((co_await browser->wire.fill()).has_value());
  EXPECT_TRUE(co_await browser->send("3\r\ntwo\r\n0\r\n\r\n"));
  EXPECT_EQ((co_await browser->receive()).body, "onetwo");
}
RUN(StreamsBodiesBothWays)

Test WaitsForContinue_body(World& world) {
  auto browser = co_await world.browse();
  EXPECT_TRUE(co_await browser->send(
      "POST /echo HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_TRUE((co_await browser->wire.fill()).has_value());
  EXPECT_TRUE(browser->wire.unread().starts_with("HTTP/1.1 100 Continue\r\n\r\n"));
  EXPECT_TRUE(co_await browser->send("body"));
  EXPECT_EQ((co_await browser->receive()).body, "body");
  // Without an upstream nobody is asked to send a body, and the connection ends: it might come all the same.
  auto other = co_await world.browse();
  const Answer refused =
      co_await other->ask("POST /x HTTP/1.1\r\nHost: gone.test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(refused.status, 503);
  EXPECT_FALSE(refused.keep_alive);
}
RUN(WaitsForContinue)

Test KnowsRepliesWithoutBody_body(World& world) {
  auto browser = co_await world.browse();
  Answer answer = co_await browser->ask("HEAD /h HTTP/1.1\r\nHost: app.test\r\n\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.field("content-length"), "");
  EXPECT_EQ((co_await browser->ask(get("/none"))).status, 204);
  answer = co_await browser->ask(get("/cached"));
  EXPECT_EQ(answer.status, 304);
  EXPECT_EQ(answer.field("etag"), "\"a\"");
  EXPECT_EQ((co_await browser->ask(get("/h"))).status, 200);
}
RUN(KnowsRepliesWithoutBody)

Test RemovesHopByHopFieldsOfReplies_body(World& world) {
  auto browser = co_await world.browse();
  const Answer answer = co_await browser->ask(get("/hop"));
  EXPECT_EQ(answer.body, "hop");
  EXPECT_EQ(answer.field("x-kept"), "1");
  EXPECT_EQ(answer.field("keep-alive"), "");
  EXPECT_EQ(answer.field("proxy-authenticate"), "");
}
RUN(RemovesHopByHopFieldsOfReplies)

Test ServesHttp10_body(World& world) {
  world.go.set();
  auto browser = co_await world.browse();
  const Answer answer = co_await browser->ask("GET /events HTTP/1.0\r\nHost: app.test\r\n\r\n");
  EXPECT_EQ(answer.body, "data: one\n\ndata: two\n\n");
  EXPECT_EQ(answer.field("transfer-encoding"), "");
  EXPECT_FALSE(answer.keep_alive);
}
RUN(ServesHttp10)

Test AnswersItself_body(World& world) {
  auto browser = co_await world.browse();
  Answer answer = co_await browser->ask(get("/", "Accept: application/json\r\n", "other.test"));
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.body, R"({"error":"Not Found","code":404,"message":"No service is published under this address."})"
                         "\n");
  EXPECT_TRUE(answer.keep_alive);
  answer = co_await browser->ask(get("/", "Accept: text/html\r\n", "gone.test"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(answer.body.starts_with("<!doctype html>")) << answer.body;
  EXPECT_FALSE(answer.body.contains("container"));
  answer = co_await browser->ask(get("/h"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(world.access[1], "GET / 503 container gone is not running");
}
RUN(AnswersItself)

Test LimitsTheRateOfARoute_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  snapshot.routes[0].middlewares = {{"m", RateLimit{.average = 1, .period = std::chrono::hours(1), .burst = 3}}};
  world.use(std::move(snapshot));
  auto browser = co_await world.browse();
  for (int i = 0; i < 3; ++i) EXPECT_EQ((co_await browser->ask(get("/h"))).status, 200);
  const Answer answer = co_await browser->ask(get("/h"));
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.field("retry-after"), "2");
  EXPECT_EQ((co_await browser->ask(get("/h", "", "gone.test"))).status, 503);
}
RUN(LimitsTheRateOfARoute)

Test RedirectsToTls_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  snapshot.settings.public_https_port = 8443;
  world.use(std::move(snapshot));
  auto browser = co_await world.browse();
  Answer answer = co_await browser->ask(get("/a?b=c", "", "Secure.test:8080"));
  EXPECT_EQ(answer.status, 301);
  EXPECT_EQ(answer.field("location"), "https://secure.test:8443/a?b=c");
  answer = co_await browser->ask("POST /a HTTP/1.1\r\nHost: secure.test\r\nContent-Length: 2\r\n\r\nab");
  EXPECT_EQ(answer.status, 308);
  EXPECT_EQ((co_await browser->ask(get("/h"))).status, 200);
  EXPECT_EQ(world.origin_requests, 1u);
}
RUN(RedirectsToTls)

Test CutsWhatTheUpstreamCuts_body(World& world) {
  auto browser = co_await world.browse();
  const Answer answer = co_await browser->ask(get("/die"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(answer.complete);
  EXPECT_EQ(answer.body, "0123456789");
  EXPECT_TRUE(co_await browser->closed());
  auto next = co_await world.browse();
  EXPECT_EQ((co_await next->ask(get("/h"))).status, 200);
}
RUN(CutsWhatTheUpstreamCuts)

Test SaysWhatFailed_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  // A port that was just closed: nobody listens there.
  const auto closed = io::Listener::open(world.loop, io::Address::parse("127.0.0.1:0").value()).value()->address();
  snapshot.services[0].upstreams[0].port = closed.port();
  world.use(std::move(snapshot));
  auto browser = co_await world.browse();
  const Answer answer = co_await browser->ask(get("/h"));
  EXPECT_EQ(answer.status, 502);
  EXPECT_EQ(world.events.size(), 1u);
  EXPECT_EQ(world.events[0].kind, EdgeEvent::Kind::upstream_failed);
  EXPECT_EQ(world.events[0].subject, "origin");
}
RUN(SaysWhatFailed)

Test TriesTheNextUpstream_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  const auto closed = io::Listener::open(world.loop, io::Address::parse("127.0.0.1:0").value()).value()->address();
  Upstream dead = snapshot.services[0].upstreams[0];
  dead.port = closed.port();
  snapshot.services[0].upstreams.insert(snapshot.services[0].upstreams.begin(), dead);
  world.use(std::move(snapshot));
  auto browser = co_await world.browse();
  for (int i = 0; i < 6; ++i) EXPECT_EQ((co_await browser->ask(get("/h"))).status, 200);
}
RUN(TriesTheNextUpstream)

Test TakesAnEarlyReply_body(World& world) {
  auto browser = co_await world.browse();
  EXPECT_TRUE(co_await browser->send("POST /early HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100000000\r\n\r\nabc"));
  const Answer answer = co_await browser->receive();
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.body, "too much");
  EXPECT_TRUE(co_await browser->closed());
}
RUN(TakesAnEarlyReply)

Test FlushesEventStreams_body(World& world) {
  auto browser = co_await world.browse();
  EXPECT_TRUE(co_await browser->send(get("/events")));
  while (!browser->wire.unread().contains("data: one\n\n")) {
    const auto more = co_await browser->wire.fill();
    EXPECT_TRUE(more && *more);
    if (!more || !*more) co_return;
  }
  EXPECT_FALSE(browser->wire.unread().contains("two"));
  world.go.set();
  EXPECT_EQ((co_await browser->receive()).body, "data: one\n\ndata: two\n\n");
}
RUN(FlushesEventStreams)

Test LeavesAStreamWhenItsClientLeaves_body(World& world) {
  auto browser = co_await world.browse();
  EXPECT_TRUE(co_await browser->send(get("/endless")));
  EXPECT_TRUE((co_await browser->wire.fill()).has_value());
  browser->wire.stream().close();
  for (int i = 0; i < 100 && !world.origin_saw_end; ++i) {
    EXPECT_TRUE((co_await io::sleep_for(std::chrono::milliseconds(20))).has_value());
  }
  EXPECT_TRUE(world.origin_saw_end);
}
RUN(LeavesAStreamWhenItsClientLeaves)

Test TunnelsWebSockets_body(World& world) {
  auto browser = co_await world.browse();
  const Answer answer = co_await browser->ask(
      get("/ws", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n") + "early");
  EXPECT_EQ(answer.status, 101);
  EXPECT_EQ(answer.field("upgrade"), "websocket");
  EXPECT_EQ(answer.field("sec-websocket-accept"), "x");
  EXPECT_TRUE(co_await browser->send(" and late"));
  while (browser->wire.unread().size() < 14) EXPECT_TRUE((co_await browser->wire.fill()).has_value());
  EXPECT_EQ(browser->wire.unread(), "early and late");
  browser->wire.stream().shutdown_write();
  EXPECT_TRUE(co_await browser->closed());
}
RUN(TunnelsWebSockets)

Test DropsOtherUpgrades_body(World& world) {
  auto browser = co_await world.browse();
  const Answer answer = co_await browser->ask(
      get("/h", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(answer.body.contains("upgrade"));
  EXPECT_FALSE(answer.body.contains("http2-settings"));
}
RUN(DropsOtherUpgrades)

Test KeepsOnlyWhatTheUpstreamKeeps_body(World& world) {
  auto browser = co_await world.browse();
  EXPECT_EQ((co_await browser->ask(get("/close"))).status, 200);
  EXPECT_EQ(world.server->idle_upstreams(), 0u);
  EXPECT_EQ((co_await browser->ask(get("/h"))).status, 200);
  EXPECT_EQ(world.server->idle_upstreams(), 1u);
  EXPECT_EQ((co_await browser->ask("POST /h HTTP/1.1\r\nHost: app.test\r\nContent-Length: 0\r\n\r\n")).status, 200);
}
RUN(KeepsOnlyWhatTheUpstreamKeeps)

Test CountsForEachRouteWhateverItsNumberInTheTable_body(World& world) {
  const auto counted = [](World& in, const std::string& route) {
    const auto& routes = in.server->counts().routes;
    return routes.contains(route) ? routes.at(route).replies[0][2] : 0;
  };
  auto browser = co_await world.browse();
  EXPECT_EQ((co_await browser->ask(get("/a"))).status, 200);
  EXPECT_EQ((co_await browser->ask(get("/a"))).status, 200);
  EXPECT_EQ(counted(world, "app"), 2u);

  Snapshot before_the_others = world.snapshot(2);
  before_the_others.routes.push_back({.name = "first",
                                      .rule = "Host(`first.test`)",
                                      .priority = 1'000'000,
                                      .listeners = {Listener::web},
                                      .service = "origin"});
  world.use(before_the_others);
  EXPECT_EQ((co_await browser->ask(get("/a"))).status, 200);
  EXPECT_EQ((co_await browser->ask(get("/a", {}, "first.test"))).status, 200);
  EXPECT_EQ(counted(world, "app"), 3u);
  EXPECT_EQ(counted(world, "first"), 1u);

  world.use(world.snapshot(3));
  EXPECT_EQ((co_await browser->ask(get("/a"))).status, 200);
  EXPECT_EQ(counted(world, "app"), 4u);
  EXPECT_EQ(counted(world, "first"), 0u);  // forgotten with its route
}
RUN(CountsForEachRouteWhateverItsNumberInTheTable)

}  // namespace
}  // namespace berth::edge
