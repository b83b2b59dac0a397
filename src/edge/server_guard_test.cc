// What middlewares must not do to others while they wait, count or copy: between real clients and a real origin.
#include "edge/server_fixture.h"

namespace berth::edge {
namespace {

using namespace std::chrono_literals;
using Test = io::Task<void>;

#define RUN(name)           \
  TEST(ServerGuard, name) { \
    World world;            \
    world.run(name##_body); \
  }

void behind(World& world, Action action) {
  Snapshot snapshot = world.snapshot(2);
  snapshot.routes[0].middlewares = {{"m", std::move(action)}};
  world.use(decode_snapshot(encode_snapshot(snapshot)).value());
}

Test ARetrySpendsABudget_body(World& world) {
  behind(world, Retry{.attempts = 2, .status = {{500, 599}}});
  world.says["/broken"] = {.status = 500};
  auto browser = co_await world.browse();
  constexpr std::size_t kAsked = 40;
  for (std::size_t i = 0; i < kAsked; ++i) EXPECT_EQ((co_await browser->ask(get("/broken"))).status, 500);
  // Ten at once and a fifth of all: 10 + 40 / 5.
  const std::size_t again = world.says["/broken"].asked - kAsked;
  EXPECT_GE(again, 15u);
  EXPECT_LE(again, 18u);
}
RUN(ARetrySpendsABudget)

Test ARequestThatEndsMakesRoom_body(World& world) {
  behind(world, InFlight{.amount = 1, .source = {.host = true}});
  world.says["/held"] = {.body = "ok", .waits = true};
  auto first = co_await world.browse(), second = co_await world.browse();
  for (int i = 0; i < 3; ++i) EXPECT_EQ((co_await second->ask(get("/h"))).status, 200);
  EXPECT_TRUE(co_await first->send(get("/held")));
  while (world.says["/held"].asked == 0) EXPECT_TRUE((co_await io::sleep_for(1ms)).has_value());
  EXPECT_EQ((co_await second->ask(get("/h"))).status, 429);
  world.go.set();
  EXPECT_EQ((co_await first->receive()).status, 200);
  EXPECT_EQ((co_await second->ask(get("/h"))).status, 200);
}
RUN(ARequestThatEndsMakesRoom)

Test TooManyLoginsAreNoWrongOnes_body(World& world) {
  // bcrypt with 2^10 rounds: slow enough for all to be there before the first is checked.
  behind(world, BasicAuth{.users = {"ann:$2b$10$abcdefghijklmnopqrstuu5Lo0gbN3ZQZMQ0Gqj5GAQWHOeV4nyVu"}});
  std::vector<std::unique_ptr<Browser>> browsers;
  for (int i = 0; i < 40; ++i) browsers.push_back(co_await world.browse());
  for (const auto& browser : browsers)
    EXPECT_TRUE(co_await browser->send(get("/h", "Authorization: Basic YW5uOndyb25n\r\n")));
  std::map<int, int> statuses;
  for (const auto& browser : browsers) {
    const Answer answer = co_await browser->receive();
    ++statuses[answer.status];
    EXPECT_EQ(answer.field("www-authenticate").empty(), answer.status == 503);
    EXPECT_EQ(answer.field("retry-after").empty(), answer.status == 401);
  }
  EXPECT_EQ(statuses[401] + statuses[503], 40);
  EXPECT_GE(statuses[401], 32);
  EXPECT_GE(statuses[503], 1);
}
RUN(TooManyLoginsAreNoWrongOnes)

Test AMirrorHoldsNobodyUp_body(World& world) {
  // It accepts connections and says nothing.
  bool ok = false;
  const auto silent = io::Listener::open(world.loop, io::Address::ip("127.0.0.1", 0, ok)).value();
  Snapshot snapshot = world.snapshot(2);
  Service copy{
      .name = "copy", .upstreams = {{.host = "127.0.0.1", .port = silent->address().port(), .target = {}}}, .down = {}};
  Service group{.name = "group", .upstreams = {}, .down = {}};
  group.group = Mirroring{.service = "origin", .mirrors = {{"copy", 100}}};
  snapshot.services.push_back(copy);
  snapshot.services.push_back(group);
  snapshot.routes[0].service = "group";
  world.use(std::move(snapshot));
  auto browser = co_await world.browse();
  const io::Time begun = world.loop.now();
  for (int i = 0; i < 3; ++i) EXPECT_EQ((co_await browser->ask(get("/h"))).status, 200);
  EXPECT_LT(world.loop.now() - begun, 3s);
  EXPECT_EQ(world.origin_requests, 3u);
  // The copies are on their way all the same.
  const LoadCommand about{.upstreams = {upstream_key(copy.upstreams[0])}};
  EXPECT_EQ(world.server->load(about).running, 3u);
}
RUN(AMirrorHoldsNobodyUp)

}  // namespace
}  // namespace berth::edge
