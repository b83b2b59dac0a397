// Services that an operator pauses or stops: requests wait, go on, or are turned away; what lasts is counted and cut.
#include "edge/server_fixture.h"

namespace berth::edge {
namespace {

using namespace std::chrono_literals;
using Test = io::Task<void>;

#define RUN(name)           \
  TEST(ServerHold, name) {  \
    World world;            \
    world.run(name##_body); \
  }

Snapshot held(const World& world, Hold hold, std::uint64_t version = 2) {
  Snapshot snapshot = world.snapshot(version);
  snapshot.services[0].hold = std::move(hold);
  return decode_snapshot(encode_snapshot(snapshot)).value();
}

LoadCommand about(const World& world, bool cut = false) {
  const Service service = world.snapshot().services[0];
  return {.upstreams = {upstream_key(service.upstreams[0])}, .services = {service.name}, .cut = cut};
}

io::Task<void> until(const std::function<bool()>& holds) {
  for (int i = 0; i < 2000 && !holds(); ++i) EXPECT_TRUE((co_await io::sleep_for(1ms)).has_value());
  EXPECT_TRUE(holds());
}

Test HoldsARequestUntilItIsResumed_body(World& world) {
  world.use(held(world, {}));
  auto browser = co_await world.browse();
  EXPECT_TRUE(co_await browser->send("POST /echo HTTP/1.1\r\nHost: app.test\r\nContent-Length: 2\r\n\r\nhi"));
  const auto waits = [&] { return world.server->load(about(world)).held == 1; };
  co_await until(waits);
  world.use(held(world, {}, 3));  // another change leaves it waiting
  EXPECT_TRUE((co_await io::sleep_for(5ms)).has_value());
  EXPECT_TRUE(waits());
  EXPECT_EQ(world.origin_requests, 0u);
  world.use(world.snapshot(4));
  const Answer answer = co_await browser->receive();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "hi");
  EXPECT_EQ(world.server->load(about(world)).held, 0u);
  EXPECT_EQ((co_await browser->ask(get("/h"))).status, 200);
}
RUN(HoldsARequestUntilItIsResumed)

Test GoesOnToWhatServesByThen_body(World& world) {
  Snapshot snapshot = held(world, {});
  snapshot.services[0].upstreams[0].port = 1;  // nobody listens there
  world.use(std::move(snapshot));
  auto browser = co_await world.browse();
  EXPECT_TRUE(co_await browser->send(get("/h")));
  co_await until([&] { return world.server->load(about(world)).held == 1; });
  world.use(world.snapshot(3));
  EXPECT_EQ((co_await browser->receive()).status, 200);
}
RUN(GoesOnToWhatServesByThen)

Test AServiceThatGoesMeanwhileIsNotAsked_body(World& world) {
  world.use(held(world, {}));
  auto browser = co_await world.browse();
  EXPECT_TRUE(co_await browser->send(get("/h")));
  co_await until([&] { return world.server->load(about(world)).held == 1; });
  Snapshot snapshot = world.snapshot(3);
  snapshot.routes.clear();
  snapshot.services.clear();
  world.use(std::move(snapshot));
  EXPECT_EQ((co_await browser->receive()).status, 503);
  EXPECT_EQ(world.origin_requests, 0u);
}
RUN(AServiceThatGoesMeanwhileIsNotAsked)

Test HoldsNoRequestForTooLong_body(World& world) {
  world.use(held(world, {.most = 20ms}));
  auto browser = co_await world.browse();
  const Answer answer = co_await browser->ask(get("/h"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.field("retry-after"), "");
  EXPECT_EQ(world.origin_requests, 0u);
  EXPECT_EQ(world.server->load(about(world)).held, 0u);
  EXPECT_EQ((co_await browser->ask(get("/h"))).status, 503);  // the connection goes on
}
RUN(HoldsNoRequestForTooLong)

Test HoldsOnlySoMany_body(World& world) {
  world.use(held(world, {.count = 1}));
  auto first = co_await world.browse(), second = co_await world.browse();
  EXPECT_TRUE(co_await first->send(get("/h")));
  co_await until([&] { return world.server->load(about(world)).held == 1; });
  const Answer refused = co_await second->ask(get("/h"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_NE(refused.field("retry-after"), "");
  // Who goes away gives its place to another.
  first->wire.stream().close();
  co_await until([&] { return world.server->load(about(world)).held == 0; });
  EXPECT_TRUE(co_await second->send(get("/h")));
  co_await until([&] { return world.server->load(about(world)).held == 1; });
  world.use(world.snapshot(3));
  EXPECT_EQ((co_await second->receive()).status, 200);
}
RUN(HoldsOnlySoMany)

Test TellsWhatAStoppedServiceSays_body(World& world) {
  world.use(held(world, {.message = "Back at <b>noon</b>."}));
  auto browser = co_await world.browse();
  const Answer answer = co_await browser->ask(get("/h", "Accept: text/html\r\n"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, "Back at <b>noon</b>.\n");
  EXPECT_EQ(answer.field("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(answer.field("retry-after"), "60");
  EXPECT_EQ(world.origin_requests, 0u);
}
RUN(TellsWhatAStoppedServiceSays)

Test StoppingTurnsAwayThoseThatWait_body(World& world) {
  world.use(held(world, {}));
  auto browser = co_await world.browse();
  EXPECT_TRUE(co_await browser->send(get("/h")));
  co_await until([&] { return world.server->load(about(world)).held == 1; });
  world.use(held(world, {.message = "Closed."}, 3));
  const Answer answer = co_await browser->receive();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, "Closed.\n");
}
RUN(StoppingTurnsAwayThoseThatWait)

Test HoldsBehindAGroup_body(World& world) {
  const auto grouped = [&](std::uint64_t version, bool pause) {
    Snapshot snapshot = world.snapshot(version);
    Service group{.name = "group", .upstreams = {}, .pass_host = true, .down = {}};
    group.group = Weighted{.services = {{"origin", 1}}};
    snapshot.services.push_back(group);
    snapshot.routes[0].service = "group";
    if (pause) snapshot.services[0].hold = Hold{};
    return snapshot;
  };
  world.use(grouped(2, true));
  auto browser = co_await world.browse();
  EXPECT_TRUE(co_await browser->send(get("/h")));
  co_await until([&] { return world.server->load(about(world)).held == 1; });
  world.use(grouped(3, false));
  EXPECT_EQ((co_await browser->receive()).status, 200);
}
RUN(HoldsBehindAGroup)

Test CountsAndCutsWhatLasts_body(World& world) {
  world.says["/stream"] = {.body = "begun and ended", .waits_inside = true};
  auto browser = co_await world.browse();
  EXPECT_TRUE(co_await browser->send(get("/stream")));
  co_await until([&] { return world.server->load(about(world)).running == 1; });
  EXPECT_EQ(world.server->load(about(world)).lasting, 0u);
  co_await until([&] { return world.server->load(about(world)).lasting == 1; });
  // Requests beside it go on.
  auto other = co_await world.browse();
  EXPECT_EQ((co_await other->ask(get("/h"))).status, 200);
  EXPECT_EQ(world.server->load(about(world, true)), (Load{.running = 1, .lasting = 1}));
  EXPECT_FALSE((co_await browser->receive()).complete);
  EXPECT_EQ(world.server->load(about(world)), Load{});
  EXPECT_EQ((co_await other->ask(get("/h"))).status, 200);
}
RUN(CountsAndCutsWhatLasts)

Test CutsAnAnswerThatDidNotBegin_body(World& world) {
  world.says["/late"] = {.body = "at last", .waits = true};
  auto browser = co_await world.browse();
  EXPECT_TRUE(co_await browser->send(get("/late")));
  co_await until([&] { return world.server->load(about(world)).lasting == 1; });
  world.server->load(about(world, true));
  EXPECT_EQ((co_await browser->receive()).status, 503);
}
RUN(CutsAnAnswerThatDidNotBegin)

TEST(LoadCommand, GoesThereAndBack) {
  const LoadCommand command{.id = 7, .upstreams = {"a", "b"}, .services = {"web"}, .cut = true};
  const std::string text = encode_command(command);
  ASSERT_TRUE(is_load_command(text));
  const auto back = decode_load_command(text);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->id, 7u);
  EXPECT_EQ(back->upstreams, command.upstreams);
  EXPECT_EQ(back->services, command.services);
  EXPECT_TRUE(back->cut);
  EXPECT_FALSE(is_load_command(R"({"format":1})"));
  EXPECT_FALSE(decode_load_command("{"));
  const Load load{.running = 3, .lasting = 2, .held = 1};
  EXPECT_EQ(decode_load(encode_load(load)), load);
  EXPECT_EQ(decode_load("nothing"), Load{});
  EXPECT_EQ(decode_load(R"({"running":-4})"), Load{});
}

}  // namespace
}  // namespace berth::edge
