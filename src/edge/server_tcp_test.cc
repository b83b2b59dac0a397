// TCP and UDP routers and the PROXY protocol, over loopback.
#include "edge/proxy_protocol.h"
#include "edge/server_fixture.h"

namespace berth::edge {
namespace {

using Test = io::Task<void>;

#define RUN(name)           \
  TEST(ServerTcp, name) {   \
    World world;            \
    world.run(name##_body); \
  }

std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

/// A server that says "hello\n" and then what it gets, as TLS with `tls`.
struct Echo {
  explicit Echo(io::Loop& loop)
      : listener(io::Listener::open(loop, io::Address::parse("127.0.0.1:0").value()).value()) {}
  Upstream upstream() const { return {.host = "127.0.0.1", .port = listener->address().port(), .target = "echo-1"}; }

  io::Task<void> serve(std::unique_ptr<io::Stream> stream) {
    if (tls) {
      auto secure = io::tls_over(std::move(stream), tls);
      if (!co_await secure->handshake()) co_return;
      stream = std::move(secure);
    }
    if (greets) static_cast<void>(co_await io::write_all(*stream, "hello\n"));
    static_cast<void>(co_await io::copy(*stream, *stream));
    ++ended;
  }
  io::Task<void> run() {
    io::Scope scope(co_await io::here());
    while (true) {
      auto stream = co_await listener->accept();
      if (!stream) break;
      ++connections;
      scope.spawn(serve(std::move(*stream)));
    }
    scope.cancel();
    co_await scope.join();
  }
  std::unique_ptr<io::Listener> listener;
  std::shared_ptr<io::TlsContext> tls;
  bool greets = true;
  int connections = 0, ended = 0;
};

TcpRoute route(std::string rule, std::string entry_point, TcpRoute::Tls tls = TcpRoute::Tls::none) {
  return {.name = "db", .rule = std::move(rule), .entry_points = {std::move(entry_point)}, .service = "db", .tls = tls};
}

/// The world's snapshot with one TCP route to `upstreams`.
Snapshot snapshot_with(World& world, TcpRoute route, std::vector<Upstream> upstreams) {
  static std::uint64_t version = 10;
  Snapshot made = world.snapshot(++version);
  made.tcp.routes = {std::move(route)};
  made.tcp.services = {{.servers = {.name = "db", .upstreams = std::move(upstreams), .pass_host = true, .down = {}}}};
  return made;
}

io::Task<std::unique_ptr<Browser>> dial(io::Address address) {
  co_return std::make_unique<Browser>(std::move(*co_await io::connect(address)));
}

/// Reads until `text` is there, or the end.
io::Task<std::string> read_until(Browser& browser, std::string text) {
  while (!browser.wire.unread().ends_with(text)) {
    const auto more = co_await io::within(std::chrono::seconds(5), browser.wire.fill());
    if (!more || !*more) break;
  }
  co_return std::string(browser.wire.unread());
}

io::Task<std::string> everything(Browser& browser) {
  return read_until(browser, "\xff never");
}

/// Runs `body` beside an echo server.
template <class Body>
Test beside_echo(World& world, Body body) {
  Echo echo(world.loop);
  io::Scope scope(co_await io::here());
  scope.spawn(echo.run());
  co_await body(world, echo);
  scope.cancel();
  co_await scope.join();
}

io::Task<std::unique_ptr<Browser>> dial_tls(World& world, std::string host, const Authority& authority,
                                            std::vector<std::string> alpn = {}) {
  auto context =
      io::TlsContext::client({.server_name = host, .ca_pem = authority.certificate, .alpn = std::move(alpn)});
  auto secure = io::tls_over(std::move(*co_await io::connect(world.websecure)), *context);
  if (const auto shaken = co_await secure->handshake(); !shaken) co_return nullptr;
  co_return std::make_unique<Browser>(std::move(secure));
}

Test RelaysToAServerThatSpeaksFirst_body(World& world) {
  return beside_echo(
      world, +[](World& world, Echo& echo) -> Test {
        world.use(snapshot_with(world, route("HostSNI(`*`)", "database"), {echo.upstream()}));
        auto client = co_await dial(world.database);
        EXPECT_EQ(co_await read_until(*client, "\n"), "hello\n");
        EXPECT_TRUE(co_await client->send("abc"));
        client->wire.stream().shutdown_write();
        EXPECT_EQ(co_await everything(*client), "hello\nabc");
        EXPECT_EQ(echo.ended, 1);
        // HTTP goes on beside it, and a connection lives on without its route.
        auto kept = co_await dial(world.database);
        EXPECT_EQ(co_await read_until(*kept, "\n"), "hello\n");
        world.use(world.snapshot(99));
        EXPECT_TRUE(co_await kept->send("still"));
        EXPECT_EQ(co_await read_until(*kept, "still"), "hello\nstill");
        auto browser = co_await world.browse();
        EXPECT_EQ((co_await browser->ask(get("/h"))).status, 200);
        EXPECT_EQ(world.access[0], "TCP  0 ");
      });
}
RUN(RelaysToAServerThatSpeaksFirst)

Test PassesTlsThroughByName_body(World& world) {
  return beside_echo(
      world, +[](World& world, Echo& echo) -> Test {
        const Authority theirs = make_authority("their CA", {"test"}, now()).value();
        const Certificate own = issue(theirs, {"db.test", "app.test"}, now()).value();
        const auto identity = io::TlsIdentity::from_pem(own.chain, own.key).value();
        echo.tls = io::TlsContext::server(
                       {.choose = [identity](const auto&) { return io::TlsChoice{identity, {}}; }, .alpn = {}})
                       .value();
        Snapshot snapshot = snapshot_with(world, route("HostSNI(`db.test`)", "websecure", TcpRoute::Tls::passthrough),
                                          {echo.upstream()});
        snapshot.certificates = {issue(world.authority, {"app.test"}, now()).value()};
        world.use(snapshot);
        auto client = co_await dial_tls(world, "db.test", theirs);
        EXPECT_NE(client, nullptr);
        if (client) EXPECT_EQ(co_await read_until(*client, "\n"), "hello\n");
        auto browser = co_await world.browse_tls("app.test", world.authority.certificate);
        EXPECT_NE(browser, nullptr);
        if (browser) EXPECT_EQ((co_await browser->ask(get("/h"))).status, 200);
        // What takes every name takes none that an HTTP route has.
        snapshot.tcp.routes[0].rule = "HostSNI(`*`)";
        world.use(snapshot);
        browser = co_await world.browse_tls("app.test", world.authority.certificate);
        EXPECT_TRUE(browser && (co_await browser->ask(get("/h"))).status == 200);
        client = co_await dial_tls(world, "db.test", theirs);
        EXPECT_NE(client, nullptr);
      });
}
RUN(PassesTlsThroughByName)

Test EndsTlsForAServerWithout_body(World& world) {
  return beside_echo(
      world, +[](World& world, Echo& echo) -> Test {
        Snapshot snapshot = snapshot_with(
            world, route("HostSNI(`db.test`) && ALPN(`postgresql`)", "websecure", TcpRoute::Tls::terminate),
            {echo.upstream()});
        snapshot.certificates = {issue(world.authority, {"db.test"}, now()).value()};
        snapshot.tcp.services[0].proxy = ProxyOut{.version = 1};
        world.use(snapshot);
        auto client = co_await dial_tls(world, "db.test", world.authority, {"postgresql"});
        EXPECT_NE(client, nullptr);
        if (client) {
          const std::string said = co_await read_until(*client, "\r\n");
          EXPECT_TRUE(said.starts_with("hello\nPROXY TCP4 127.0.0.1 127.0.0.1 ")) << said;
          EXPECT_TRUE(said.ends_with(" " + std::to_string(world.websecure.port()) + "\r\n")) << said;
        }
        // Another protocol is HTTP's, where nobody knows the name's rules: the certificate alone is shown.
        auto other = co_await dial_tls(world, "db.test", world.authority, {"http/1.1"});
        EXPECT_TRUE(other && (co_await other->ask(get("/", "", "db.test"))).status == 404);
        EXPECT_EQ(echo.connections, 1);
      });
}
RUN(EndsTlsForAServerWithout)

Test SpeaksPostgresToTls_body(World& world) {
  return beside_echo(
      world, +[](World& world, Echo& echo) -> Test {
        Snapshot snapshot =
            snapshot_with(world, route("HostSNI(`db.test`)", "database", TcpRoute::Tls::terminate), {echo.upstream()});
        snapshot.certificates = {issue(world.authority, {"db.test"}, now()).value()};
        world.use(snapshot);
        auto stream = std::move(*co_await io::connect(world.database));
        EXPECT_TRUE((co_await io::write_all(*stream, kPostgresTls)).has_value());
        char answer = 0;
        EXPECT_EQ((co_await io::read_some(*stream, std::span(&answer, 1))).value_or(0), 1u);
        EXPECT_EQ(answer, 'S');
        auto context = io::TlsContext::client({.server_name = "db.test", .ca_pem = world.authority.certificate});
        auto secure = io::tls_over(std::move(stream), *context);
        EXPECT_TRUE((co_await secure->handshake()).has_value());
        Browser client(std::move(secure));
        EXPECT_EQ(co_await read_until(client, "\n"), "hello\n");
      });
}
RUN(SpeaksPostgresToTls)

Test TriesTheNextServer_body(World& world) {
  return beside_echo(
      world, +[](World& world, Echo& echo) -> Test {
        auto dead = io::Listener::open(world.loop, io::Address::parse("127.0.0.1:0").value()).value();
        const Upstream gone{.host = "127.0.0.1", .port = dead->address().port(), .target = "gone"};
        dead->close();
        world.use(snapshot_with(world, route("HostSNI(`*`)", "database"), {gone, echo.upstream()}));
        for (int i = 0; i < 3; ++i) {
          auto client = co_await dial(world.database);
          EXPECT_EQ(co_await read_until(*client, "\n"), "hello\n");
        }
        world.use(snapshot_with(world, route("HostSNI(`*`)", "database"), {gone}));
        auto client = co_await dial(world.database);
        EXPECT_EQ(co_await everything(*client), "");
        EXPECT_EQ(world.events.size(), 1u);
        if (!world.events.empty()) EXPECT_EQ(world.events[0].kind, EdgeEvent::Kind::upstream_failed);
      });
}
RUN(TriesTheNextServer)

Test KeepsClientsOut_body(World& world) {
  return beside_echo(
      world, +[](World& world, Echo& echo) -> Test {
        Snapshot snapshot = snapshot_with(world, route("HostSNI(`*`)", "database"), {echo.upstream()});
        snapshot.tcp.routes[0].middlewares = {{"own", TcpIpAllowList{{parse_cidr("10.0.0.0/8").value()}}}};
        world.use(snapshot);
        auto client = co_await dial(world.database);
        EXPECT_EQ(co_await everything(*client), "");
        EXPECT_EQ(echo.connections, 0);
        snapshot.tcp.routes[0].middlewares = {{"few", InFlightConn{1}}};
        world.use(snapshot);
        auto first = co_await dial(world.database);
        EXPECT_EQ(co_await read_until(*first, "\n"), "hello\n");
        auto second = co_await dial(world.database);
        EXPECT_EQ(co_await everything(*second), "");
        first->wire.stream().shutdown_write();
        EXPECT_EQ(co_await everything(*first), "hello\n");
        auto third = co_await dial(world.database);
        EXPECT_EQ(co_await read_until(*third, "\n"), "hello\n");
      });
}
RUN(KeepsClientsOut)

Test CountsTheConnectionsOfOtherLoops_body(World& world) {
  return beside_echo(
      world, +[](World& world, Echo& echo) -> Test {
        Snapshot snapshot = snapshot_with(world, route("HostSNI(`*`)", "database"), {echo.upstream()});
        snapshot.tcp.routes[0].middlewares = {{"few", InFlightConn{2}}};
        world.use(snapshot);
        const Ip client = parse_ip("127.0.0.1").value();
        // Another loop has one, and HTTP's middleware of that name has nothing to do with it.
        EXPECT_TRUE(world.limits->begin("tcp few", client, 2));
        EXPECT_TRUE(world.limits->begin("few", client, 2));
        auto first = co_await dial(world.database);
        EXPECT_EQ(co_await read_until(*first, "\n"), "hello\n");
        EXPECT_FALSE(world.limits->begin("tcp few", client, 2)) << "the other loops know of ours";
        auto second = co_await dial(world.database);
        EXPECT_EQ(co_await everything(*second), "");
        world.limits->end("tcp few", client);
        auto third = co_await dial(world.database);
        EXPECT_EQ(co_await read_until(*third, "\n"), "hello\n");
      });
}
RUN(CountsTheConnectionsOfOtherLoops)

Test BelievesAProxyInFront_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  snapshot.tcp.entry_points = {{.name = "web", .proxy_trusted = {"127.0.0.0/8"}}};
  world.use(snapshot);
  const auto ip = [](std::string_view text) { return Endpoint{parse_ip(text).value(), 1234}; };
  const ProxyHeader header{.known = true, .source = ip("192.0.2.9"), .destination = ip("192.0.2.1")};
  for (const std::string& begin : {encode_proxy_v1(header), encode_proxy_v2(header)}) {
    auto browser = co_await world.browse();
    for (int i = 0; i < 2; ++i) {
      const Answer answer = co_await browser->ask((i == 0 ? begin : "") + get("/h"));
      EXPECT_TRUE(answer.body.contains("x-forwarded-for: 192.0.2.9\n")) << answer.body;
    }
  }
  auto local = co_await world.browse();  // the proxy's own check
  const Answer answer = co_await local->ask(encode_proxy_v2({}) + get("/h"));
  EXPECT_TRUE(answer.body.contains("x-forwarded-for: 127.0.0.1\n")) << answer.body;
  auto bare = co_await world.browse();
  EXPECT_EQ((co_await bare->ask(get("/h"))).status, 0);
  // From others a header is no header.
  snapshot.tcp.entry_points[0].proxy_trusted = {"10.0.0.0/8"};
  world.use(snapshot);
  auto liar = co_await world.browse();
  EXPECT_EQ((co_await liar->ask(encode_proxy_v1(header) + get("/h"))).status, 400);
}
RUN(BelievesAProxyInFront)

io::Task<std::string> ask(io::Datagrams& socket, std::string_view text) {
  socket.send(text);
  char buffer[100];
  while (true) {
    const auto got = socket.try_receive(buffer);
    if (!got) co_return "error";
    if (*got) co_return std::string(buffer, (*got)->size);
    if (!co_await io::within(std::chrono::milliseconds(300), socket.readable())) co_return "silence";
  }
}

/// Answers each datagram with how many clients it knows and the text.
io::Task<void> count_clients(io::Datagrams& socket, std::set<std::uint16_t>& clients) {
  char buffer[100];
  while (true) {
    const auto got = socket.try_receive(buffer);
    if (got && *got) {
      clients.insert((*got)->from.port());
      const std::string answer = std::to_string(clients.size()) + " " + std::string(buffer, (*got)->size);
      socket.send(answer, &(*got)->from);
    } else if (!co_await socket.readable()) {
      break;
    }
  }
}

Test RelaysDatagrams_body(World& world) {
  auto server = io::Datagrams::open(world.loop, io::Address::parse("127.0.0.1:0").value()).value();
  std::set<std::uint16_t> clients;
  io::Scope scope(co_await io::here());
  scope.spawn(count_clients(*server, clients));
  auto first = io::Datagrams::connect(world.loop, world.names).value();
  EXPECT_EQ(co_await ask(*first, "nobody"), "silence");
  Snapshot snapshot = world.snapshot(2);
  snapshot.tcp.entry_points = {{.name = "names", .udp = true, .udp_timeout = std::chrono::milliseconds(50)}};
  snapshot.tcp.udp_services = {
      {.name = "dns",
       .upstreams = {{.host = "127.0.0.1", .port = server->address().port(), .target = "dns-1"}},
       .pass_host = true,
       .down = {}}};
  snapshot.tcp.udp_routes = {{.name = "dns", .entry_points = {"names"}, .service = "dns"}};
  world.use(snapshot);
  EXPECT_EQ(co_await ask(*first, "a"), "1 a");
  EXPECT_EQ(co_await ask(*first, "b"), "1 b");
  auto second = io::Datagrams::connect(world.loop, world.names).value();
  EXPECT_EQ(co_await ask(*second, "c"), "2 c");
  EXPECT_TRUE((co_await io::sleep_for(std::chrono::milliseconds(120))).has_value());
  EXPECT_EQ(co_await ask(*first, "d"), "3 d");  // forgotten meanwhile: a new session
  scope.cancel();
  co_await scope.join();
}
RUN(RelaysDatagrams)

}  // namespace
}  // namespace berth::edge
