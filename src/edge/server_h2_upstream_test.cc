// Services that speak HTTP/2: how exchanges share their connections, and what a hostile one can do.
#include "edge/h2_browser.h"

namespace berth::edge {
namespace {

using namespace std::chrono_literals;
using Test = io::Task<void>;
using std::string;

enum Type : unsigned char { kData, kHeaders, kPriority, kReset, kSettings, kPush, kPing, kGoAway, kWindow };
constexpr unsigned char kEndStream = 1, kEndHeaders = 4, kAck = 1;
const string kOk = "\x88";  // :status 200

string number(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

string frame(Type type, unsigned char flags, std::int32_t stream, const string& content) {
  string out = number(static_cast<std::uint32_t>(content.size())).substr(1);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  return out + number(static_cast<std::uint32_t>(stream)) + content;
}

string setting(unsigned char id, std::uint32_t value) {
  return frame(kSettings, 0, 0, string{0, static_cast<char>(id)} + number(value));
}

/// A whole reply.
string reply(std::int32_t stream, const string& body) {
  return frame(kHeaders, kEndHeaders, stream, kOk) + frame(kData, kEndStream, stream, body);
}

/// A service that writes its frames by hand: it may break any rule.
struct Service {
  struct Connection {
    std::unique_ptr<io::Stream> stream;
    std::size_t index = 0;
    std::vector<std::int32_t> requests{};
    std::size_t resets = 0, pings = 0, acknowledged = 0;  ///< settings
    string out{}, in{};
    io::Event wake{};
    bool ended = false;
    void say(const string& bytes) {
      out += bytes;
      wake.set();
    }
  };
  /// What to do when a frame comes.
  using Does = std::function<void(Connection&, const http::H2FrameHead&, const string& content)>;

  explicit Service(io::Loop& loop)
      : listener(io::Listener::open(loop, io::Address::parse("127.0.0.1:0").value()).value()) {}
  std::unique_ptr<io::Listener> listener;
  string settings = frame(kSettings, 0, 0, "");
  Does does;
  std::vector<std::unique_ptr<Connection>> connections{};
};

void take_frame(Service& service, Service::Connection& one, const http::H2FrameHead& head, const string& content) {
  if (head.type == kSettings && (head.flags & kAck) == 0) one.say(frame(kSettings, kAck, 0, ""));
  if (head.type == kSettings && (head.flags & kAck) != 0) ++one.acknowledged;
  if (head.type == kHeaders) one.requests.push_back(head.stream);
  if (head.type == kReset) ++one.resets;
  if (head.type == kPing) ++one.pings;
  service.does(one, head, content);
}

/// Takes the frames that are whole.
void take_frames(Service& service, Service::Connection& one) {
  while (one.in.size() >= 9) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(one.in[i]); };
    const std::uint32_t length = static_cast<std::uint32_t>(at(0) << 16 | at(1) << 8 | at(2));
    if (one.in.size() < 9 + length) return;
    const http::H2FrameHead head{
        .length = length, .type = at(3), .flags = at(4), .stream = at(5) << 24 | at(6) << 16 | at(7) << 8 | at(8)};
    const string content = one.in.substr(9, length);
    one.in.erase(0, 9 + length);
    take_frame(service, one, head, content);
  }
}

io::Task<void> write_frames(Service::Connection& one) {
  while (co_await one.wake.wait()) {
    one.wake.reset();
    if (!co_await io::write_all(*one.stream, std::exchange(one.out, {}))) co_return;
  }
}

io::Task<void> serve(Service& service, Service::Connection& one) {
  io::Scope writer(co_await io::here());
  writer.spawn(write_frames(one));
  one.say(service.settings);
  bool preface = false;
  char bytes[16384];
  while (true) {
    const auto count = co_await io::read_some(*one.stream, bytes);
    if (!count || *count == 0) break;
    one.in.append(bytes, *count);
    if (!preface && one.in.size() < 24) continue;
    if (!std::exchange(preface, true)) one.in.erase(0, 24);
    take_frames(service, one);
  }
  one.ended = true;
  writer.cancel();
  co_await writer.join();
}

io::Task<void> run(Service& service) {
  io::Scope scope(co_await io::here());
  while (auto stream = co_await service.listener->accept()) {
    auto one = std::make_unique<Service::Connection>(std::move(*stream), service.connections.size());
    service.connections.push_back(std::move(one));
    scope.spawn(serve(service, *service.connections.back()));
  }
  scope.cancel();
  co_await scope.join();
}

/// A service in front of which the edge stands, while `test` runs.
Test with_service(World& world, Test (*test)(World&, Service&)) {
  Service service(world.loop);
  service.does = [](Service::Connection& one, const http::H2FrameHead& head, const string&) {
    if (head.type == kHeaders) one.say(reply(head.stream, "well"));
  };
  io::Scope scope(co_await io::here());
  scope.spawn(run(service));
  Snapshot snapshot = world.snapshot(2);
  snapshot.services[0].upstreams = {
      {.host = "127.0.0.1", .port = service.listener->address().port(), .target = "h2", .h2 = true}};
  world.use(std::move(snapshot));
  co_await test(world, service);
  service.listener->close();
  co_await scope.join();
}

#define RUN(name)                                                     \
  TEST(ServerH2Upstream, name) {                                      \
    World world;                                                      \
    world.run([](World& w) { return with_service(w, name##_body); }); \
  }

/// The fields of a request with a body.
H2Browser::Fields post(std::string_view path) {
  return {{":method", "POST"}, {":scheme", "http"}, {":path", path}, {":authority", "app.test"}};
}

bool is_request(const http::H2FrameHead& head) {
  return head.type == kHeaders;
}

io::Task<std::unique_ptr<H2Browser>> browse(World& world) {
  co_return std::make_unique<H2Browser>(std::move(*(co_await io::connect(world.web))));
}

/// Of the first connection.
std::size_t requests(const Service& service) {
  return service.connections.empty() ? 0 : service.connections[0]->requests.size();
}

/// What was asked goes out, and then `done` comes to be.
io::Task<void> until(H2Browser& browser, std::function<bool()> done) {
  EXPECT_TRUE(co_await browser.flush());
  while (!done() && co_await io::sleep_for(1ms)) {
  }
  EXPECT_TRUE(done());
}

/// Requests that run at the same time, each of which must get 200.
io::Task<void> get_all(H2Browser& browser, int count) {
  std::vector<H2Browser::Stream*> streams;
  for (int i = 0; i < count; ++i) streams.push_back(&browser.get("/" + std::to_string(i)));
  for (H2Browser::Stream* each : streams) {
    const Answer answer = co_await browser.receive(*each);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "well");
  }
}

Test SharesConnectionsAsFarAsTheServiceAllows_body(World& world, Service& service) {
  service.settings = setting(3, 8);  // streams at the same time
  std::vector<std::pair<Service::Connection*, std::int32_t>> held;
  service.does = [&](Service::Connection& one, const http::H2FrameHead& head, const string&) {
    if (!is_request(head)) return;
    held.emplace_back(&one, head.stream);
    if (held.size() < 20) return;
    for (const auto& [connection, stream] : held) connection->say(reply(stream, "well"));
    held.clear();
  };
  auto browser = co_await browse(world);
  co_await get_all(*browser, 20);
  EXPECT_EQ(service.connections.size(), 3u);
  co_await get_all(*browser, 20);
  EXPECT_EQ(service.connections.size(), 3u);
  for (const auto& each : service.connections) EXPECT_LE(each->requests.size(), 16u);
}
RUN(SharesConnectionsAsFarAsTheServiceAllows)

// RFC 9113 6.8: what is beyond the last stream was not processed, also where it must not be repeated else.
Test RepeatsWhatIsBeyondGoaway_body(World& world, Service& service) {
  service.does = [&](Service::Connection& one, const http::H2FrameHead& head, const string&) {
    if (one.index > 0 && head.type == kData && (head.flags & kEndStream)) one.say(reply(head.stream, "well"));
    if (one.index > 0 || !is_request(head) || one.requests.size() != 4) return;
    one.say(frame(kGoAway, 0, 0, number(static_cast<std::uint32_t>(one.requests[1])) + number(0)));
    one.say(reply(one.requests[1], "well"));
  };
  auto browser = co_await browse(world);
  browser->get("/settles");
  co_await until(*browser, [&] { return requests(service) == 1; });
  std::vector<H2Browser::Stream*> streams;
  for (int i = 0; i < 3; ++i) streams.push_back(&browser->ask(post("/post"), "body"));
  for (H2Browser::Stream* each : streams) EXPECT_EQ((co_await browser->receive(*each)).body, "well");
  EXPECT_EQ(service.connections.size(), 2u);
}
RUN(RepeatsWhatIsBeyondGoaway)

Test RepeatsWhatIsRefused_body(World& world, Service& service) {
  string got;
  service.does = [&](Service::Connection& one, const http::H2FrameHead& head, const string& content) {
    const bool ends = (head.flags & kEndStream) != 0;
    if (head.type == kData && one.requests.size() > 1) got += content;
    if (head.type != kData || !ends) return;
    one.say(one.requests.size() == 1 ? frame(kReset, 0, head.stream, number(7)) : reply(head.stream, "well"));
  };
  auto browser = co_await browse(world);
  EXPECT_EQ((co_await browser->receive(browser->ask(post("/post"), "a body"))).body, "well");
  EXPECT_EQ(got, "a body");
  // What is more than the edge keeps cannot be sent again.
  service.does = [&](Service::Connection& one, const http::H2FrameHead& head, const string&) {
    if (head.type == kData) one.say(frame(kReset, 0, head.stream, number(7)));
  };
  EXPECT_EQ((co_await browser->receive(browser->ask(post("/post"), string(60'000, 'b')))).status, 502);
}
RUN(RepeatsWhatIsRefused)

Test ObeysALimitThatShrinks_body(World& world, Service& service) {
  service.does = [&](Service::Connection& one, const http::H2FrameHead& head, const string&) {
    if (!is_request(head)) return;
    if (one.index > 0) {
      service.connections[0]->say(reply(service.connections[0]->requests[0], "well"));
      return one.say(reply(head.stream, "well"));
    }
    one.say(setting(3, 1));
  };
  auto browser = co_await browse(world);
  auto& first = browser->get("/first");
  co_await until(*browser, [&] { return requests(service) == 1; });
  co_await until(*browser, [&] { return service.connections[0]->acknowledged == 2; });
  auto& second = browser->get("/second");
  EXPECT_EQ((co_await browser->receive(second)).body, "well");
  EXPECT_EQ((co_await browser->receive(first)).body, "well");
  EXPECT_EQ(service.connections[0]->requests.size(), 1u);
}
RUN(ObeysALimitThatShrinks)

Test EndsUploadsThroughAWindowThatStaysShut_body(World& world, Service& service) {
  service.settings = setting(4, 0);
  service.does = [](Service::Connection& one, const http::H2FrameHead& head, const string&) {
    if (is_request(head) && (head.flags & kEndStream)) one.say(reply(head.stream, "well"));
  };
  Snapshot snapshot = world.snapshot(3);
  snapshot.services = world.server->live()->snapshot().services;
  snapshot.settings.stall_timeout = snapshot.settings.response_timeout = 300ms;
  world.use(std::move(snapshot));
  auto browser = co_await browse(world);
  auto& stuck = browser->ask(post("/post"), string(60'000, 'b'));
  co_await get_all(*browser, 10);
  EXPECT_GE((co_await browser->receive(stuck)).status, 500);
  EXPECT_EQ(service.connections.size(), 1u);
  EXPECT_EQ(service.connections[0]->resets, 1u);
}
RUN(EndsUploadsThroughAWindowThatStaysShut)

// Each request has one reset free: that many are no attack, and harm no stream but their own.
Test AResetEndsOneExchangeOnly_body(World& world, Service& service) {
  service.does = [&](Service::Connection& one, const http::H2FrameHead& head, const string&) {
    if (!is_request(head) || one.requests.size() == 1) return;
    one.say(frame(kReset, 0, head.stream, number(2)));
    if (one.requests.size() == 401) one.say(reply(one.requests[0], "well"));
  };
  auto browser = co_await browse(world);
  auto& first = browser->get("/first");
  co_await until(*browser, [&] { return requests(service) == 1; });
  for (int i = 0; i < 400; ++i) EXPECT_EQ((co_await browser->receive(browser->get("/reset"))).status, 502);
  EXPECT_EQ((co_await browser->receive(first)).body, "well");
  EXPECT_EQ(service.connections.size(), 1u);
}
RUN(AResetEndsOneExchangeOnly)

// A client that goes away resets its own stream.
Test AClientThatLeavesEndsItsOwnOnly_body(World& world, Service& service) {
  service.does = [&](Service::Connection& one, const http::H2FrameHead& head, const string&) {
    if (head.type == kReset) one.say(reply(one.requests[0], "well"));
  };
  auto browser = co_await browse(world);
  auto& first = browser->get("/first");
  co_await until(*browser, [&] { return requests(service) == 1; });
  auto& second = browser->get("/second");
  co_await until(*browser, [&] { return requests(service) == 2; });
  browser->session.reset(second, http::H2Error::cancel);
  EXPECT_EQ((co_await browser->receive(first)).body, "well");
  EXPECT_EQ(service.connections.size(), 1u);
  EXPECT_EQ(service.connections[0]->resets, 1u);
}
RUN(AClientThatLeavesEndsItsOwnOnly)

Test SurvivesAFloodOfPings_body(World& world, Service& service) {
  service.does = [&](Service::Connection& one, const http::H2FrameHead& head, const string&) {
    if (!is_request(head)) return;
    if (one.index > 0) return one.say(reply(head.stream, "well"));
    string flood;
    for (int i = 0; i < 5000; ++i) flood += frame(kPing, 0, 0, string(8, 'p'));
    one.say(flood);
  };
  auto browser = co_await browse(world);
  EXPECT_EQ((co_await browser->receive(browser->get("/flood"))).status, 502);
  EXPECT_LT(service.connections[0]->pings, 5000u);
  co_await get_all(*browser, 3);
  EXPECT_EQ(service.connections.size(), 2u);
}
RUN(SurvivesAFloodOfPings)

// More of them than the connection's window holds.
Test AClientThatDoesNotReadHoldsUpNobody_body(World& world, Service& service) {
  service.does = [&](Service::Connection& one, const http::H2FrameHead& head, const string&) {
    if (!is_request(head)) return;
    if (one.requests.size() > 20) return one.say(reply(head.stream, "well"));
    one.say(frame(kHeaders, kEndHeaders, head.stream, kOk));
    for (int i = 0; i < 4; ++i) one.say(frame(kData, 0, head.stream, string(16'000, 'd')));
  };
  auto lazy = co_await browse(world), browser = co_await browse(world);
  for (int i = 0; i < 20; ++i) lazy->get("/large");
  co_await until(*lazy, [&] { return requests(service) == 20; });
  for (int i = 0; i < 30; ++i) {
    co_await get_all(*browser, 2);
  }
  EXPECT_EQ(service.connections.size(), 1u);
}
RUN(AClientThatDoesNotReadHoldsUpNobody)

// One that allows nothing gets a new connection for each request, but does not collect them.
Test KeepsFewConnectionsThatAllowNothing_body(World& world, Service& service) {
  service.settings = setting(3, 0);
  service.does = [](Service::Connection& one, const http::H2FrameHead& head, const string&) {
    if (is_request(head)) one.say(frame(kReset, 0, head.stream, number(7)));
  };
  auto browser = co_await browse(world);
  for (int i = 0; i < 100; ++i) EXPECT_EQ((co_await browser->receive(browser->get("/"))).status, 502);
  const auto open = [&] {
    return std::ranges::count_if(service.connections, [](const auto& each) { return !each->ended; });
  };
  co_await until(*browser, [&] { return open() <= 129; });
}
RUN(KeepsFewConnectionsThatAllowNothing)

// RFC 8441 3: without the setting there is none to be asked for.
Test AsksForNoWebSocketWhereNoneIsOffered_body(World& world, Service& service) {
  auto browser = co_await world.browse();
  EXPECT_EQ((co_await browser->ask(get("/ws", "Connection: Upgrade\r\nUpgrade: websocket\r\n"))).status, 502);
  EXPECT_EQ(requests(service), 0u);
  EXPECT_EQ((co_await (co_await world.browse())->ask(get("/"))).status, 200);
  EXPECT_EQ(service.connections.size(), 1u);
}
RUN(AsksForNoWebSocketWhereNoneIsOffered)

/// `service` reached by a transport that pings after 50 ms.
void ping(World& world) {
  Snapshot snapshot = world.snapshot(3);
  snapshot.services = world.server->live()->snapshot().services;
  snapshot.services[0].upstreams[0].transport = "pings";
  snapshot.transports = {{.name = "pings", .read_idle = 50ms, .ping = 300ms}};
  world.use(std::move(snapshot));
}

Test FindsADeadConnectionByPings_body(World& world, Service& service) {
  ping(world);
  service.does = [&](Service::Connection& one, const http::H2FrameHead& head, const string&) {
    if (is_request(head) && one.index > 0) one.say(reply(head.stream, "well"));
  };
  auto browser = co_await browse(world);
  EXPECT_EQ((co_await browser->receive(browser->get("/dead"))).status, 502);
  EXPECT_GE(service.connections[0]->pings, 1u);
  co_await get_all(*browser, 3);
  EXPECT_EQ(service.connections.size(), 2u);
}
RUN(FindsADeadConnectionByPings)

Test WaitsForAServiceThatAnswersPings_body(World& world, Service& service) {
  ping(world);
  service.does = [&](Service::Connection& one, const http::H2FrameHead& head, const string& content) {
    if (head.type != kPing) return;
    one.say(frame(kPing, kAck, 0, content));
    if (one.pings == 10) one.say(reply(one.requests[0], "well"));
  };
  auto browser = co_await browse(world);
  co_await get_all(*browser, 1);
  EXPECT_EQ(service.connections.size(), 1u);
}
RUN(WaitsForAServiceThatAnswersPings)

}  // namespace
}  // namespace berth::edge
