// Applications behind uWSGI's protocol and FastCGI that answer well, wrongly, or not at all.
#include "edge/server_fixture.h"

namespace berth::edge {
namespace {

using Test = io::Task<void>;

#define RUN(name)           \
  TEST(ServerCgi, name) {   \
    World world;            \
    world.run(name##_body); \
  }

/// Answers each connection with the same bytes, as soon as the first of the request came, and closes.
struct Application {
  Application(World& world, std::string answer) : answer_(std::move(answer)) {
    bool ok = false;
    listener_ = io::Listener::open(world.loop, io::Address::ip("127.0.0.1", 0, ok)).value();
  }
  io::Task<void> run() {
    while (true) {
      auto stream = co_await listener_->accept();
      if (!stream) co_return;
      char bytes[65536];
      for (std::size_t wanted = least; seen.size() < wanted;) {
        const auto count = co_await io::read_some(**stream, bytes);
        if (!count || *count == 0) break;
        seen.append(bytes, *count);
      }
      ++connections;
      static_cast<void>(co_await io::write_all(**stream, answer_));
      (*stream)->shutdown_write();
      const auto rest = co_await io::read_some(**stream, bytes);
      if (rest && *rest > 0) seen.append(bytes, *rest);
      (*stream)->close();
    }
  }
  Upstream upstream(Speaks speaks) const {
    return {.host = "127.0.0.1", .port = listener_->address().port(), .target = "app", .speaks = speaks};
  }
  std::string seen;
  std::size_t least = 1, connections = 0;

 private:
  std::string answer_;
  std::unique_ptr<io::Listener> listener_;
};

io::Task<Answer> ask(World& world, Application& application, Speaks speaks, std::string request) {
  Snapshot snapshot = world.snapshot(world.server->live()->version() + 1);
  snapshot.services[0].upstreams = {application.upstream(speaks)};
  snapshot.services[0].cgi = Cgi{.root = "/srv"};
  world.use(decode_snapshot(encode_snapshot(snapshot)).value());
  io::Scope scope(co_await io::here());
  scope.spawn(application.run());
  auto browser = co_await world.browse();
  const std::string method(request.substr(0, request.find(' ')));
  EXPECT_TRUE(co_await browser->send(std::move(request)));
  Answer answer = co_await browser->receive(method);
  scope.cancel();
  co_await scope.join();
  co_return answer;
}

std::string record(int type, std::string_view content) {
  std::string out{1,
                  static_cast<char>(type),
                  0,
                  1,
                  static_cast<char>(content.size() >> 8),
                  static_cast<char>(content.size() & 0xff),
                  0,
                  0};
  return out.append(content);
}
std::string ended(char status = 0) {
  return record(3, std::string{0, 0, 0, 0, status, 0, 0, 0});
}

struct Case {
  std::string_view what;
  Speaks speaks;
  std::string answer;
  int status;
  bool complete;
  std::string_view body = {};
};

std::vector<Case> cases() {
  const std::string head = "Content-Type: text/plain\r\n\r\n";
  return {
      {"uwsgi until the end", Speaks::uwsgi, "HTTP/1.1 201 Made\r\nX-A: b\r\n\r\nhello", 201, true, "hello"},
      {"uwsgi with a length", Speaks::uwsgi, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, true, "hello"},
      {"uwsgi too short", Speaks::uwsgi, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", 200, false, "hello"},
      {"uwsgi too long", Speaks::uwsgi, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello", 200, true, "he"},
      {"uwsgi closes", Speaks::uwsgi, "", 502, true},
      {"uwsgi cut head", Speaks::uwsgi, "HTTP/1.1 200 OK\r\nX-A: b\r\n", 502, true},
      {"uwsgi endless head", Speaks::uwsgi, "HTTP/1.1 200 OK\r\n" + std::string(1 << 20, 'x'), 502, true},
      {"uwsgi chunked", Speaks::uwsgi, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 502, true},
      {"fcgi", Speaks::fcgi, record(6, "Status: 404\r\n" + head) + record(6, "gone") + record(6, "") + ended(), 404,
       true, "gone"},
      {"fcgi without an end", Speaks::fcgi, record(6, head + "half"), 200, false, "half"},
      {"fcgi closes", Speaks::fcgi, "", 502, true},
      {"fcgi ends without a head", Speaks::fcgi, record(7, "Primary script unknown") + ended(), 502, true},
      {"fcgi overloaded", Speaks::fcgi, ended(2), 503, true},
      {"fcgi is HTTP", Speaks::fcgi, "HTTP/1.1 200 OK\r\n\r\n", 502, true},
      {"fcgi of another request", Speaks::fcgi, std::string("\1\6\0\2\0\1\0\0x", 9), 502, true},
      {"fcgi endless head", Speaks::fcgi, record(6, std::string(60'000, 'x')) + record(6, std::string(60'000, 'x')),
       502, true},
      {"fcgi too long", Speaks::fcgi, record(6, "Content-Length: 2\r\n\r\nhello") + ended(), 200, true, "he"},
      {"fcgi too short", Speaks::fcgi, record(6, "Content-Length: 9\r\n\r\nhello") + ended(), 0, false},
  };
}

Test AnswersAsTheApplicationDoes_body(World& world) {
  for (const Case& one : cases()) {
    Application application(world, one.answer);
    const Answer answer = co_await ask(world, application, one.speaks, get("/a.php"));
    EXPECT_EQ(answer.status, one.status) << one.what;
    EXPECT_EQ(answer.complete, one.complete) << one.what;
    if (!one.body.empty()) EXPECT_EQ(answer.body, one.body) << one.what;
    EXPECT_EQ(answer.field("status"), "") << one.what;
    EXPECT_EQ(application.connections, 1u) << one.what;
  }
}
RUN(AnswersAsTheApplicationDoes)

Test TellsWhatTheApplicationSaysOfAFailure_body(World& world) {
  Application application(world, record(7, "Primary script\nunknown") + ended());
  co_await ask(world, application, Speaks::fcgi, get("/a.php"));
  EXPECT_TRUE(world.access.back().contains("the application says: Primary script unknown")) << world.access.back();
}
RUN(TellsWhatTheApplicationSaysOfAFailure)

Test SendsABodyOfUnknownLengthWithItsLength_body(World& world) {
  const std::string post = "POST /a HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n";
  Application application(world, "HTTP/1.1 200 OK\r\n\r\nyes");
  application.least = 300;
  const Answer answer = co_await ask(world, application, Speaks::uwsgi, post + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(answer.body, "yes");
  EXPECT_TRUE(application.seen.ends_with("abcde"));
  EXPECT_TRUE(application.seen.contains(std::string("CONTENT_LENGTH\1\0", 16) + "5")) << application.seen;
  Application other(world, record(6, "X: y\r\n\r\nyes") + ended());
  other.least = 300;
  EXPECT_EQ((co_await ask(world, other, Speaks::fcgi, post + "3\r\nabc\r\n0\r\n\r\n")).body, "yes");
  EXPECT_TRUE(other.seen.ends_with(record(5, "abc") + record(5, "")));
  // What would have to be kept in memory is bounded.
  std::string large = post + "200000\r\n" + std::string(0x200000, 'x') + "\r\n0\r\n\r\n";
  EXPECT_EQ((co_await ask(world, application, Speaks::uwsgi, std::move(large))).status, 411);
}
RUN(SendsABodyOfUnknownLengthWithItsLength)

Test RefusesWhatCannotBeTold_body(World& world) {
  Application application(world, "HTTP/1.1 200 OK\r\n\r\nyes");
  EXPECT_EQ((co_await ask(world, application, Speaks::uwsgi, get("/a%0Ab"))).status, 400);
  const std::string huge = "X-A: " + std::string(60'000, 'x') + "\r\n";
  EXPECT_EQ(
      (co_await ask(world, application, Speaks::uwsgi, get("/a", huge + "X-B: " + std::string(5'200, 'y') + "\r\n")))
          .status,
      431);
  EXPECT_EQ((co_await ask(world, application, Speaks::uwsgi,
                          get("/a",
                              "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")))
                .status,
            502);
  EXPECT_EQ(application.seen, "");
}
RUN(RefusesWhatCannotBeTold)

Test LeavesOutTheBodyOfAHead_body(World& world) {
  Application application(world, record(6, "Content-Length: 5\r\n\r\nhello") + ended());
  const Answer answer =
      co_await ask(world, application, Speaks::fcgi, "HEAD /a.php HTTP/1.1\r\nHost: app.test\r\n\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.field("content-length"), "5");
  EXPECT_TRUE(answer.complete);
}
RUN(LeavesOutTheBodyOfAHead)

}  // namespace
}  // namespace berth::edge
