// What clients and upstreams may not do: ambiguous framing, slowness, size; and what swaps and drains may not break.
#include "edge/server_fixture.h"

namespace berth::edge {
namespace {

using namespace std::chrono_literals;
using Test = io::Task<void>;

#define RUN(name)           \
  TEST(ServerLimit, name) { \
    World world;            \
    world.run(name##_body); \
  }

constexpr std::string_view kPost = "POST /echo HTTP/1.1\r\nHost: app.test\r\n";

struct Smuggled {
  std::string text;
  int status;
};

std::vector<Smuggled> smuggled() {
  const std::string post(kPost), smuggle = "GET /admin HTTP/1.1\r\nHost: app.test\r\n\r\n";
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
  return {
      {post + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggle, 400},
      {post + "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n" + smuggle, 400},
      {post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", 400},
      {post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde", 400},
      {post + "Content-Length: 5, 5\r\n\r\nabcde", 400},
      {post + "Content-Length: +5\r\n\r\nabcde", 400},
      {post + "Content-Length: -5\r\n\r\nabcde", 400},
      {post + "Content-Length: 0x5\r\n\r\nabcde", 400},
      {post + "Content-Length:\r\n\r\n", 400},
      {post + "Content-Length: 5 5\r\n\r\nabcde", 400},
      {post + "Content-Length: 99999999999999999999\r\n\r\n", 400},
      {post + "Content-Length : 5\r\n\r\nabcde", 400},
      {post + " Content-Length: 5\r\n\r\nabcde", 400},
      {post + "X-A: 1\r\n Content-Length: 5\r\n\r\nabcde", 400},
      {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {post + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400},
      {post + "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n", 400},
      {post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
      {post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
      {post + "Transfer-Encoding: identity\r\n\r\n", 501},
      {post + "Transfer-Encoding:\vchunked\r\n\r\n0\r\n\r\n", 400},
      {post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400},
      {post + "Transfer-Encoding: chunked\n\r\n0\r\n\r\n", 400},
      {"GET / HTTP/1.1\nHost: app.test\n\n", 400},
      {"GET / HTTP/1.1\r\nHost: app.test\r\nX: a\rb\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: app.test\r\nX: a\nY: b\r\n\r\n", 400},
      {std::string("GET / HTTP/1.1\r\nHost: app.test\r\nX: a") + '\0' + "b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: app.test\r\nNo colon\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: app.test\r\n: empty\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: app.test\r\nX(): a\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: app.test\r\nHost: other.test\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: app.test, other.test\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: user@app.test\r\n\r\n", 400},
      {"GET http://other.test/ HTTP/1.1\r\nHost: app.test\r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\nHost: app.test\r\n\r\n", 400},
      {"GET / HTTP/1.1 \r\nHost: app.test\r\n\r\n", 400},
      {"GET / HTTP/1.1x\r\nHost: app.test\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: app.test\r\n\r\n", 505},
      {"GET /a b HTTP/1.1\r\nHost: app.test\r\n\r\n", 400},
      {"GET /\x01 HTTP/1.1\r\nHost: app.test\r\n\r\n", 400},
      {"GET /#frag HTTP/1.1\r\nHost: app.test\r\n\r\n", 400},
      {"G@T / HTTP/1.1\r\nHost: app.test\r\n\r\n", 400},
      {"GET /a%2f..%2fadmin HTTP/1.1\r\nHost: app.test\r\n\r\n", 400},
      {"GET /../admin HTTP/1.1\r\nHost: app.test\r\n\r\n", 400},
      {"GET /%00 HTTP/1.1\r\nHost: app.test\r\n\r\n", 400},
      {"GET /a\\b HTTP/1.1\r\nHost: app.test\r\n\r\n", 400},
      {"CONNECT app.test:443 HTTP/1.1\r\nHost: app.test:443\r\n\r\n", 405},
      {"TRACE / HTTP/1.1\r\nHost: app.test\r\n\r\n", 405},
      {"OPTIONS * HTTP/1.1\r\nHost: app.test\r\n\r\n", 400},
      {"GET / HTTP/1.0\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"POST /echo HTTP/1.1\r\nHost: app.test\r\n\tTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
  };
}

Test RefusesAmbiguousHeads_body(World& world) {
  for (const Smuggled& each : smuggled()) {
    auto browser = co_await world.browse();
    const Answer answer = co_await browser->ask(each.text);
    EXPECT_EQ(answer.status, each.status) << each.text;
  }
  EXPECT_EQ(world.origin_requests, 0u);
}
RUN(RefusesAmbiguousHeads)

// The head is right, so the upstream has seen it; but the rest never becomes a second request.
Test CutsAmbiguousBodies_body(World& world) {
  const std::string chunked = std::string(kPost) + "Transfer-Encoding: chunked\r\n\r\n";
  const std::string bodies[] = {
      "5\nhello\r\n0\r\n\r\n",
      "5\r\nhello0\r\n\r\n",
      "0x5\r\nhello\r\n0\r\n\r\n",
      "+5\r\nhello\r\n0\r\n\r\n",
      "-1\r\n\r\n",
      " 5\r\nhello\r\n0\r\n\r\n",
      "5 \r\nhello\r\n0\r\n\r\n",
      "fffffffffffffffff\r\nx",
      "g\r\n",
      "5\r\nhello\n0\r\n\r\n",
      "5;a\nb\r\nhello\r\n0\r\n\r\n",
      "\r\n0\r\n\r\n",
      "0\r\nContent-Length: 5\n\r\n",
      "5;" + std::string(9000, 'x') + "\r\nhello\r\n0\r\n\r\n",
  };
  for (const std::string& body : bodies) {
    const std::size_t before = world.origin_requests;
    auto browser = co_await world.browse();
    EXPECT_TRUE(co_await browser->send(chunked + body + get("/admin")));
    const Answer answer = co_await browser->receive();
    // Either a 400, or a reply that was begun already (it echoes) and is cut; never a whole one, never a second.
    EXPECT_TRUE(answer.status == 400 || !answer.complete) << body << " -> " << answer.status;
    EXPECT_TRUE(co_await browser->closed()) << body;
    EXPECT_LE(world.origin_requests, before + 1) << body;
  }
}
RUN(CutsAmbiguousBodies)

Test LimitsHeads_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  snapshot.settings.header_bytes = 4096;
  snapshot.settings.header_count = 20;
  world.use(std::move(snapshot));
  std::string many;
  for (int i = 0; i < 30; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";
  auto browser = co_await world.browse();
  EXPECT_EQ((co_await browser->ask(get("/", many))).status, 431);
  browser = co_await world.browse();
  EXPECT_EQ((co_await browser->ask(get("/", "X-Big: " + std::string(5000, 'x') + "\r\n"))).status, 431);
  browser = co_await world.browse();
  EXPECT_EQ((co_await browser->ask(get("/" + std::string(5000, 'x')))).status, 414);
  EXPECT_EQ(world.origin_requests, 0u);
}
RUN(LimitsHeads)

Test LimitsBodies_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  snapshot.settings.body_bytes = 10;
  world.use(std::move(snapshot));
  auto browser = co_await world.browse();
  EXPECT_EQ((co_await browser->ask("POST /upload HTTP/1.1\r\nHost: app.test\r\nContent-Length: 11\r\n\r\nhello world"))
                .status,
            413);
  EXPECT_EQ(
      (co_await browser->ask("POST /upload HTTP/1.1\r\nHost: app.test\r\nContent-Length: 10\r\n\r\nhelloworld")).body,
      "10");
  EXPECT_EQ((co_await browser->ask("POST /upload HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: "
                                   "chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n"))
                .status,
            413);
}
RUN(LimitsBodies)

Test EndsSlowClients_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  snapshot.settings.header_timeout = 50ms;
  snapshot.settings.idle_timeout = 100ms;
  snapshot.settings.stall_timeout = 50ms;
  world.use(std::move(snapshot));
  auto slow_head = co_await world.browse(), slow_body = co_await world.browse(), idle = co_await world.browse();
  const Answer head = co_await slow_head->ask("GET / HTTP/1.1\r\nHost: app.t");
  EXPECT_EQ(head.status, 408);
  EXPECT_TRUE(co_await slow_head->closed());
  const Answer body =
      co_await slow_body->ask("POST /upload HTTP/1.1\r\nHost: app.test\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(body.status, 408);
  EXPECT_TRUE(co_await slow_body->closed());
  EXPECT_TRUE(co_await idle->closed());
}
RUN(EndsSlowClients)

Test EndsClientsThatDoNotRead_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  snapshot.settings.stall_timeout = 100ms;
  world.use(std::move(snapshot));
  auto browser = co_await world.browse();
  EXPECT_TRUE(co_await browser->send(get("/big")));
  while (world.access.empty()) EXPECT_TRUE((co_await io::sleep_for(10ms)).has_value());
  EXPECT_EQ(world.access[0], "GET /big 200 no answer before the deadline");
  EXPECT_LT(world.most_unsent, 50u << 20);
}
RUN(EndsClientsThatDoNotRead)

Test SaysWhenAServiceIsTooSlow_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  snapshot.settings.response_timeout = 50ms;
  world.use(std::move(snapshot));
  auto browser = co_await world.browse();
  const Answer answer = co_await browser->ask(get("/wait", "Accept: application/json\r\n"));
  EXPECT_EQ(answer.status, 504);
  EXPECT_EQ(answer.body, R"({"error":"Gateway Timeout","code":504,"message":"The service did not answer in time."})"
                         "\n");
  EXPECT_TRUE(answer.keep_alive);
  EXPECT_EQ((co_await browser->ask(get("/h"))).status, 200);
}
RUN(SaysWhenAServiceIsTooSlow)

Test HoldsBackAFastServiceForASlowClient_body(World& world) {
  auto browser = co_await world.browse();
  EXPECT_TRUE(co_await browser->send(get("/big")));
  std::uint64_t before = 1;
  while (world.most_unsent == 0 || world.most_unsent != before) {
    before = world.most_unsent;
    EXPECT_TRUE((co_await io::sleep_for(50ms)).has_value());
  }
  // What the kernel's socket buffers take (a few MiB each), and next to nothing in the edge.
  EXPECT_LT(world.most_unsent, 30u << 20);
  const Answer answer = co_await browser->receive();
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.body.size(), 50u << 20);
}
RUN(HoldsBackAFastServiceForASlowClient)

io::Task<void> send_much(Browser& browser, bool& sent) {
  const std::string block(64 << 10, 'y');
  std::string chunk;
  http::append_chunk_size(chunk, block.size());
  chunk += block + "\r\n";
  for (int i = 0; i < 800; ++i) {
    if (!co_await browser.send(chunk)) co_return;
  }
  sent = co_await browser.send("0\r\n\r\n");
}

Test TakesBigUploads_body(World& world) {
  auto browser = co_await world.browse();
  EXPECT_TRUE(co_await browser->send("POST /upload HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n"));
  bool sent = false;
  co_await send_much(*browser, sent);
  EXPECT_TRUE(sent);
  EXPECT_EQ((co_await browser->receive()).body, std::to_string(50u << 20));
}
RUN(TakesBigUploads)

io::Task<void> keep_asking(World& world, const bool& stop, int& good, int& bad) {
  auto browser = co_await world.browse();
  int i = 0;
  while (!stop) {
    ++i;
    if (i % 10 == 9) browser = co_await world.browse();
    const Answer answer = co_await browser->ask(
        i % 3 == 2 ? "POST /echo HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\n\r\nbody" : get("/h"));
    ++(answer.status == 200 && answer.complete ? good : bad);
  }
}

Test SwapsUnderTrafficLoseNothing_body(World& world) {
  auto socket = co_await world.browse();
  EXPECT_EQ((co_await socket->ask(get("/ws", "Connection: Upgrade\r\nUpgrade: websocket\r\n"))).status, 101);
  io::Scope scope(co_await io::here());
  bool stop = false;
  int good = 0, bad = 0;
  for (int i = 0; i < 8; ++i) scope.spawn(keep_asking(world, stop, good, bad));
  for (std::uint64_t version = 2; version < 200; ++version) {
    Snapshot snapshot = world.snapshot(version);
    // Every other table has the origin under another address, so connections of the pool come and go.
    if (version % 2 == 0) snapshot.services[0].upstreams[0].host = "127.0.0.2";
    for (std::uint64_t i = 0; i < version % 7; ++i) {
      snapshot.routes.push_back(snapshot.routes[0]);
      snapshot.routes.back().name += std::to_string(i);
    }
    world.use(std::move(snapshot));
    EXPECT_TRUE((co_await io::sleep_for(2ms)).has_value());
  }
  stop = true;
  co_await scope.join();
  EXPECT_GT(good, 100);
  EXPECT_EQ(bad, 0);
  EXPECT_TRUE(co_await socket->send("still here"));
  while (socket->wire.unread().size() < 10) EXPECT_TRUE((co_await socket->wire.fill()).has_value());
}
RUN(SwapsUnderTrafficLoseNothing)

Test ATakenAwayTargetIsA503ForItsRouteAlone_body(World& world) {
  auto browser = co_await world.browse();
  EXPECT_EQ((co_await browser->ask(get("/h"))).status, 200);
  Snapshot snapshot = world.snapshot(2);
  snapshot.services[1].upstreams = snapshot.services[0].upstreams;
  snapshot.services[0].upstreams.clear();
  world.use(std::move(snapshot));
  EXPECT_EQ(world.server->idle_upstreams(), 1u);
  EXPECT_EQ((co_await browser->ask(get("/h"))).status, 503);
  EXPECT_EQ((co_await browser->ask(get("/h", "", "gone.test"))).status, 200);
  world.use(world.snapshot(3));
  EXPECT_EQ((co_await browser->ask(get("/h"))).status, 200);
}
RUN(ATakenAwayTargetIsA503ForItsRouteAlone)

Test DrainingFinishesWhatIsOpen_body(World& world) {
  auto busy = co_await world.browse(), idle = co_await world.browse();
  EXPECT_EQ((co_await idle->ask(get("/h"))).status, 200);
  EXPECT_TRUE(co_await busy->send(get("/wait")));
  while (world.origin_requests < 2) EXPECT_TRUE((co_await io::sleep_for(1ms)).has_value());
  world.server->drain(10s);
  EXPECT_TRUE(co_await idle->closed());
  EXPECT_FALSE((co_await io::connect(world.web)).has_value());
  world.go.set();
  const Answer answer = co_await busy->receive();
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(answer.keep_alive);
  EXPECT_TRUE(co_await busy->closed());
}
RUN(DrainingFinishesWhatIsOpen)

Test DrainingCutsWhatTakesTooLong_body(World& world) {
  auto busy = co_await world.browse();
  EXPECT_TRUE(co_await busy->send(get("/wait")));
  while (world.origin_requests < 1) EXPECT_TRUE((co_await io::sleep_for(1ms)).has_value());
  world.server->drain(20ms);
  EXPECT_TRUE(co_await busy->closed());
}
RUN(DrainingCutsWhatTakesTooLong)

/// Answers the first request of each connection and closes at the second without a word.
io::Task<void> flaky_connection(std::unique_ptr<io::Stream> stream, std::vector<std::string>& seen) {
  http::Wire wire(std::move(stream));
  for (int i = 0; i < 2; ++i) {
    http::RequestHead head;
    http::Parsed parsed;
    wire.next_message();
    while ((parsed = http::parse_request(wire.unread(), head)).state == http::Parsed::State::need_more) {
      const auto more = co_await wire.fill();
      if (!more || !*more) co_return;
    }
    wire.pin(parsed.consumed);
    seen.emplace_back(head.method);
    const auto sent =
        i == 1 ? Result<void>() : co_await io::write_all(wire.stream(), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    static_cast<void>(sent);
  }
}

io::Task<void> flaky_origin(io::Listener& listener, std::vector<std::string>& seen) {
  io::Scope scope(co_await io::here());
  while (auto stream = co_await listener.accept()) scope.spawn(flaky_connection(std::move(*stream), seen));
  scope.cancel();
  co_await scope.join();
}

Test RepeatsOnlyWhatMayBeRepeated_body(World& world) {
  auto listener = io::Listener::open(world.loop, io::Address::parse("127.0.0.1:0").value()).value();
  std::vector<std::string> seen;
  io::Scope scope(co_await io::here());
  scope.spawn(flaky_origin(*listener, seen));
  Snapshot snapshot = world.snapshot(2);
  snapshot.services[0].upstreams[0].port = listener->address().port();
  world.use(std::move(snapshot));
  auto browser = co_await world.browse();
  EXPECT_EQ((co_await browser->ask(get("/1"))).status, 200);
  EXPECT_EQ((co_await browser->ask(get("/2"))).status, 200);  // asked twice: stale, then on a fresh connection
  EXPECT_EQ(seen, (std::vector<std::string>{"GET", "GET", "GET"}));
  const Answer post = co_await browser->ask("POST /3 HTTP/1.1\r\nHost: app.test\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(post.status, 502);
  EXPECT_EQ(seen.size(), 4u);
  listener->close();
  co_await scope.join();
}
RUN(RepeatsOnlyWhatMayBeRepeated)

}  // namespace
}  // namespace berth::edge
