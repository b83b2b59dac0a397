// How many clients there may be, and how slowly they may send: over loopback.
#include <algorithm>

#include "edge/limits.h"
#include "edge/proxy_protocol.h"
#include "edge/server_fixture.h"

namespace berth::edge {
namespace {

using namespace std::chrono_literals;
using Test = io::Task<void>;

#define RUN(name)           \
  TEST(ServerCrowd, name) { \
    World world;            \
    world.run(name##_body); \
  }

void limit(World& world, std::size_t all, std::size_t each, std::vector<std::string> trusted = {}) {
  Snapshot snapshot = world.snapshot(2);
  snapshot.settings.connections = all;
  snapshot.settings.client_connections = each;
  snapshot.settings.trusted_proxies = std::move(trusted);
  world.use(std::move(snapshot));
}

io::Task<void> until_open(World& world, std::size_t count) {
  while (world.server->connections() != count) EXPECT_TRUE((co_await io::sleep_for(1ms)).has_value());
}

std::size_t told(const World& world) {
  return static_cast<std::size_t>(std::ranges::count(world.events, EdgeEvent::Kind::crowded, &EdgeEvent::kind));
}

Test OneClientMayHaveSoMany_body(World& world) {
  limit(world, 0, 3);
  std::vector<std::unique_ptr<Browser>> browsers;
  for (int i = 0; i < 3; ++i) {
    browsers.push_back(co_await world.browse());
    EXPECT_EQ((co_await browsers.back()->ask(get("/h"))).status, 200);
  }
  for (int i = 0; i < 5; ++i) {
    auto refused = co_await world.browse();
    EXPECT_EQ((co_await refused->ask(get("/h"))).status, 0);
  }
  for (auto& browser : browsers) EXPECT_EQ((co_await browser->ask(get("/h"))).status, 200);
  EXPECT_EQ(world.server->metrics().refused, 5u);
  EXPECT_EQ(told(world), 1u);
  EXPECT_TRUE(world.events[0].detail.contains("client 127.0.0.1 has the 3 connections")) << world.events[0].detail;
  // One goes, one may come.
  browsers.pop_back();
  co_await until_open(world, 2);
  auto next = co_await world.browse();
  EXPECT_EQ((co_await next->ask(get("/h"))).status, 200);
}
RUN(OneClientMayHaveSoMany)

Test TrustedProxiesMayHaveAnyNumber_body(World& world) {
  limit(world, 0, 1, {"127.0.0.0/8"});
  std::vector<std::unique_ptr<Browser>> browsers;
  for (int i = 0; i < 5; ++i) {
    browsers.push_back(co_await world.browse());
    EXPECT_EQ((co_await browsers.back()->ask(get("/h"))).status, 200);
  }
  EXPECT_EQ(world.server->metrics().refused, 0u);
}
RUN(TrustedProxiesMayHaveAnyNumber)

Test ClientsBehindAProxyAreCountedByItsHeader_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  snapshot.settings.client_connections = 2;
  snapshot.tcp.entry_points = {{.name = "web", .proxy_trusted = {"127.0.0.0/8"}}};
  world.use(std::move(snapshot));
  const auto behind = [](std::string_view client) {
    return encode_proxy_v2({.known = true,
                            .source = {.ip = *parse_ip(client), .port = 1000},
                            .destination = {.ip = *parse_ip("2001:db8::1"), .port = 80}});
  };
  std::vector<std::unique_ptr<Browser>> browsers;
  const auto ask = [&](std::string header) -> io::Task<int> {
    browsers.push_back(co_await world.browse());
    co_return (co_await browsers.back()->ask(std::move(header) + get("/h"))).status;
  };
  EXPECT_EQ(co_await ask(behind("2001:db8:0:7::1")), 200);
  EXPECT_EQ(co_await ask(behind("2001:db8:0:7::2")), 200);
  EXPECT_EQ(co_await ask(behind("2001:db8:0:7::3")), 0);
  EXPECT_EQ(co_await ask(behind("2001:db8:0:8::3")), 200);
  // The proxy's own checks name no client: they are never too many.
  for (int i = 0; i < 4; ++i) EXPECT_EQ(co_await ask(encode_proxy_v2({})), 200);
  EXPECT_EQ(world.server->metrics().refused, 1u);
}
RUN(ClientsBehindAProxyAreCountedByItsHeader)

Test AcceptingWaitsForRoom_body(World& world) {
  limit(world, 4, 100);
  std::vector<std::unique_ptr<Browser>> browsers;
  while (world.server->metrics().pauses == 0 && browsers.size() < 10) {
    browsers.push_back(co_await world.browse());
    EXPECT_TRUE(co_await browsers.back()->send(get("/h")));
    EXPECT_TRUE((co_await io::sleep_for(20ms)).has_value());
  }
  EXPECT_GE(world.server->connections(), 4u);
  EXPECT_LE(world.server->connections(), 6u);  // each of the three listeners had begun to accept one
  EXPECT_EQ(told(world), 1u);
  EXPECT_TRUE(world.events[0].detail.contains("all 4 connections")) << world.events[0].detail;
  // Those that are there are served on; the one that came last waits in the kernel until one goes.
  EXPECT_EQ((co_await browsers[0]->receive()).status, 200);
  EXPECT_EQ((co_await browsers[0]->ask(get("/h"))).status, 200);
  const std::size_t open = world.server->connections();
  auto late = co_await world.browse();
  EXPECT_TRUE(co_await late->send(get("/late")));
  EXPECT_TRUE((co_await io::sleep_for(50ms)).has_value());
  EXPECT_EQ(world.server->connections(), open);
  EXPECT_EQ((co_await browsers[0]->ask(get("/h"))).status, 200);
  browsers.clear();
  EXPECT_EQ((co_await late->receive()).status, 200);
}
RUN(AcceptingWaitsForRoom)

Test ADrainEndsTheWaitForRoom_body(World& world) {
  limit(world, 1, 100);
  auto one = co_await world.browse(), other = co_await world.browse();
  while (world.server->metrics().pauses == 0) EXPECT_TRUE((co_await io::sleep_for(1ms)).has_value());
  world.server->drain(10s);
  EXPECT_TRUE(co_await one->closed());
  EXPECT_TRUE(co_await other->closed());
}
RUN(ADrainEndsTheWaitForRoom)

void be_slow(World& world, std::chrono::milliseconds patience, std::size_t rate) {
  Snapshot snapshot = world.snapshot(2);
  snapshot.settings.stall_timeout = patience;
  snapshot.settings.least_rate = rate;
  world.use(std::move(snapshot));
}

/// Sends a chunk of `size` bytes now and then until the edge has enough, or `most` of them went.
io::Task<int> drip(Browser& browser, std::size_t size, io::Duration every, int most) {
  std::string chunk;
  http::append_chunk_size(chunk, size);
  chunk.append(size, 'x').append(http::kChunkEnd);
  for (int sent = 0; sent < most; ++sent) {
    const auto came = browser.wire.try_fill();
    if (came.state != io::Attempt::blocked || !co_await browser.send(chunk)) co_return sent;
    EXPECT_TRUE((co_await io::sleep_for(every)).has_value());
  }
  co_return most;
}

const std::string kChunked = "POST /upload HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n";

Test EndsBodiesThatDrip_body(World& world) {
  be_slow(world, 400ms, 1000);
  auto browser = co_await world.browse();
  EXPECT_TRUE(co_await browser->send(kChunked));
  // No wait is near the patience, but together they are.
  EXPECT_LT(co_await drip(*browser, 1, 50ms, 100), 100);
  EXPECT_EQ((co_await browser->receive()).status, 408);
  EXPECT_TRUE(co_await browser->closed());
}
RUN(EndsBodiesThatDrip)

Test TakesLongBodiesAtADecentPace_body(World& world) {
  be_slow(world, 3s, 1000);
  auto browser = co_await world.browse();
  EXPECT_TRUE(co_await browser->send(kChunked));
  EXPECT_EQ(co_await drip(*browser, 2000, 50ms, 70), 70);  // for longer than the patience
  EXPECT_TRUE(co_await browser->send(std::string(http::kLastChunk)));
  EXPECT_EQ((co_await browser->receive()).body, "140000");
}
RUN(TakesLongBodiesAtADecentPace)

Test LetsBothTalkOnceTheReplyHasBegun_body(World& world) {
  be_slow(world, 1500ms, 1'000'000);
  auto browser = co_await world.browse();
  EXPECT_TRUE(co_await browser->send("POST /echo HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n"));
  std::string all;
  for (int i = 0; i < 25; ++i) {
    EXPECT_TRUE(co_await browser->send("1\r\nx\r\n"));
    EXPECT_TRUE((co_await io::sleep_for(100ms)).has_value());
  }
  EXPECT_TRUE(co_await browser->send(std::string(http::kLastChunk)));
  EXPECT_EQ((co_await browser->receive()).body, std::string(25, 'x'));
}
RUN(LetsBothTalkOnceTheReplyHasBegun)

}  // namespace
}  // namespace berth::edge
