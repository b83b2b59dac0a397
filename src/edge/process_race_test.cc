// Everything that the loops of an edge share, used by all of them at once: `tools/test edge_tsan` looks for races here.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "edge/cache_command.h"
#include "edge/h2_browser.h"
#include "edge/load_command.h"
#include "edge/process_fixture.h"
#include "edge/upstream_pool.h"
#include "edge/view_command.h"

namespace berth::edge {
namespace {

using namespace std::chrono_literals;
using Kind = EdgeEvent::Kind;

io::Task<Result<void>> answer(http::ServerRequest& request, http::ResponseWriter& response) {
  if (request.head().method == "POST")
    co_return co_await response.send(200, {}, CO_TRY(co_await request.body(1 << 20)));
  const http::Headers headers{{"Cache-Control", request.head().path.contains("old") ? "max-age=0" : "max-age=60"}};
  co_return co_await response.send(200, headers, std::string(request.head().path));
}

struct Races {
  Edge& edge;
  io::Address origin;
  std::string web{};
  bool stop = false;
  std::size_t good = 0, limited = 0;
  std::set<int> odd{};

  void count(int status) {
    if (status == 200)
      ++good;
    else if (status == 429)
      ++limited;
    else
      odd.insert(status);
  }
};

Snapshot snapshot_for(const Races& races, std::uint64_t version) {
  Snapshot snapshot;
  snapshot.version = version;
  // By turns two addresses of the origin: connections of the pools come and go.
  const std::string host = version % 3 == 0 ? "127.0.0.2" : "127.0.0.1";
  snapshot.services = {{.name = "origin",
                        .upstreams = {{.host = host, .port = races.origin.port(), .tls = false, .target = "o"}},
                        .pass_host = true,
                        .down = {}}};
  snapshot.settings.connections = 1000 + version % 2;
  const auto route = [&](std::string name, std::vector<Middleware> middlewares) {
    snapshot.routes.push_back({.name = name,
                               .rule = "Host(`app.test`) && PathPrefix(`/" + name + "`)",
                               .priority = 0,
                               .listeners = {Listener::web},
                               .service = "origin",
                               .middlewares = std::move(middlewares),
                               .warnings = {}});
  };
  route("plain", {});
  route("cached", {{"store", CachePolicy{}}});
  route("rate", {{"rate", RateLimit{.average = 50, .burst = 20}}});
  route("flight", {{"flight", InFlight{.amount = 2}}});
  route("retry", {{"retry", Retry{.attempts = 2, .status = {{500, 599}}}}});
  if (version % 2 == 0) route("more", {});
  return snapshot;
}

io::Task<void> ask_h1(Races& races, int number) {
  static constexpr std::string_view kPaths[] = {"/plain", "/cached/1", "/cached/old", "/rate", "/flight", "/retry"};
  for (int i = number; !races.stop; ++i) {
    Browser browser((co_await io::connect(io::Address::parse(races.web).value())).value());
    for (int j = 0; j < 4; ++j) {
      const std::string path(kPaths[static_cast<std::size_t>(i + j) % std::size(kPaths)]);
      const bool posts = (i + j) % 7 == 0;
      const Answer reply =
          co_await browser.ask(posts ? "POST " + path + " HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n\r\nhello"
                                     : get(path + (path == "/cached/1" ? std::to_string(i % 5) : "")));
      races.count(reply.status);
    }
  }
}

io::Task<void> ask_h2(Races& races) {
  while (!races.stop) {
    H2Browser browser((co_await io::connect(io::Address::parse(races.web).value())).value());
    std::vector<H2Browser::Stream*> streams;
    for (const char* path : {"/plain", "/cached/2", "/rate", "/cached/old"}) streams.push_back(&browser.get(path));
    co_await browser.until([&] { return std::ranges::all_of(streams, &H2Browser::Stream::closed); });
    for (const H2Browser::Stream* each : streams) races.count(each->answer.status);
  }
}

/// What core may send at any time; all of it is answered.
std::vector<std::string> commands(const Races& races, std::uint64_t version) {
  const std::string key = upstream_key({.host = "127.0.0.2", .port = races.origin.port(), .target = "o"});
  return {encode_snapshot(snapshot_for(races, version)),
          encode_command(ViewCommand{.id = version, .what = ViewCommand::What::metrics}),
          encode_command(ViewCommand{.id = version, .what = ViewCommand::What::follow}),
          encode_command(CacheCommand{.id = version}),
          encode_command(LoadCommand{.id = version, .upstreams = {key}, .services = {"origin"}}),
          encode_command(ViewCommand{.id = version, .what = ViewCommand::What::requests}),
          encode_command(CacheCommand{.id = version, .purge = CachePurge{.by = CachePurge::By::all}})};
}

io::Task<void> command_much(Core& core, const Races& races, std::uint64_t rounds) {
  for (std::uint64_t version = 2; version < 2 + rounds; ++version) {
    const std::vector<std::string> all = commands(races, version);
    for (const std::string& each : all) co_await core.send(each);
    for (std::size_t answered = 0; answered < all.size();) {
      const EdgeEvent event = co_await core.next();
      EXPECT_NE(event.kind, Kind::refused) << event.detail;
      EXPECT_NE(event.kind, Kind::stopped);
      if (event.kind == Kind::stopped) co_return;
      if (event.kind == Kind::accepted || event.kind == Kind::answered) ++answered;
      if (event.kind == Kind::answered) EXPECT_EQ(event.subject, "");
    }
  }
}

io::Task<void> serve_origin(io::Listener& listener, const http::Handler& handler) {
  static_cast<void>(co_await http::serve(listener, handler));
}

io::Task<void> race(io::Loop& loop, std::string data) {
  auto listener = io::Listener::open(loop, io::Address::parse("0.0.0.0:0").value()).value();
  const http::Handler handler = answer;
  io::Scope scope(co_await io::here()), clients(co_await io::here());
  scope.spawn(serve_origin(*listener, handler));
  Edge edge(loop, data, 3);
  auto core = co_await edge.attach();
  Races races{.edge = edge, .origin = listener->address(), .web = edge.web()};
  co_await core->send(encode_snapshot(snapshot_for(races, 1)));
  EXPECT_EQ((co_await core->next()).version, 1u);
  for (int i = 0; i < 8; ++i) clients.spawn(ask_h1(races, i));
  for (int i = 0; i < 2; ++i) clients.spawn(ask_h2(races));
  co_await command_much(*core, races, 25);
  races.stop = true;
  co_await clients.join();
  EXPECT_GT(races.good, 100u);
  EXPECT_GT(races.limited, 0u);
  EXPECT_EQ(races.odd, std::set<int>{});
  core->close();
  EXPECT_EQ(edge.stop(), 0);
  scope.cancel();
  co_await scope.join();
}

TEST(EdgeRaces, LoopsShareNothingUnguarded) {
  std::string folder = std::string(::testing::TempDir()) + "berth-edge-races-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  io::Loop loop;
  loop.run(race(loop, folder + "/edge"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace berth::edge
