// serversTransports at work: the edge's TLS listener stands for a server, the plain one for the way to it.
#include "edge/server_fixture.h"

namespace berth::edge {
namespace {

using Test = io::Task<void>;

#define RUN(name)               \
  TEST(ServerTransport, name) { \
    World world;                \
    world.run(name##_body);     \
  }

std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

/// `web` leads to `websecure`, by each of `transports` below a path of its name; that leads to the origin.
Snapshot two_hops(World& world, const std::vector<Transport>& transports, std::uint64_t version = 2) {
  Snapshot snapshot = world.snapshot(version);
  snapshot.certificates.push_back(issue(world.authority, {"app.test", "127.0.0.1"}, now()).value());
  snapshot.routes[0].listeners = {Listener::websecure};
  for (const Transport& each : transports) {
    Route route = snapshot.routes[0];
    route.name = route.service = "by-" + each.name;
    route.rule += " && PathPrefix(`/" + each.name + "`)";
    route.listeners = {Listener::web};
    snapshot.routes.push_back(std::move(route));
    snapshot.services.push_back({.name = "by-" + each.name,
                                 .upstreams = {{.host = "127.0.0.1",
                                                .port = world.websecure.port(),
                                                .tls = true,
                                                .target = each.name,
                                                .transport = each.name}},
                                 .pass_host = true,
                                 .down = {}});
  }
  snapshot.transports = transports;
  return snapshot;
}

Transport named(std::string name, std::string server_name, std::string root) {
  Transport out{.name = std::move(name), .server_name = std::move(server_name)};
  if (!root.empty()) out.roots.push_back(std::move(root));
  return out;
}

io::Task<int> status_of(World& world, std::string path) {
  auto browser = co_await world.browse();
  co_return (co_await browser->ask(get(path))).status;
}

Test VerifiesServers_body(World& world) {
  const Authority other = make_authority("other", {"test"}, now()).value();
  Transport careless = named("careless", "app.test", other.certificate);
  careless.insecure = true;
  world.use(two_hops(
      world, {named("right", "app.test", world.authority.certificate),
              named("name", "other.test", world.authority.certificate), named("root", "app.test", other.certificate),
              named("system", "app.test", ""), named("address", "", world.authority.certificate),
              named("broken", "app.test", "/no/file"), careless}));
  EXPECT_EQ(world.server->live()->warnings().size(), 1u);
  EXPECT_EQ(co_await status_of(world, "/right/h"), 200);
  EXPECT_EQ(co_await status_of(world, "/careless/h"), 200);
  EXPECT_EQ(co_await status_of(world, "/address/h"), 200);
  for (const char* path : {"/root/h", "/system/h", "/broken/h", "/name/h"})
    EXPECT_EQ(co_await status_of(world, path), 502) << path;
  EXPECT_EQ(world.origin_requests, 3u);
}
RUN(VerifiesServers)

Test ShowsItsCertificate_body(World& world) {
  Transport own = named("own", "app.test", world.authority.certificate);
  own.certificates.push_back({world.authority.certificate, world.authority.key});
  Snapshot snapshot = two_hops(world, {named("none", "app.test", world.authority.certificate), own});
  snapshot.tls_options = {{.name = "default", .client_auth = "RequireAnyClientCert"}};
  world.use(snapshot);
  EXPECT_EQ(co_await status_of(world, "/none/h"), 502);
  EXPECT_EQ(co_await status_of(world, "/own/h"), 200);
}
RUN(ShowsItsCertificate)

/// TLS connections to `websecure` that were begun so far.
std::uint64_t handshakes(World& world) {
  return world.server->metrics().handshakes + world.server->metrics().handshakes_failed;
}

Test SharesNoConnections_body(World& world) {
  Transport one = named("one", "app.test", world.authority.certificate), two = one;
  two.name = "two";
  world.use(two_hops(world, {one, two}));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(co_await status_of(world, "/one/h"), 200);
    EXPECT_EQ(co_await status_of(world, "/two/h"), 200);
  }
  EXPECT_EQ(handshakes(world), 2u);
  // What did not change is used on; what did begins anew, at once also where it trusts nobody any more.
  two.roots = {make_authority("other", {"test"}, now()).value().certificate};
  world.use(two_hops(world, {one, two}, 3));
  EXPECT_EQ(co_await status_of(world, "/one/h"), 200);
  EXPECT_EQ(handshakes(world), 2u);
  EXPECT_EQ(co_await status_of(world, "/two/h"), 502);
}
RUN(SharesNoConnections)

Test ExpectsUris_body(World& world) {
  Transport uri = named("uri", "app.test", world.authority.certificate);
  uri.peer_uri = "spiffe://example.org/app";
  world.use(two_hops(world, {uri}));
  EXPECT_EQ(co_await status_of(world, "/uri/h"), 502);
  bool told = false;
  for (const std::string& line : world.access) told = told || line.contains("is not for spiffe://example.org/app");
  EXPECT_TRUE(told);
}
RUN(ExpectsUris)

Test KeepsItsTimes_body(World& world) {
  Transport hurried = named("hurried", "app.test", world.authority.certificate);
  hurried.response_header = std::chrono::milliseconds(50);
  hurried.disable_http2 = true;
  Snapshot snapshot = two_hops(world, {hurried});
  world.says["/hurried/late"] = {.waits = true};
  world.use(snapshot);
  EXPECT_EQ(co_await status_of(world, "/hurried/h"), 200);
  EXPECT_EQ(co_await status_of(world, "/hurried/late"), 504);
  world.go.set();
}
RUN(KeepsItsTimes)

TEST(Transports, MustBeThere) {
  Snapshot snapshot{.version = 1, .settings = {}, .routes = {}, .services = {}, .certificates = {}};
  snapshot.services.push_back({.name = "s",
                               .upstreams = {{.host = "127.0.0.1", .port = 1, .target = "t", .transport = "strict"}},
                               .pass_host = true,
                               .down = {}});
  const auto live = Live::make(snapshot);
  ASSERT_FALSE(live.has_value());
  EXPECT_EQ(live.error().message, "service \"s\": transport \"strict\" is missing");
}

}  // namespace
}  // namespace berth::edge
