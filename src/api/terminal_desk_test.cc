// Terminals over the routes, on a fake engine whose program writes back what it reads.
#include <gtest/gtest.h>

#include "api/engine_world_test.h"

namespace berth::api {
namespace {

using namespace std::chrono_literals;
using Kind = http::WebSocketMessage::Kind;

struct TerminalDeskTest : EngineRoutesTest {
  TerminalDeskTest() {
    run("web");
    engine.on_exec({.echoes = true});
  }
  struct Opened {
    std::string terminal{}, ticket{};
  };
  Opened open() {
    const Got got = world.send("POST", "/api/v1/containers/web/terminals", Json::object(), "op");
    EXPECT_EQ(got.status, 200) << got.text;
    return {.terminal = std::string(got.body["terminal"].text()), .ticket = std::string(got.body["ticket"].text())};
  }
  std::string again(const std::string& terminal) {
    const Got got = world.send("POST", "/api/v1/terminals/" + terminal + "/tickets", {}, "op");
    EXPECT_EQ(got.status, 200) << got.text;
    return std::string(got.body["ticket"].text());
  }
  std::size_t count() { return world.get("/api/v1/terminals", "op").body["items"].size(); }

  struct Line {
    http::Request request{};
    int status = 0;
    std::string got{};
    bool over = false;
    std::optional<http::Upgraded> socket{};
    io::Cancel* stop = nullptr;
  };
  Line& join(const Opened& opened, const std::string& as = "op", const std::string& origin = {}) {
    Line& line = lines.emplace_back();
    line.request =
        DeskWorld::request("GET", "/api/v1/terminals/" + opened.terminal + "/socket?ticket=" + opened.ticket, as);
    for (const auto& [name, value] : {std::pair<std::string, std::string>{"Upgrade", "websocket"},
                                      {"Connection", "Upgrade"},
                                      {"Sec-WebSocket-Version", "13"},
                                      {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}})
      line.request.headers.emplace_back(name, value);
    if (!origin.empty()) line.request.headers.emplace_back("Origin", origin);
    scope.spawn(talk(*this, line));
    pass(1s);
    return line;
  }
  static io::Task<void> talk(TerminalDeskTest& test, Line& line) {
    auto* dialer = new testing::PairDialer();
    dialer->most = 1;
    http::Pool pool{std::unique_ptr<io::Dialer>(dialer)};
    io::Scope connection(co_await io::here());
    connection.spawn([](EngineRoutesTest& of, testing::PairDialer& from) -> io::Task<void> {
      auto stream = co_await testing::accept(from);
      if (stream) co_await serve(of, std::move(*stream));
    }(test, *dialer));
    auto shaken = co_await pool.upgrade(line.request, false);
    if (shaken) {
      line.status = shaken->reply.status;
      line.socket = std::move(shaken->connection);
    }
    io::Cancel stop((co_await io::here()).cancel);
    line.stop = &stop;
    co_await hear(line).under(stop);
    line.stop = nullptr;
    line.over = true;
    line.socket.reset();
    connection.cancel();
    co_await connection.join();
  }
  static io::Task<void> hear(Line& line) {
    char buffer[4096];
    while (line.socket) {
      const auto count = co_await line.socket->read(buffer);
      if (!count || *count == 0) co_return;
      line.got.append(buffer, *count);
    }
  }
  void type(Line& line, const std::string& text) {
    std::string frame{'\x82', static_cast<char>(0x80 | text.size()), 0, 0, 0, 0};
    frame += text;
    world.loop->run([](Line& to, std::string bytes) -> io::Task<void> {
      static_cast<void>(co_await to.socket->write(bytes));
    }(line, std::move(frame)));
    pass(1s);
  }
  static std::string binary(std::string_view text) {
    std::string out;
    http::append_frame(out, Kind::binary, text);
    return out;
  }
  /// The client is gone without a word.
  void drop(Line& line) {
    line.stop->request();
    pass(100ms);
  }

  ~TerminalDeskTest() override { leave(); }
  std::deque<Line> lines;
};

TEST_F(TerminalDeskTest, ShowsAgainWhatWasThereToWhoComesBack) {
  const Opened opened = open();
  Line& first = join(opened);
  ASSERT_EQ(first.status, 101);
  type(first, "hello");
  EXPECT_EQ(first.got, binary("hello"));
  drop(first);
  pass(30s);
  Line& second = join({opened.terminal, again(opened.terminal)});
  ASSERT_EQ(second.status, 101);
  EXPECT_EQ(second.got, binary("hello")) << "replayed";
  type(second, " again");
  EXPECT_EQ(second.got, binary("hello") + binary(" again"));
}

TEST_F(TerminalDeskTest, EndsSixtySecondsAfterItsLastSocket) {
  const Opened opened = open();
  Line& line = join(opened);
  for (int i = 0; i < 10; ++i) {
    pass(20s);
    type(line, "x");  // a sign of life
  }
  EXPECT_EQ(count(), 1u) << "somebody looks at it";
  drop(line);
  pass(55s);
  EXPECT_EQ(count(), 1u);
  pass(10s);
  EXPECT_EQ(count(), 0u);
  pass(61s);  // for so long its end can still be seen
  const Got got = world.send("POST", "/api/v1/terminals/" + opened.terminal + "/tickets", {}, "op");
  EXPECT_EQ(got.status, 404) << got.text;
}

TEST_F(TerminalDeskTest, ATicketIsForOneSocketOfOneUserForAMoment) {
  const Opened opened = open();
  EXPECT_EQ(join(opened, "ada").status, 403) << "of somebody else";
  EXPECT_EQ(join({opened.terminal, "guess"}).status, 403);
  Line& line = join(opened);
  EXPECT_EQ(line.status, 101);
  EXPECT_EQ(join(opened).status, 403) << "used";
  EXPECT_FALSE(line.over);
  const std::string old = again(opened.terminal);
  pass(31s);
  EXPECT_EQ(join({opened.terminal, old}).status, 403) << "over";
  const std::string one = again(opened.terminal), two = again(opened.terminal);
  EXPECT_EQ(join({opened.terminal, one}).status, 403) << "another one took its place";
  EXPECT_EQ(join({opened.terminal, two}).status, 101);
}

TEST_F(TerminalDeskTest, APageOfAnotherSiteGetsNoSocket) {
  const Opened opened = open();
  Line& line = lines.emplace_back();
  line.request = DeskWorld::request("GET", "/api/v1/terminals/" + opened.terminal + "/socket?ticket=" + opened.ticket);
  line.request.headers = {{"Cookie", "session=of-olga"},   {"Upgrade", "websocket"},
                          {"Connection", "Upgrade"},       {"Sec-WebSocket-Version", "13"},
                          {"Origin", "https://evil.test"}, {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};
  scope.spawn(talk(*this, line));
  pass(1s);
  EXPECT_EQ(line.status, 403);
  EXPECT_EQ(join(opened).status, 101) << "the ticket is not spent";
}

}  // namespace
}  // namespace berth::api
