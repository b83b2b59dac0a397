#include <gtest/gtest.h>

#include "api/engine_world_test.h"
#include "http/websocket.h"

namespace berth::api {
namespace {

using namespace std::chrono_literals;

const std::string kLogs = "/api/v1/containers/web/logs?follow=1";

struct LogRoutesTest : EngineRoutesTest {
  LogRoutesTest() { id = run("web", R"(,"Labels":{"com.docker.compose.project":"shop"})"); }
  /// `count` more lines, so many at a time with 10 ms between.
  void write(int count, int at_once) {
    for (int i = 0; i < count; ++i) {
      engine.log("web", text_of(++written) + "\n");
      if (written % at_once == 0) pass(10ms);
    }
  }
  static std::string text_of(int number) { return "line " + std::to_string(number) + std::string(40, '.'); }
  /// Lines from `first` on to all that were written.
  std::vector<std::string> texts(int first = 1) const {
    std::vector<std::string> out;
    for (int i = first; i <= written; ++i) out.push_back(text_of(i));
    return out;
  }
  void end() {
    engine.exit("web", 0);
    pass(1s);
  }
  std::size_t log_calls() const { return engine.count("GET", "/containers/*/logs"); }

  std::string id;
  int written = 0;
};

TEST_F(LogRoutesTest, EveryFollowerGetsEveryLineOverOneCall) {
  write(20, 20);
  for (int i = 0; i < 8; ++i) {
    watch(fresh(), kLogs + "&tail=all");
    write(25, 5);
  }
  write(400, 20);
  EXPECT_EQ(followed_calls(), 1u) << "one call of the engine for all";
  end();
  for (const Viewer& viewer : viewers) {
    EXPECT_EQ(viewer.status, 200);
    EXPECT_EQ(viewer.lines(), texts());
    EXPECT_TRUE(viewer.has("end") && viewer.over);
    EXPECT_EQ(viewer.lost(), 0);
  }
  EXPECT_EQ(logs.followed(), 0u);
}

TEST_F(LogRoutesTest, WhoReadsSlowlyLearnsHowMuchItMissed) {
  Viewer &slow = fresh(true), &quick = fresh();
  watch(slow, kLogs + "&tail=0");
  watch(quick, kLogs + "&tail=0");
  pass(1s);
  write(6000, 200);
  slow.go.set();
  pass(100ms);
  end();
  EXPECT_EQ(quick.lines(), texts());
  const auto lines = slow.lines();
  EXPECT_GT(slow.lost(), 0);
  EXPECT_LT(lines.size(), texts().size());
  EXPECT_EQ(static_cast<std::int64_t>(lines.size()) + slow.lost(), written) << "each line was sent or told of";
  EXPECT_EQ(lines.back(), texts().back());
  EXPECT_TRUE(slow.has("end"));
}

TEST_F(LogRoutesTest, GoesOnAfterTheLastEventId) {
  Viewer &first = fresh(), &second = fresh(), &late = fresh(), &other = fresh();
  watch(other, kLogs + "&tail=0");
  watch(first, kLogs);
  pass(1s);
  write(30, 10);
  pass(1s);
  viewer_stop.request();  // both are gone
  pass(100ms);
  ASSERT_EQ(first.lines(), texts());
  const std::string last = first.events()[9].id;
  write(5, 5);
  second.request.headers.emplace_back("Last-Event-ID", last);
  watch_under(second, kLogs, stop);
  pass(1s);
  write(5, 5);
  EXPECT_EQ(second.lines(), texts(11));
  // What is kept needs no other call of the engine.
  const auto calls = log_calls();
  late.request.headers.emplace_back("Last-Event-ID", second.events().back().id);
  watch_under(late, kLogs, stop);
  write(5, 5);
  EXPECT_EQ(log_calls(), calls);
  end();
  EXPECT_EQ(late.lines(), texts(41));
}

TEST_F(LogRoutesTest, JoinsWhatWasWrittenWithWhatComes) {
  write(50, 50);
  Viewer& viewer = fresh();
  engine.inject({.method = "GET", .path = "/containers/*/logs", .skip = 1, .delay = 2s});  // of what was written
  watch(viewer, kLogs + "&tail=all");
  pass(1s);
  write(40, 10);  // both live and in what was written
  pass(3s);
  write(10, 5);
  end();
  EXPECT_EQ(viewer.lines(), texts());
}

TEST_F(LogRoutesTest, TellsThatItLivesAndEndsAfterAQuarterOfAnHour) {
  Viewer& viewer = fresh();
  watch(viewer, kLogs);
  pass(40s);
  EXPECT_EQ(viewer.got, ":\n\n:\n\n");
  pass(14min);
  EXPECT_FALSE(viewer.over);
  pass(1min);
  EXPECT_TRUE(viewer.over) << "who asks is looked up anew";
  EXPECT_FALSE(viewer.has("end")) << "the client comes again";
  EXPECT_EQ(logs.followed(), 0u) << "nobody looks any more";
}

TEST_F(LogRoutesTest, CutsOffWhoNeverReads) {
  Viewer& viewer = fresh(true);
  watch(viewer, kLogs);
  pass(1s);
  write(5000, 500);
  EXPECT_EQ(logs.followed(), 1u);
  pass(17min);
  EXPECT_EQ(logs.followed(), 0u);
}

TEST_F(LogRoutesTest, AnEngineThatGoesAwayEndsNoLog) {
  Viewer& viewer = fresh();
  watch(viewer, kLogs);
  pass(1s);
  write(10, 10);
  engine.drop_connections();
  pass(1s);
  EXPECT_TRUE(viewer.broken) << "the client comes again";
  EXPECT_EQ(viewer.lines(), texts());
  EXPECT_FALSE(viewer.has("end"));
}

TEST_F(LogRoutesTest, SaysWhatTheEngineSaidBeforeTheFirstLine) {
  engine.inject({.method = "GET", .path = "/containers/*/logs", .status = 501, .message = "does not support reading"});
  const Got got = world.get(kLogs, "op");
  EXPECT_EQ(got.status, 500);
  EXPECT_NE(got.text.find("does not support reading"), std::string::npos) << got.text;
  EXPECT_EQ(world.get("/api/v1/containers/gone/logs?follow=1", "op").status, 404);
  EXPECT_EQ(world.get(kLogs, "see").status, 200) << "a viewer of the project may";
}

TEST_F(LogRoutesTest, IsTextWhereTextIsWanted) {
  write(3, 3);
  auto request = DeskWorld::request("GET", "/api/v1/containers/web/logs?tail=2", "op");
  request.headers.emplace_back("Accept", "text/plain");
  EXPECT_EQ(world.ask(request).text, text_of(2) + "\n" + text_of(3) + "\n");
  request.target += "&timestamps=1";
  EXPECT_TRUE(world.ask(request).text.starts_with("2026-01-01T00:00:"));
  request.target = kLogs + "&until=1";
  EXPECT_EQ(world.ask(request).text, "") << "what ends is not followed";
}

// The fifth seed's.
struct PlainLogsTest : LogRoutesTest {
  static constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
  static http::Request upgrade(std::string target) {
    auto request = DeskWorld::request("GET", std::move(target), "op");
    for (const auto& [name, value] : {std::pair<std::string, std::string>{"Upgrade", "websocket"},
                                      {"Connection", "Upgrade"},
                                      {"Sec-WebSocket-Version", "13"},
                                      {"Sec-WebSocket-Key", std::string(kKey)}})
      request.headers.emplace_back(name, value);
    return request;
  }
  struct Talk {
    int status = 0;
    std::string got{};
    bool over = false;
    std::optional<http::Upgraded> socket{};
  };
  /// Reads a WebSocket to its end.
  static io::Task<void> talk(LogRoutesTest& test, http::Request request, Talk& talk) {
    auto* dialer = new testing::PairDialer();
    dialer->most = 1;
    http::Pool pool{std::unique_ptr<io::Dialer>(dialer)};
    io::Scope connection(co_await io::here());
    connection.spawn([](EngineRoutesTest& of, testing::PairDialer& from) -> io::Task<void> {
      auto stream = co_await testing::accept(from);
      if (stream) co_await serve(of, std::move(*stream));
    }(test, *dialer));
    auto shaken = co_await pool.upgrade(std::move(request), false);
    if (shaken) {
      talk.status = shaken->reply.status;
      talk.got = shaken->body;
      talk.socket = std::move(shaken->connection);
    }
    char buffer[4096];
    while (talk.socket) {
      const auto count = co_await talk.socket->read(buffer);
      if (!count || *count == 0) break;
      talk.got.append(buffer, *count);
    }
    talk.over = true;
    talk.socket.reset();
    connection.cancel();
    co_await connection.join();
  }
  ~PlainLogsTest() override { leave(); }
  std::deque<Talk> talks;
  static std::string frame(std::string_view text) {
    std::string out;
    http::append_frame(out, http::WebSocketMessage::Kind::text, text);
    return out;
  }
};

TEST_F(PlainLogsTest, AreLinesOfTextThatEnd) {
  write(2, 2);
  const Got got = world.get("/api/containers/web/logs", "op");
  EXPECT_EQ(got.header("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(got.text, text_of(1) + "\n" + text_of(2) + "\n");
}

TEST_F(PlainLogsTest, AreEventsWhoseDataIsTheLine) {
  write(1, 1);
  Viewer& viewer = fresh();
  viewer.request.headers.emplace_back("Accept", "text/event-stream");
  watch(viewer, "/api/containers/web/logs");
  pass(1s);
  write(1, 1);
  end();
  EXPECT_NE(viewer.got.find("\ndata: " + text_of(1) + "\n\nid: "), std::string::npos) << viewer.got;
  EXPECT_NE(viewer.got.find("\ndata: " + text_of(2) + "\n\n"), std::string::npos) << viewer.got;
}

TEST_F(PlainLogsTest, AreMessagesOfAWebSocket) {
  write(1, 1);
  Talk& client = talks.emplace_back();
  scope.spawn(talk(*this, upgrade("/api/containers/web/logs"), client));
  pass(1s);
  EXPECT_EQ(client.status, 101);
  EXPECT_EQ(client.got, frame(text_of(1)));
  engine.log("web", "broken \xff byte\n");
  pass(1s);
  EXPECT_EQ(client.got, frame(text_of(1)) + frame("broken \xef\xbf\xbd byte"));
  client.got.clear();
  world.loop->run([](Talk& to) -> io::Task<void> {
    const std::string ping("\x89\x82\0\0\0\0hi", 8);
    static_cast<void>(co_await to.socket->write(ping));
  }(client));
  pass(1s);
  EXPECT_EQ(client.got, "\x8a\x02hi");
  client.got.clear();
  end();
  EXPECT_EQ(client.got.substr(0, 4), std::string("\x88\x0f\x03\xe8", 4)) << "closed: the log ended";
  pass(5s);
  EXPECT_TRUE(client.over);
}

TEST_F(PlainLogsTest, EndAWebSocketWhoseClientSaysSo) {
  Talk& client = talks.emplace_back();
  scope.spawn(talk(*this, upgrade("/api/containers/web/logs"), client));
  pass(1s);
  EXPECT_EQ(logs.followed(), 1u);
  world.loop->run([](Talk& to) -> io::Task<void> {
    const std::string close("\x88\x82\0\0\0\0\x03\xe8", 8);
    static_cast<void>(co_await to.socket->write(close));
  }(client));
  pass(1s);
  EXPECT_EQ(client.got, std::string("\x88\x02\x03\xe8", 4));
  EXPECT_EQ(logs.followed(), 0u);
}

TEST_F(PlainLogsTest, RefuseTheWebSocketOfAnotherSite) {
  auto request = upgrade("/api/containers/web/logs");
  request.headers.erase(request.headers.begin());  // the token: a cookie's would not be seen
  request.headers.emplace_back("Origin", "https://evil.example");
  Talk& client = talks.emplace_back();
  scope.spawn(talk(*this, request, client));
  pass(1s);
  EXPECT_EQ(client.status, 403) << client.got;
  request = upgrade("/api/containers/web/logs");
  request.headers.back().second = "short";  // no key
  Talk& wrong = talks.emplace_back();
  scope.spawn(talk(*this, request, wrong));
  pass(1s);
  EXPECT_EQ(wrong.status, 426);
}

TEST_F(PlainLogsTest, BeginWithWhatWasSaidWhileTheContainerWasMade) {
  logs.began(id, {"[init] pulling app:1", "[init] started"});
  write(1, 1);
  EXPECT_EQ(world.get("/api/containers/web/logs", "op").text,
            "[init] pulling app:1\n[init] started\n" + text_of(1) + "\n");
  EXPECT_EQ(world.get("/api/containers/web/logs?tail=1", "op").text, text_of(1) + "\n") << "as asked";
}

}  // namespace
}  // namespace berth::api
