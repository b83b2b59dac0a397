#include "edge/h2_browser.h"

namespace berth::edge {
namespace {

using namespace std::chrono_literals;
using Test = io::Task<void>;

#define RUN(name)           \
  TEST(ServerH2, name) {    \
    World world;            \
    world.run(name##_body); \
  }

io::Task<std::unique_ptr<H2Browser>> connect(World& world) {
  auto stream = co_await io::connect(world.web);
  EXPECT_TRUE(stream.has_value());
  co_return std::make_unique<H2Browser>(std::move(*stream));
}

H2Browser::Fields post(std::string_view path, H2Browser::Fields more = {}) {
  H2Browser::Fields fields{{":method", "POST"}, {":scheme", "http"}, {":path", path}, {":authority", "app.test"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

Test ForwardsAsHttp1_body(World& world) {
  auto browser = co_await connect(world);
  auto& stream =
      browser->get("/a//b?x=1", "App.test",
                   {{"cookie", "a=1"}, {"cookie", "b=2"}, {"te", "trailers"}, {"x-forwarded-for", "6.6.6.6"}});
  const Answer answer = co_await browser->receive(stream);
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.field("x-origin"), "1");
  EXPECT_EQ(answer.field("content-length"), std::to_string(answer.body.size()));
  EXPECT_EQ(answer.body,
            "GET /a/b?x=1\nhost: App.test\ncookie: a=1; b=2\nx-forwarded-for: 127.0.0.1\nx-forwarded-host: App.test\n"
            "x-forwarded-port: 80\nx-forwarded-proto: http\nx-forwarded-server: edge-host\nx-real-ip: 127.0.0.1\n");
  EXPECT_EQ(world.access, (std::vector<std::string>{"GET /a/b 200 "}));
}
RUN(ForwardsAsHttp1)

Test AnswersManyStreamsAtOnce_body(World& world) {
  auto browser = co_await connect(world);
  std::vector<H2Browser::Stream*> streams;
  for (int i = 0; i < 100; ++i) streams.push_back(&browser->get(i % 2 == 0 ? "/h" : "/none"));
  EXPECT_TRUE(co_await browser->until([&] { return std::ranges::all_of(streams, &H2Browser::Stream::closed); }));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(streams[static_cast<std::size_t>(i)]->answer.status, i % 2 == 0 ? 200 : 204);
  // Another hundred over the same memory.
  for (int i = 0; i < 100; ++i) EXPECT_EQ((co_await browser->receive(browser->get("/h"))).status, 200);
}
RUN(AnswersManyStreamsAtOnce)

Test StreamsBodiesBothWays_body(World& world) {
  auto browser = co_await connect(world);
  auto& echo = browser->ask(post("/echo"), "one", true);
  EXPECT_TRUE(co_await browser->until([&] { return echo.answer.body == "one"; }));
  browser->send(echo, "two", true);
  EXPECT_EQ((co_await browser->receive(echo)).body, "onetwo");
  auto& upload = browser->ask(post("/upload"), std::string(3u << 20, 'u'));
  EXPECT_EQ((co_await browser->receive(upload)).body, std::to_string(3u << 20));
  auto& sized = browser->ask(post("/echo", {{"content-length", "5"}}), "again");
  const Answer answer = co_await browser->receive(sized);
  EXPECT_EQ(answer.body, "again");
  EXPECT_EQ(answer.field("content-length"), "5");
}
RUN(StreamsBodiesBothWays)

Test SendsBigReplies_body(World& world) {
  auto browser = co_await connect(world);
  auto &one = browser->get("/big"), &two = browser->get("/h");
  EXPECT_EQ((co_await browser->receive(two)).status, 200);
  EXPECT_FALSE(one.closed);
  const Answer answer = co_await browser->receive(one);
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.body.size(), 50u << 20);
}
RUN(SendsBigReplies)

Test HoldsBackAFastServiceForASlowClient_body(World& world) {
  auto browser = co_await connect(world);
  browser->get("/big");
  EXPECT_TRUE(co_await browser->flush());
  std::uint64_t before = 1;
  while (world.most_unsent == 0 || world.most_unsent != before) {
    before = world.most_unsent;
    EXPECT_TRUE((co_await io::sleep_for(50ms)).has_value());
  }
  // The client's window of 64 KiB holds all but what the sockets between edge and origin take.
  EXPECT_LT(world.most_unsent, 30u << 20);
}
RUN(HoldsBackAFastServiceForASlowClient)

Test AnswersItself_body(World& world) {
  auto browser = co_await connect(world);
  const Answer lost = co_await browser->receive(browser->get("/", "other.test", {{"accept", "application/json"}}));
  EXPECT_EQ(lost.status, 404);
  EXPECT_EQ(lost.body, R"({"error":"Not Found","code":404,"message":"No service is published under this address."})"
                       "\n");
  EXPECT_EQ((co_await browser->receive(browser->get("/", "gone.test"))).status, 503);
  EXPECT_EQ((co_await browser->receive(browser->get("/a%2fb"))).status, 400);
  EXPECT_EQ((co_await browser->receive(browser->get("/#x"))).status, 400);
  EXPECT_EQ((co_await browser->receive(browser->get("/", "a b"))).status, 0);  // nghttp2 resets it
  EXPECT_EQ((co_await browser->receive(browser->get("/", "app.test", {{"host", "evil.test"}}))).status, 400);
  EXPECT_EQ((co_await browser->receive(browser->get("/h", "app.test", {{"host", "app.test"}}))).status, 200);
  EXPECT_EQ((co_await browser->receive(browser->ask({{":method", "CONNECT"}, {":authority", "app.test:443"}}))).status,
            405);
  auto& head = browser->ask({{":method", "HEAD"}, {":scheme", "http"}, {":path", "/h"}, {":authority", "app.test"}});
  const Answer without = co_await browser->receive(head);
  EXPECT_EQ(without.status, 200);
  EXPECT_NE(without.field("content-length"), "");
  EXPECT_EQ(world.origin_requests, 2u);
}
RUN(AnswersItself)

Test LimitsHeadsAndBodies_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  snapshot.settings.header_bytes = 4096;
  snapshot.settings.header_count = 20;
  snapshot.settings.body_bytes = 10;
  world.use(std::move(snapshot));
  auto browser = co_await connect(world);
  const std::string long_text(5000, 'x');
  EXPECT_EQ((co_await browser->receive(browser->get("/", "app.test", {{"x-big", long_text}}))).status, 431);
  H2Browser::Fields many;
  for (int i = 0; i < 30; ++i) many.emplace_back("x", "1");
  EXPECT_EQ((co_await browser->receive(browser->get("/", "app.test", many))).status, 431);
  EXPECT_EQ((co_await browser->receive(browser->ask(post("/upload"), "hello world"))).status, 413);
  EXPECT_EQ(
      (co_await browser->receive(browser->ask(post("/upload", {{"content-length", "11"}}), "hello world"))).status,
      413);
  EXPECT_EQ((co_await browser->receive(browser->ask(post("/upload"), "helloworld"))).body, "10");
}
RUN(LimitsHeadsAndBodies)

Test WaitsForContinue_body(World& world) {
  auto browser = co_await connect(world);
  auto& stream = browser->ask(post("/upload", {{"expect", "100-continue"}}), "", true);
  EXPECT_TRUE(co_await browser->until([&] { return stream.answer.status == 100; }));
  browser->send(stream, "body", true);
  EXPECT_EQ((co_await browser->receive(stream)).body, "4");
}
RUN(WaitsForContinue)

Test TakesAnEarlyReply_body(World& world) {
  auto browser = co_await connect(world);
  auto& stream = browser->ask(post("/early"), "abc", true);
  const Answer answer = co_await browser->receive(stream);
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.body, "too much");
  EXPECT_EQ(stream.error, 0u);
  EXPECT_EQ((co_await browser->receive(browser->get("/h"))).status, 200);
}
RUN(TakesAnEarlyReply)

Test CutsWhatTheUpstreamCuts_body(World& world) {
  auto browser = co_await connect(world);
  auto& stream = browser->get("/die");
  const Answer answer = co_await browser->receive(stream);
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(answer.complete);
  EXPECT_EQ(stream.error, 2u);
  EXPECT_EQ((co_await browser->receive(browser->get("/h"))).status, 200);
}
RUN(CutsWhatTheUpstreamCuts)

Test FlushesEventStreams_body(World& world) {
  auto browser = co_await connect(world);
  auto& stream = browser->get("/events");
  EXPECT_TRUE(co_await browser->until([&] { return stream.answer.body == "data: one\n\n"; }));
  world.go.set();
  EXPECT_EQ((co_await browser->receive(stream)).body, "data: one\n\ndata: two\n\n");
}
RUN(FlushesEventStreams)

Test LeavesAStreamThatItsClientResets_body(World& world) {
  auto browser = co_await connect(world);
  auto& stream = browser->get("/endless");
  EXPECT_TRUE(co_await browser->until([&] { return !stream.answer.body.empty(); }));
  browser->session.reset(stream, http::H2Error::cancel);
  EXPECT_EQ((co_await browser->receive(browser->get("/h"))).status, 200);
  for (int i = 0; i < 100 && !world.origin_saw_end; ++i) EXPECT_TRUE((co_await io::sleep_for(20ms)).has_value());
  EXPECT_TRUE(world.origin_saw_end);
}
RUN(LeavesAStreamThatItsClientResets)

Test LeavesStreamsWhenItsClientLeaves_body(World& world) {
  auto browser = co_await connect(world);
  auto& stream = browser->get("/endless");
  EXPECT_TRUE(co_await browser->until([&] { return !stream.answer.body.empty(); }));
  browser->stream().close();
  for (int i = 0; i < 100 && !world.origin_saw_end; ++i) EXPECT_TRUE((co_await io::sleep_for(20ms)).has_value());
  EXPECT_TRUE(world.origin_saw_end);
}
RUN(LeavesStreamsWhenItsClientLeaves)

Test TunnelsWebSockets_body(World& world) {
  auto browser = co_await connect(world);
  EXPECT_EQ((co_await browser->receive(browser->get("/h"))).status, 200);
  EXPECT_TRUE(browser->session.allows_connect_protocol());
  auto& stream = browser->ask({{":method", "CONNECT"},
                               {":protocol", "websocket"},
                               {":scheme", "http"},
                               {":path", "/ws"},
                               {":authority", "app.test"},
                               {"sec-websocket-version", "13"}},
                              "early", true);
  EXPECT_TRUE(co_await browser->until([&] { return stream.answer.body == "early"; }));
  EXPECT_EQ(stream.answer.status, 200);
  EXPECT_EQ(stream.answer.field("upgrade"), "");
  EXPECT_EQ(stream.answer.field("sec-websocket-accept"), "");
  browser->send(stream, " and late", false);
  EXPECT_TRUE(co_await browser->until([&] { return stream.answer.body == "early and late"; }));
  browser->send(stream, "", true);
  EXPECT_TRUE((co_await browser->receive(stream)).complete);
}
RUN(TunnelsWebSockets)

// RFC 8441 5: a client takes a 2xx for the tunnel.
Test SaysThatAWebSocketWasNotTaken_body(World& world) {
  auto browser = co_await connect(world);
  EXPECT_EQ((co_await browser->receive(browser->get("/h"))).status, 200);
  auto& stream = browser->ask({{":method", "CONNECT"},
                               {":protocol", "websocket"},
                               {":scheme", "http"},
                               {":path", "/h"},
                               {":authority", "app.test"},
                               {"sec-websocket-version", "13"}},
                              "", true);
  EXPECT_EQ((co_await browser->receive(stream)).status, 502);
}
RUN(SaysThatAWebSocketWasNotTaken)

Test EndsSlowClients_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  snapshot.settings.idle_timeout = 500ms;  // longer than anything but the idle one takes until it asks
  snapshot.settings.stall_timeout = 50ms;
  world.use(std::move(snapshot));
  auto idle = co_await connect(world), slow_body = co_await connect(world);
  EXPECT_EQ((co_await slow_body->receive(slow_body->ask(post("/upload"), "abc", true))).status, 408);
  auto slow_read = co_await connect(world);
  slow_read->get("/big");
  EXPECT_TRUE(co_await slow_read->flush());
  EXPECT_FALSE(co_await idle->until([] { return false; }));
  EXPECT_TRUE(idle->ended);
  while (world.access.size() < 2 && co_await io::sleep_for(10ms)) {
  }
  EXPECT_EQ(world.access.size(), 2u);
  EXPECT_EQ(world.access.back(), "GET /big 200 no answer before the deadline");
}
RUN(EndsSlowClients)

io::Task<void> drip(H2Browser& browser, H2Browser::Stream& stream, int most, int& sent) {
  for (; sent < most && !stream.closed && stream.answer.status == 0; ++sent) {
    browser.send(stream, "x", false);
    if (!co_await browser.flush() || !co_await io::sleep_for(50ms)) co_return;
  }
  if (!stream.closed) browser.send(stream, "", true);
  static_cast<void>(co_await browser.flush());
}

// No wait is near the patience, but together they are; calls of gRPC may be as slow as they like.
Test EndsBodiesThatDrip_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  snapshot.settings.stall_timeout = 1500ms;
  snapshot.settings.least_rate = 1000;
  world.use(std::move(snapshot));
  auto slow = co_await connect(world), call = co_await connect(world);
  auto& slow_stream = slow->ask(post("/upload"), "x", true);
  auto& call_stream = call->ask(post("/upload", {{"content-type", "application/grpc+proto"}}), "x", true);
  io::Scope scope(co_await io::here());
  int slow_sent = 0, call_sent = 0;
  scope.spawn(drip(*slow, slow_stream, 400, slow_sent));
  scope.spawn(drip(*call, call_stream, 60, call_sent));
  EXPECT_EQ((co_await slow->receive(slow_stream)).status, 408);
  EXPECT_LT(slow_sent, 400);
  EXPECT_EQ((co_await call->receive(call_stream)).body, "61");
  co_await scope.join();
}
RUN(EndsBodiesThatDrip)

Test DrainingFinishesWhatIsOpen_body(World& world) {
  auto busy = co_await connect(world), idle = co_await connect(world);
  EXPECT_EQ((co_await idle->receive(idle->get("/h"))).status, 200);
  auto& stream = busy->get("/wait");
  EXPECT_TRUE(co_await busy->flush());
  while (world.origin_requests < 2) EXPECT_TRUE((co_await io::sleep_for(1ms)).has_value());
  world.server->drain(10s);
  EXPECT_FALSE(co_await idle->until([] { return false; }));
  EXPECT_TRUE(idle->ended);
  EXPECT_TRUE(co_await busy->until([&] { return !busy->session.may_request(); }));
  world.go.set();
  EXPECT_TRUE((co_await busy->receive(stream)).complete);
  EXPECT_FALSE(co_await busy->until([] { return false; }));
  EXPECT_TRUE(busy->ended);
}
RUN(DrainingFinishesWhatIsOpen)

Test CountsRequestsThatStillRun_body(World& world) {
  auto browser = co_await connect(world);
  // A client that resets at once holds no more work than one that waits.
  for (int i = 0; i < 190; ++i) {
    auto& stream = browser->get("/wait");
    EXPECT_TRUE(co_await browser->flush());
    browser->session.reset(stream, http::H2Error::cancel);
    EXPECT_TRUE(co_await browser->flush());
  }
  EXPECT_TRUE((co_await io::sleep_for(50ms)).has_value());
  EXPECT_LE(world.origin_requests, 128u);
  EXPECT_EQ((co_await browser->receive(browser->get("/h"))).status, 200);
}
RUN(CountsRequestsThatStillRun)

Test SpeaksItOverTls_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  snapshot.certificates.push_back(issue(world.authority, {"app.test"}, now).value());
  world.use(std::move(snapshot));
  auto context = io::TlsContext::client(
      {.server_name = "app.test", .ca_pem = world.authority.certificate, .verify = true, .alpn = {"h2", "http/1.1"}});
  auto secure = io::tls_over(std::move(*(co_await io::connect(world.websecure))), *context);
  EXPECT_TRUE((co_await secure->handshake()).has_value());
  EXPECT_EQ(secure->protocol(), "h2");
  H2Browser browser(std::move(secure));
  const Answer answer = co_await browser.receive(browser.get("/h"));
  EXPECT_TRUE(answer.body.contains("x-forwarded-proto: https\n")) << answer.body;
  const Answer big = co_await browser.receive(browser.get("/big"));
  EXPECT_TRUE(big.complete);
  EXPECT_EQ(big.body.size(), 50u << 20);
}
RUN(SpeaksItOverTls)

}  // namespace
}  // namespace berth::edge
