// Services with several ways to serve: sticky cookies, groups, health checks, between real clients and a real origin.
#include "base/text.h"
#include "edge/server_fixture.h"

namespace berth::edge {
namespace {

using Test = io::Task<void>;

#define RUN(name)           \
  TEST(Balance, name) {     \
    World world;            \
    world.run(name##_body); \
  }

/// A second address of the same origin, told apart by its upstream key.
Upstream other(const World& world) {
  return {.host = "127.0.0.2", .port = world.origin.port(), .tls = false, .target = "origin-2"};
}

/// Where nobody listens.
Upstream dead() {
  return {.host = "127.0.0.1", .port = 1, .tls = false, .target = "dead"};
}

Test KeepsAClientByItsCookie_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  Service& service = snapshot.services[0];
  service.upstreams.push_back(other(world));
  service.sticky = Sticky{.name = "sid", .http_only = true};
  service.pass_host = false;  // the origin says which address was asked
  world.use(decode_snapshot(encode_snapshot(snapshot)).value());
  auto browser = co_await world.browse();
  const Answer first = co_await browser->ask(get("/h"));
  const std::string cookie(cut(first.field("set-cookie"), ';').before);
  EXPECT_TRUE(cookie.starts_with("sid=")) << cookie;
  EXPECT_TRUE(first.field("set-cookie").ends_with("; Path=/; HttpOnly")) << first.field("set-cookie");
  const auto host_of = [](const Answer& answer) {
    const auto at = answer.body.find("host: ");
    return answer.body.substr(at, answer.body.find('\n', at) - at);
  };
  for (int i = 0; i < 6; ++i) {
    const Answer again = co_await browser->ask(get("/h", "Cookie: a=b; " + cookie + "\r\n"));
    EXPECT_EQ(host_of(again), host_of(first));
    EXPECT_EQ(again.field("set-cookie"), "");
  }
  const Answer stranger = co_await browser->ask(get("/h", "Cookie: sid=forged\r\n"));
  EXPECT_NE(host_of(stranger), host_of(first));
  EXPECT_NE(stranger.field("set-cookie"), "");
}
RUN(KeepsAClientByItsCookie)

Test DividesByWeightBetweenServices_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  Service second{.name = "second", .upstreams = {other(world)}, .pass_host = false, .down = {}};
  snapshot.services[0].pass_host = false;
  Service group{.name = "group", .upstreams = {}, .pass_host = true, .down = {}};
  group.group = Weighted{.services = {{"origin", 3}, {"second", 1}, {"gone", 100}}};
  snapshot.services.push_back(second);
  snapshot.services.push_back(group);
  snapshot.routes[0].service = "group";
  world.use(decode_snapshot(encode_snapshot(snapshot)).value());
  auto browser = co_await world.browse();
  int seconds = 0;
  for (int i = 0; i < 40; ++i) seconds += (co_await browser->ask(get("/h"))).body.contains("host: 127.0.0.2") ? 1 : 0;
  EXPECT_EQ(seconds, 10);
}
RUN(DividesByWeightBetweenServices)

Test FailsOver_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  Service group{.name = "group", .upstreams = {}, .pass_host = true, .down = {}};
  Service main{.name = "main", .upstreams = {dead()}, .pass_host = true, .down = {}};
  group.group = Failover{.service = "main", .fallback = "origin"};
  snapshot.services.push_back(main);
  snapshot.services.push_back(group);
  snapshot.routes[0].service = "group";
  world.use(decode_snapshot(encode_snapshot(snapshot)).value());
  auto browser = co_await world.browse();
  EXPECT_EQ((co_await browser->ask(get("/h"))).status, 502);  // now it is known to fail
  EXPECT_EQ((co_await browser->ask(get("/h"))).status, 200);
}
RUN(FailsOver)

Test MirrorsRequestsWithoutBody_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  Service copy{.name = "copy", .upstreams = {other(world)}, .pass_host = true, .down = {}};
  Service group{.name = "group", .upstreams = {}, .pass_host = true, .down = {}};
  group.group = Mirroring{.service = "origin", .mirrors = {{"copy", 50}}};
  snapshot.services.push_back(copy);
  snapshot.services.push_back(group);
  snapshot.routes[0].service = "group";
  world.use(decode_snapshot(encode_snapshot(snapshot)).value());
  auto browser = co_await world.browse();
  for (int i = 0; i < 10; ++i) EXPECT_EQ((co_await browser->ask(get("/h"))).status, 200);
  EXPECT_EQ(world.origin_requests, 15u);
  const Answer posted = co_await browser->ask("POST /echo HTTP/1.1\r\nHost: app.test\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_EQ(posted.body, "hi");
  EXPECT_EQ(world.origin_requests, 16u);
}
RUN(MirrorsRequestsWithoutBody)

Test LeavesOutWhatAHealthCheckFinds_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  Service& service = snapshot.services[0];
  service.upstreams.insert(service.upstreams.begin(), dead());
  service.health = HealthCheck{.path = "/status/200", .interval = std::chrono::milliseconds(100)};
  world.use(decode_snapshot(encode_snapshot(snapshot)).value());
  // The prober looks at once; what is wanted is that it found the dead one before any request did.
  while (world.events.empty()) EXPECT_TRUE((co_await io::sleep_for(std::chrono::milliseconds(5))).has_value());
  EXPECT_EQ(world.events[0].subject, "dead");
  EXPECT_TRUE(world.events[0].detail.starts_with("health check /status/200: ")) << world.events[0].detail;
  auto browser = co_await world.browse();
  for (int i = 0; i < 4; ++i) EXPECT_EQ((co_await browser->ask(get("/h"))).status, 200);
}
RUN(LeavesOutWhatAHealthCheckFinds)

Test AHealthCheckMayWantAStatus_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  Service& service = snapshot.services[0];
  service.health = HealthCheck{.path = "/status/204", .interval = std::chrono::milliseconds(100), .status = 200};
  world.use(std::move(snapshot));
  while (world.events.empty()) EXPECT_TRUE((co_await io::sleep_for(std::chrono::milliseconds(5))).has_value());
  EXPECT_EQ(world.events[0].detail, "health check /status/204: status 204");
  auto browser = co_await world.browse();
  // The only one is asked all the same.
  EXPECT_EQ((co_await browser->ask(get("/h"))).status, 200);
}
RUN(AHealthCheckMayWantAStatus)

}  // namespace
}  // namespace berth::edge
