// The client against canned and hostile replies, in virtual time.
#include "engine/client.h"

#include <gtest/gtest.h>

#include <deque>

#include "engine/container.h"
#include "engine/event.h"
#include "engine/image.h"
#include "engine/system.h"
#include "http/server.h"
#include "io/scope.h"
#include "testing/simulation.h"

namespace berth::engine {
namespace {

using io::Task;

// An engine that answers each request by `reply`, which sees "METHOD TARGET"; "" closes the connection, "hang" never
// answers. The answer is raw bytes after which the connection closes.
struct CannedEngine {
  std::unique_ptr<io::Loop> loop = berth::testing::simulated_loop();
  std::function<std::string(std::string)> reply;
  std::vector<std::string> asked;
  berth::testing::StreamFaults faults;
  std::deque<std::unique_ptr<io::Stream>> arrived;
  io::Event someone;
};

class CannedDialer final : public io::Dialer {
 public:
  explicit CannedDialer(CannedEngine& engine) : engine_(engine) {}
  Task<Result<std::unique_ptr<io::Stream>>> dial() override {
    auto [ours, theirs] = berth::testing::stream_pair(engine_.faults);
    engine_.arrived.push_back(std::move(theirs));
    engine_.someone.set();
    co_return std::move(ours);
  }
  std::string name() const override { return "canned"; }

 private:
  CannedEngine& engine_;
};

Task<void> answer_one(CannedEngine& engine, std::unique_ptr<io::Stream> stream) {
  std::string text;
  char bytes[4096];
  while (text.find("\r\n\r\n") == std::string::npos) {
    const auto count = co_await io::read_some(*stream, bytes);
    if (!count || *count == 0) co_return;
    text.append(bytes, *count);
  }
  const std::string line = text.substr(0, text.find(" HTTP/"));
  engine.asked.push_back(line);
  const std::string reply = engine.reply(line);
  const bool hang = reply.ends_with("hang");
  const auto sent = co_await io::write_all(*stream, hang ? reply.substr(0, reply.size() - 4) : reply);
  if (!sent) co_return;
  if (!hang) stream->shutdown_write();
  while (true) {
    const auto count = co_await io::read_some(*stream, bytes);
    if (!count || *count == 0) co_return;
  }
}
Task<void> answer_all(CannedEngine& engine) {
  io::Scope scope(co_await io::here());
  while (true) {
    if (engine.arrived.empty()) {
      engine.someone.reset();
      if (!co_await engine.someone.wait()) break;
      continue;
    }
    auto stream = std::move(engine.arrived.front());
    engine.arrived.pop_front();
    scope.spawn(answer_one(engine, std::move(stream)));
  }
  scope.cancel();
  co_await scope.join();
}

std::string ok(std::string body, std::string type = "application/json") {
  return "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Type: " + type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
std::string error(int status, std::string message) {
  const std::string body = Json::object({{"message", message}}).dump();
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
bool is_ping(const std::string& line) {
  return line.ends_with("/_ping");
}

Task<Result<std::unique_ptr<Client>>> dial(CannedEngine& engine) {
  co_return co_await Client::connect(Address{.path = "/fake.sock"}, std::make_unique<CannedDialer>(engine));
}

// Runs `steps` with a connected client beside the engine.
using Steps = std::function<Task<void>(Client&)>;
Task<void> run_beside(CannedEngine& engine, const Steps& steps) {
  io::Scope scope(co_await io::here());
  scope.spawn(answer_all(engine));
  auto client = co_await dial(engine);
  EXPECT_TRUE(client) << client.error().text();
  if (client) co_await steps(**client);
  client = fail(Code::internal, "done");
  scope.cancel();
  co_await scope.join();
}
void with_engine(CannedEngine& engine, const Steps& steps) {
  engine.loop->run(run_beside(engine, steps));
}

Task<void> connect_only(CannedEngine& engine, std::string& outcome) {
  io::Scope scope(co_await io::here());
  scope.spawn(answer_all(engine));
  {
    auto client = co_await dial(engine);
    outcome = client ? (*client)->version().text()
                     : std::string(to_text(client.error().code)) + ": " + client.error().message;
  }
  scope.cancel();
  co_await scope.join();
}
std::string connected(std::function<std::string(std::string)> reply) {
  CannedEngine engine;
  engine.reply = std::move(reply);
  std::string outcome;
  engine.loop->run(connect_only(engine, outcome));
  return outcome;
}
std::string ping_of(const std::string& version) {
  return "HTTP/1.1 200 OK\r\nApi-Version: " + version + "\r\nContent-Length: 2\r\n\r\nOK";
}

TEST(Connect, SettlesTheVersion) {
  EXPECT_EQ(connected([](std::string) { return ping_of("1.41"); }), "1.41");
  EXPECT_EQ(connected([](std::string) { return ping_of("1.24"); }), "1.24");
  EXPECT_EQ(connected([](std::string line) {
              return is_ping(line) ? ping_of("1.52") : ok(R"({"ApiVersion":"1.52","MinAPIVersion":"1.44"})");
            }),
            "1.48");
}

TEST(Connect, AsksForTheVersionWherePingDoesNotSay) {
  EXPECT_EQ(connected([](std::string line) {
              return is_ping(line) ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK" : ok(R"({"ApiVersion":"1.26"})");
            }),
            "1.26");
}

TEST(Connect, SaysWhoIsTooOld) {
  EXPECT_EQ(
      connected([](std::string) { return ping_of("1.20"); }),
      "unavailable: unix:///fake.sock: the engine is too old: it speaks API 1.20 at most, berth needs 1.24; upgrade "
      "the engine");
  EXPECT_EQ(
      connected([](std::string line) {
        return is_ping(line) ? ping_of("1.99") : ok(R"({"ApiVersion":"1.99","MinAPIVersion":"1.60"})");
      }),
      "unavailable: unix:///fake.sock: berth is too old for this engine: it speaks API 1.60 at least, berth 1.48 at "
      "most; upgrade berth");
}

TEST(Connect, KnowsWhatIsNoEngine) {
  EXPECT_EQ(connected([](std::string) { return ok("{}"); }).find("1.41"), 0u);
  EXPECT_EQ(connected([](std::string) { return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"; }),
            "unavailable: unix:///fake.sock: what answers there is no container engine");
  EXPECT_EQ(connected([](std::string) { return "SSH-2.0-OpenSSH\r\n"; }).substr(0, 9), "internal:");
  EXPECT_EQ(connected([](std::string) { return ""; }), "unavailable: connection closed without a reply");
  EXPECT_EQ(connected([](std::string) { return "hang"; }),
            "timeout: GET /_ping of the engine at unix:///fake.sock: no answer within 30.0 s");
}

TEST(Call, FollowsAnEngineThatWasUpgraded) {
  CannedEngine engine;
  engine.reply = [](std::string line) {
    if (is_ping(line)) return ping_of("1.41");
    if (line.find("/v1.44/") != std::string::npos) return ok("[]");
    return error(400, "client version 1.41 is too old. Minimum supported API version is 1.44, please upgrade");
  };
  with_engine(engine, [](Client& client) -> Task<void> {
    EXPECT_TRUE(co_await list_containers(client));
    EXPECT_EQ(client.version(), (ApiVersion{1, 44}));
    EXPECT_TRUE(co_await list_containers(client));
  });
  EXPECT_EQ(engine.asked.size(), 4u);
}

TEST(Call, TellsOfAnEngineThatIsTooNew) {
  CannedEngine engine;
  engine.reply = [](std::string line) {
    if (is_ping(line)) return ping_of("1.41");
    return error(400, "client version 1.41 is too old. Minimum supported API version is 1.99, please upgrade");
  };
  with_engine(engine, [](Client& client) -> Task<void> {
    const auto listed = co_await list_containers(client);
    EXPECT_EQ(listed.error().code, Code::invalid);
    EXPECT_NE(listed.error().message.find("Minimum supported API version is 1.99"), std::string::npos);
  });
  EXPECT_EQ(engine.asked.size(), 2u);
}

TEST(Connect, RefusesPlainTcpToOthers) {
  io::Loop loop;
  const auto client = loop.run(Client::connect(*parse_address("tcp://192.0.2.1:2375")));
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, Code::denied);
}

TEST(Connect, ExplainsAMissingSocket) {
  io::Loop loop;
  const auto client = loop.run(Client::connect(*parse_address("unix:///nonexistent/engine.sock")));
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, Code::unavailable);
  EXPECT_NE(client.error().message.find("there is no such socket"), std::string::npos) << client.error().message;
}

struct Mapped {
  std::string reply;
  Code code;
  std::string message;
};
TEST(Call, MapsErrors) {
  const Mapped rows[] = {
      {error(400, "bad parameter"), Code::invalid, "bad parameter"},
      {error(401, "who are you"), Code::denied, "who are you"},
      {error(403, "forbidden"), Code::denied, "forbidden"},
      {error(404, "No such container: x"), Code::not_found, "No such container: x"},
      {error(409, "Conflict."), Code::conflict, "Conflict."},
      {error(422, "unprocessable"), Code::invalid, "unprocessable"},
      {error(500, "it broke\n"), Code::internal, "it broke"},
      {error(503, "no swarm"), Code::unavailable, "no swarm"},
      {"HTTP/1.1 500 X\r\nContent-Length: 5\r\n\r\nplain", Code::internal, "plain"},
      {"HTTP/1.1 502 X\r\nContent-Length: 0\r\n\r\n", Code::internal, "the engine answers 502 without a reason"},
      {"", Code::unavailable, "connection closed without a reply"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", Code::unavailable, "connection closed in the middle of a body"},
      {ok("{not json"), Code::invalid, "not JSON"},
      {"hang", Code::timeout, "GET /containers/x/json of the engine at unix:///fake.sock: no answer within 60.0 s"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{hang", Code::timeout, "GET /containers/x/json of the engine"},
  };
  for (const Mapped& row : rows)
    for (const std::size_t chunk : {1u, 4096u}) {
      CannedEngine engine;
      engine.faults.chunk = chunk;
      engine.reply = [&](std::string line) { return is_ping(line) ? ping_of("1.41") : row.reply; };
      with_engine(engine, [&row](Client& client) {
        return [](Client& c, const Mapped& expected) -> Task<void> {
          const auto reply = co_await inspect_container(c, "x");
          EXPECT_FALSE(reply) << expected.reply;
          if (reply) co_return;
          EXPECT_EQ(reply.error().code, expected.code) << expected.reply;
          EXPECT_EQ(reply.error().message.substr(0, expected.message.size()), expected.message);
        }(client, row);
      });
    }
}

TEST(Call, BoundsReplies) {
  CannedEngine engine;
  engine.reply = [](std::string line) { return is_ping(line) ? ping_of("1.41") : ok(std::string(5000, ' ') + "{}"); };
  with_engine(engine, [](Client& client) -> Task<void> {
    const auto reply = co_await client.call({.path = "/info", .reply_limit = 4096});
    EXPECT_EQ(reply.error().code, Code::internal);
    EXPECT_EQ(reply.error().message, "reply of more than 4096 bytes");
  });
}

TEST(Call, EncodesNamesAndFilters) {
  CannedEngine engine;
  engine.reply = [](std::string line) { return is_ping(line) ? ping_of("1.41") : ok("[]"); };
  with_engine(engine, [](Client& client) -> Task<void> {
    EXPECT_TRUE(co_await inspect_container(client, "../images/json?x=#"));
    EXPECT_TRUE(
        co_await list_containers(client, {.filters = {{"label", "a=b c"}, {"label", "d"}, {"status", "running"}}}));
  });
  ASSERT_EQ(engine.asked.size(), 3u);
  EXPECT_EQ(engine.asked[1], "GET /v1.41/containers/..%2Fimages%2Fjson%3Fx%3D%23/json");
  EXPECT_EQ(
      engine.asked[2],
      "GET /v1.41/containers/json?all=1&filters=%7B%22label%22%3A%5B%22a%3Db%20c%22%2C%22d%22%5D%2C%22status%22%3A"
      "%5B%22running%22%5D%7D");
}

TEST(Call, RefusesWhatTheEngineDoesNotKnow) {
  CannedEngine engine;
  engine.reply = [](std::string) { return ping_of("1.40"); };
  with_engine(engine, [](Client& client) -> Task<void> {
    const auto created = co_await create_container(client, {.platform = "linux/arm64"});
    EXPECT_EQ(created.error().code, Code::invalid);
    EXPECT_EQ(
        created.error().message,
        "platform linux/arm64 needs the platform of a container, which came with API 1.41; this engine speaks 1.40");
  });
}

TEST(Call, EndsWhenCancelled) {
  CannedEngine engine;
  engine.reply = [](std::string line) { return is_ping(line) ? ping_of("1.41") : std::string("hang"); };
  with_engine(engine, [](Client& client) -> Task<void> {
    io::Cancel cancel((co_await io::here()).cancel);
    io::Scope scope(co_await io::here());
    scope.spawn([](io::Cancel& target) -> Task<void> {
      const auto slept = co_await io::sleep_for(std::chrono::seconds(2));
      if (slept) target.request();
    }(cancel));
    const auto status = co_await wait_container(client, "x").under(cancel);
    EXPECT_EQ(status.error().code, Code::cancelled);
    co_await scope.join();
  });
}

TEST(Call, WaitsWithoutADeadline) {
  CannedEngine engine;
  engine.reply = [](std::string line) { return is_ping(line) ? ping_of("1.41") : std::string("hang"); };
  with_engine(engine, [](Client& client) -> Task<void> {
    const auto status = co_await io::within(std::chrono::hours(24), wait_container(client, "x"));
    EXPECT_EQ(status.error().code, Code::timeout);  // ours, not the call's
    EXPECT_EQ((co_await io::here()).loop->now().time_since_epoch(), std::chrono::hours(24));
  });
}

Task<void> pull(Client& client, std::string& outcome, int& messages) {
  const auto pulled = co_await pull_image(client, {.name = "app"}, [&messages](const Json&) { ++messages; });
  outcome = pulled ? "ok" : std::string(to_text(pulled.error().code)) + ": " + pulled.error().message;
}
std::string pulled(const std::string& body, int& messages) {
  std::string outcome;
  for (const std::size_t chunk : {1u, 7u, 65536u}) {
    if (chunk < 8 && body.size() > 1000) continue;
    CannedEngine engine;
    engine.faults.chunk = chunk;
    engine.reply = [&](std::string line) { return is_ping(line) ? ping_of("1.41") : ok(body); };
    messages = 0;
    with_engine(engine, [&](Client& client) { return pull(client, outcome, messages); });
  }
  return outcome;
}

TEST(Pull, ReadsTheProgress) {
  int messages = 0;
  EXPECT_EQ(
      pulled("{\"status\":\"Pulling\"}\r\n{\"status\":\"x\",\"id\":\"a\"}\r\n\r\n{\"status\":\"Done\"}", messages),
      "ok");
  EXPECT_EQ(messages, 3);
}

TEST(Pull, AnErrorInTheStreamIsTheErrorOfTheCall) {
  int messages = 0;
  const auto with = [](const std::string& text) {
    return "{\"status\":\"Pulling\"}\r\n{\"errorDetail\":{\"message\":\"" + text + "\"},\"error\":\"" + text +
           "\"}\r\n{}\r\n";
  };
  EXPECT_EQ(pulled(with("manifest unknown"), messages), "not_found: manifest unknown");
  EXPECT_EQ(messages, 2);
  EXPECT_EQ(pulled(with("unauthorized: no"), messages), "denied: unauthorized: no");
  EXPECT_EQ(pulled(with("dial tcp: i/o timeout"), messages), "unavailable: dial tcp: i/o timeout");
  EXPECT_EQ(pulled(with("disk full"), messages), "internal: disk full");
  EXPECT_EQ(pulled("{\"status\":\n", messages).substr(0, 17), "invalid: not JSON");
  EXPECT_EQ(pulled("{\"status\":\"" + std::string(1'200'000, 'x'), messages),
            "internal: the engine sent a message of more than 1 MiB");
}

std::string frame(int channel, const std::string& bytes) {
  std::string text(8, '\0');
  text[0] = static_cast<char>(channel);
  text[7] = static_cast<char>(bytes.size());
  return text + bytes;
}
Task<void> read_logs(Client& client, bool tty, std::string& outcome) {
  auto logs = co_await container_logs(client, "x", tty);
  EXPECT_TRUE(logs);
  while (logs) {
    const auto piece = co_await logs->next();
    if (!piece) outcome += "!" + piece.error().message;
    if (!piece || !*piece) co_return;
    outcome += (*piece)->channel == Channel::err ? "e:" : "o:";
    outcome += (*piece)->bytes;
  }
}
std::string logs_of(const std::string& body, bool tty, std::size_t chunk) {
  CannedEngine engine;
  engine.faults.chunk = chunk;
  engine.reply = [&](std::string line) {
    return is_ping(line) ? ping_of("1.41")
                         : "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n" + body;
  };
  std::string outcome;
  with_engine(engine, [&](Client& client) { return read_logs(client, tty, outcome); });
  return outcome;
}

TEST(Logs, DemultiplexesHoweverTheBytesArrive) {
  const std::string body = frame(1, "hi\n") + frame(2, "no\n");
  EXPECT_EQ(logs_of(body, false, 4096), "o:hi\ne:no\n");
  EXPECT_EQ(logs_of(body, false, 1), "o:ho:io:\ne:ne:oe:\n");
  EXPECT_EQ(logs_of("raw \x1b[1m", true, 4096), "o:raw \x1b[1m");
}

TEST(Logs, ACutFrameIsAnError) {
  EXPECT_EQ(logs_of(frame(1, "hello").substr(0, 10), false, 4096), "o:he!the output ends in the middle of a frame");
  EXPECT_NE(logs_of("no frames at all", false, 4096).find("broken output frame"), std::string::npos);
}

// Events: each connection gets the next text of the script, then breaks.
TEST(Events, ResumeAfterALostConnection) {
  CannedEngine engine;
  const auto event = [](const char* action, int nano) {
    return R"({"Type":"container","Action":")" + std::string(action) +
           R"(","Actor":{"ID":"c1","Attributes":{"name":"web"}},"time":1700000000,"timeNano":170000000000000000)" +
           std::to_string(nano) + "}\n";
  };
  std::deque<std::string> script = {event("create", 1) + event("start", 2), event("start", 2) + event("die", 3), ""};
  engine.reply = [&](std::string line) {
    if (is_ping(line)) return ping_of("1.41");
    if (script.empty()) return std::string("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\nhang");
    const std::string body = script.front();
    script.pop_front();
    return body.empty() ? error(500, "starting") : "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + [&] {
      std::string text;
      http::append_chunk_size(text, body.size());
      return text + body + "\r\n";
    }();
  };
  std::vector<std::string> seen;
  with_engine(engine, [&seen](Client& client) {
    return [](Client& c, std::vector<std::string>& log) -> Task<void> {
      EventStream events(c, {.filters = {{"type", "container"}}});
      for (int i = 0; i < 6; ++i) {
        const auto item = co_await events.next();
        EXPECT_TRUE(item);
        if (item) log.push_back(item->gap ? "gap" : item->event.action);
      }
      // The engine refuses once, then nothing happens: waiting ends with the caller's deadline.
      EXPECT_EQ((co_await io::within(std::chrono::seconds(5), events.next())).error().code, Code::timeout);
    }(client, seen);
  });
  EXPECT_EQ(seen, (std::vector<std::string>{"gap", "create", "start", "gap", "die", "gap"}));
  EXPECT_NE(engine.asked.at(2).find("since=1700000000.000000002"), std::string::npos) << engine.asked.at(2);
}

TEST(Events, ARefusalAtFirstIsFinal) {
  CannedEngine engine;
  engine.reply = [](std::string line) { return is_ping(line) ? ping_of("1.41") : error(400, "invalid filter"); };
  with_engine(engine, [](Client& client) -> Task<void> {
    EventStream events(client, {});
    const auto item = co_await events.next();
    EXPECT_EQ(item.error().message, "invalid filter");
  });
}

TEST(Events, OldEnginesAreRead) {
  const auto old = parse_json(R"({"status":"start","id":"abc","from":"img","time":5})");
  const EngineEvent event = parse_event(*old);
  EXPECT_EQ(event.action, "start");
  EXPECT_EQ(event.id, "abc");
  EXPECT_EQ(event.time_nano, 5'000'000'000);
}

TEST(Paths, AreEncoded) {
  EXPECT_EQ(path_of("/images/{}/json", "host:5000/a:b"), "/images/host%3A5000%2Fa%3Ab/json");
  EXPECT_EQ(filters_text({}), "{}");
}

}  // namespace
}  // namespace berth::engine
