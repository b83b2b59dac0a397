// The engine's routes over a fake engine, in virtual time, and clients that watch streams of them.
#pragma once

#include <algorithm>
#include <deque>
#include <set>

#include "api/desk_world_test.h"
#include "api/engine_world.h"
#include "api/event_log.h"
#include "api/log_desk.h"
#include "api/sampler.h"
#include "api/terminal_desk.h"
#include "api/volume_desk.h"
#include "base/text.h"
#include "http/websocket.h"
#include "io/temporary.h"
#include "testing/fake_engine.h"

namespace berth::api {

/// What a client of a stream got so far.
struct Viewer {
  http::Request request{};
  bool stalled = false;  ///< reads nothing of the body until `go`
  io::Event go{};
  int status = 0;
  std::string got{};
  bool over = false;    ///< the body came to its end
  bool broken = false;  ///< or was cut off

  struct Said {
    std::string id{}, name{};
    Json data{};
  };
  /// The events of `got`.
  std::vector<Said> events() const {
    std::vector<Said> out;
    for (std::string_view rest = got; !rest.empty();) {
      const std::size_t end = std::min(rest.find("\n\n"), rest.size() - 1);
      const std::string_view block = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 2, rest.size()));
      Said said;
      for (std::string_view lines = block; !lines.empty();) {
        const Cut line = cut(lines, '\n');
        lines = line.after;
        if (line.before.starts_with("id: ")) said.id = line.before.substr(4);
        if (line.before.starts_with("event: ")) said.name = line.before.substr(7);
        if (line.before.starts_with("data: ")) said.data = parse_json(line.before.substr(6)).value_or(Json());
      }
      if (!said.data.is_null()) out.push_back(std::move(said));
    }
    return out;
  }
  /// Texts of the lines among them.
  std::vector<std::string> lines() const {
    std::vector<std::string> out;
    for (const Said& said : events())
      if (said.name.empty()) out.emplace_back(said.data["text"].text());
    return out;
  }
  std::int64_t lost() const {
    std::int64_t sum = 0;
    for (const Said& said : events()) sum += said.name == "gap" ? said.data["lost"].integer() : 0;
    return sum;
  }
  bool has(std::string_view name) const {
    return std::ranges::any_of(events(), [&](const Said& said) { return said.name == name; });
  }
};

struct EngineRoutesTest : ::testing::Test {
  EngineRoutesTest() {
    world.people = {{"op", {.id = "user_op", .name = "olga", .role = auth::Role::operate, .session = "s1"}},
                    {"ada", {.id = "user_ada", .name = "ada", .role = auth::Role::admin, .session = "s2"}},
                    {"see",
                     {.id = "user_see",
                      .name = "vera",
                      .role = auth::Role::viewer,
                      .projects = {{"shop", auth::Role::viewer}},
                      .session = "s3"}}};
    engine.add_image("app:1", {.config = Json::object({{"Cmd", Json::array({"serve"})}})});
    scope.spawn(desk.run());
    scope.spawn(logs.run());
    scope.spawn(terminals.run());
    pass(std::chrono::seconds(1));
  }
  ~EngineRoutesTest() override { leave(); }
  /// Ends what runs; of tests with members of their own that it works on, before these go.
  void leave() {
    stop.request();
    world.loop->run(join_all(scope));
  }

  static std::unique_ptr<store::Database> open_store(const std::string& path) {
    io::Loop real;
    return std::move(*real.run(store::Database::open(path, {.migrations = migrations()})));
  }
  static io::Task<void> join_all(io::Scope& scope) { co_await scope.join(); }
  static io::Task<void> sleep(io::Duration duration) { static_cast<void>(co_await io::sleep_for(duration)); }
  static std::int64_t now_of(const io::Loop& loop) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(loop.now().time_since_epoch()).count();
  }
  void pass(io::Duration duration) { world.loop->run(sleep(duration)); }

  testing::FakeReply call(std::string method, std::string target, std::string body = {}) {
    return engine.handle({.method = std::move(method), .target = std::move(target), .body = std::move(body)});
  }
  /// Its id.
  std::string run(const std::string& name, std::string_view more = "") {
    const auto made = call("POST", "/containers/create?name=" + name, R"({"Image":"app:1")" + std::string(more) + "}");
    EXPECT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(call("POST", "/containers/" + name + "/start").status, 204);
    return std::string(made.json()["Id"].text());
  }
  Viewer& fresh(bool stalled = false) {
    viewers.emplace_back();
    viewers.back().stalled = stalled;
    return viewers.back();
  }
  /// Begins to read, as the operator; `viewer` is left alone once `until` is requested or the stream is over.
  void watch(Viewer& viewer, std::string target) { watch_under(viewer, std::move(target), viewer_stop); }
  void watch_under(Viewer& viewer, std::string target, io::Cancel& until) {
    viewer.request.target = std::move(target);
    viewer.request.host = "berth.localhost";
    viewer.request.headers.emplace_back("Authorization", "Bearer op");
    scope.spawn(follow(*this, viewer, until));
  }
  static io::Task<void> serve(EngineRoutesTest& test, std::unique_ptr<io::Stream> stream) {
    const http::Handler handler = [&test](http::ServerRequest& request, http::ResponseWriter& response) {
      return test.world.dispatch->answer(test.world.door, request, response);
    };
    static_cast<void>(co_await http::serve_connection(std::move(stream), handler));
  }
  static io::Task<Result<void>> read(http::Pool& pool, Viewer& viewer) {
    auto exchange = CO_TRY(co_await pool.exchange(viewer.request));
    viewer.status = exchange.reply.status;
    if (viewer.stalled) CO_TRY(co_await viewer.go.wait());
    while (true) {
      const auto piece = CO_TRY(co_await exchange.body.next());
      viewer.got.append(piece);
      if (piece.empty()) co_return Result<void>{};
    }
  }
  static io::Task<void> follow(EngineRoutesTest& test, Viewer& viewer, io::Cancel& stop) {
    auto* dialer = new testing::PairDialer();
    dialer->most = 1;
    http::Pool pool{std::unique_ptr<io::Dialer>(dialer)};
    io::Scope connection(co_await io::here());
    connection.spawn([](EngineRoutesTest& of, testing::PairDialer& from) -> io::Task<void> {
      auto stream = co_await testing::accept(from);
      if (stream) co_await serve(of, std::move(*stream));
    }(test, *dialer));
    const auto done = co_await read(pool, viewer).under(stop);
    viewer.over = done.has_value();
    viewer.broken = !done && !stop.requested();
    connection.cancel();
    co_await connection.join();
  }
  std::size_t followed_calls() const {
    return static_cast<std::size_t>(std::ranges::count_if(engine.calls(), [](const testing::FakeCall& each) {
      return each.path.ends_with("/logs") && each.query.find("follow=1") != std::string::npos;
    }));
  }

  io::TemporaryFolder folder = *io::TemporaryFolder::make(::testing::TempDir(), "engine-routes");
  std::unique_ptr<store::Database> database = open_store(folder.path() + "/store.db");
  job::Runner jobs{*database, {}};
  EventLog log{*database};
  TerminalDesk terminals;
  LogDesk logs{256u << 10};
  DeskWorld world{engine_routes(here)};
  testing::FakeEngine engine{*world.loop};
  std::shared_ptr<job::Feed> events = std::make_shared<job::Feed>(*world.loop, job::Feed::Limits{});
  EngineDesk desk{{.address = "unix:///fake",
                   .dialer = [this] { return engine.dialer(); },
                   .now = [this] { return now_of(*world.loop); }}};
  VolumeDesk volumes{{.desk = desk}};
  Sampler sampler{{.desk = desk, .database = *database, .now = [] { return std::int64_t{0}; }}};
  EngineWorld here{.desk = desk,
                   .jobs = jobs,
                   .events = events,
                   .log = log,
                   .sampler = sampler,
                   .database = *database,
                   .terminals = terminals,
                   .volumes = volumes,
                   .logs = logs};
  io::Cancel stop, viewer_stop{&stop};
  std::deque<Viewer> viewers{};
  io::Scope scope{io::Context{world.loop.get(), &stop}};
};

}  // namespace berth::api
