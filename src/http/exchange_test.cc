// Client and server over in-memory streams in virtual time.
#include <gtest/gtest.h>

#include "http/client.h"
#include "http/server.h"
#include "io/scope.h"
#include "testing/pair_dialer.h"

namespace berth::http {
namespace {

using io::Task;
using testing::accept;
using testing::PairDialer;
using testing::StreamFaults;

struct Bench {
  std::unique_ptr<io::Loop> loop = testing::simulated_loop();
  PairDialer* dialer = new PairDialer();
  Pool pool{std::unique_ptr<io::Dialer>(dialer)};

  void connections(int count, StreamFaults faults = {}) {
    dialer->most = count;
    dialer->faults = faults;
  }
};

// A peer that reads until it saw `until`, then answers with canned bytes and, unless told to stay, closes.
enum class Then { close, stay };
struct Script {
  std::string until;
  std::string answer;
  Then then = Then::close;
};
Task<void> play(PairDialer& dialer, Script script, std::string& seen) {
  auto accepted = co_await accept(dialer);
  if (!accepted) co_return;
  io::Stream& stream = **accepted;
  char bytes[512];
  while (seen.find(script.until) == std::string::npos) {
    const auto count = co_await io::read_some(stream, bytes);
    if (!count || *count == 0) co_return;
    seen.append(bytes, *count);
  }
  const auto sent = co_await io::write_all(stream, script.answer);
  static_cast<void>(sent);
  if (script.then == Then::close) stream.shutdown_write();
  while (true) {
    const auto count = co_await io::read_some(stream, bytes);
    if (!count || *count == 0) co_return;
  }
}

struct Got {
  int status = 0;
  std::string body;
};
Task<Result<Got>> fetch(Pool& pool, Request request) {
  auto exchange = CO_TRY(co_await pool.exchange(std::move(request)));
  Got got{.status = exchange.reply.status, .body = CO_TRY(co_await exchange.body.all(1 << 16))};
  co_return got;
}

struct Played {
  Result<Got> result = fail(Code::internal, "not run");
  std::string seen;
};
Task<void> run_script(Bench& bench, Script script, Played& played) {
  io::Scope scope(co_await io::here());
  scope.spawn(play(*bench.dialer, std::move(script), played.seen));
  played.result = co_await io::within(std::chrono::seconds(60), fetch(bench.pool, {.target = "/x", .host = "h"}));
  scope.cancel();
  co_await scope.join();
}
Played exchange_with(std::string answer, StreamFaults faults = {}, Then then = Then::close) {
  Bench bench;
  bench.connections(1, faults);
  Played played;
  bench.loop->run(run_script(bench, {"\r\n\r\n", std::move(answer), then}, played));
  return played;
}

TEST(Client, SendsACanonicalRequest) {
  const Played played = exchange_with("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  ASSERT_TRUE(played.result) << played.result.error().text();
  EXPECT_EQ(played.result->status, 200);
  EXPECT_EQ(played.result->body, "ok");
  EXPECT_EQ(played.seen, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
}

TEST(Client, ReadsEachFramingHoweverTheBytesArrive) {
  const std::string cases[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
      "HTTP/1.0 200 OK\r\n\r\nhello",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
      "5\r\n\r\nhello",
  };
  for (const std::string& text : cases)
    for (const std::size_t chunk : {1u, 2u, 7u, 4096u}) {
      const Played played = exchange_with(text, {.chunk = chunk});
      ASSERT_TRUE(played.result) << text << played.result.error().text();
      EXPECT_EQ(played.result->body, "hello") << text;
    }
}

struct Hostile {
  std::string name;
  std::string answer;
  Code code;
  std::string message;
};
void PrintTo(const Hostile& hostile, std::ostream* out) {
  *out << hostile.name;
}
class HostilePeer : public ::testing::TestWithParam<Hostile> {};
TEST_P(HostilePeer, IsRefused) {
  for (const std::size_t chunk : {1u, 4096u}) {
    const Played played = exchange_with(GetParam().answer, {.chunk = chunk});
    ASSERT_FALSE(played.result);
    EXPECT_EQ(played.result.error().code, GetParam().code);
    EXPECT_EQ(played.result.error().message, GetParam().message);
  }
}
const Hostile kHostile[] = {
    {"silent", "", Code::unavailable, "connection closed without a reply"},
    {"cut_head", "HTTP/1.1 200 OK\r\nA: b", Code::unavailable, "connection closed in the middle of a reply's head"},
    {"cut_length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", Code::unavailable,
     "connection closed in the middle of a body"},
    {"cut_chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", Code::unavailable,
     "connection closed in the middle of a body"},
    {"cut_last_chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", Code::unavailable,
     "connection closed in the middle of a body"},
    {"bad_chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Code::internal,
     "malformed body: malformed chunk size"},
    {"not_http", "220 mail ready\r\n\r\n", Code::internal, "malformed reply: malformed HTTP version"},
    {"two_framings", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", Code::internal,
     "malformed reply: both Content-Length and Transfer-Encoding"},
    {"upgrade_unasked", "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: y\r\n\r\n", Code::internal,
     "malformed reply: 101 without an upgrade"},
    {"head_too_large", "HTTP/1.1 200 OK\r\nA: " + std::string(70000, 'a'), Code::internal,
     "malformed reply: head is too large"},
    {"body_too_large", "HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n" + std::string(70000, 'a'), Code::internal,
     "reply of more than 65536 bytes"},
};
INSTANTIATE_TEST_SUITE_P(Client, HostilePeer, ::testing::ValuesIn(kHostile),
                         [](const auto& p) { return p.param.name; });

TEST(Client, EndsAtTheDeadline) {
  const Played played = exchange_with("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", {}, Then::stay);
  ASSERT_FALSE(played.result);
  EXPECT_EQ(played.result.error().code, Code::timeout);
}

TEST(Client, RefusesHeadersThatSplit) {
  Bench bench;
  const auto result = bench.loop->run(fetch(bench.pool, {.headers = {{"A", "b\r\nC: d"}}}));
  EXPECT_EQ(result.error().code, Code::invalid);
  EXPECT_EQ(bench.loop->run(fetch(bench.pool, {.headers = {{"A b", ""}}})).error().code, Code::invalid);
  EXPECT_EQ(bench.loop->run(fetch(bench.pool, {.target = "/a b"})).error().code, Code::invalid);
  EXPECT_EQ(bench.loop->run(fetch(bench.pool, {.method = "A\nB"})).error().code, Code::invalid);
  EXPECT_EQ(bench.dialer->dialled, 0);
}

// One server for the rest: `handler` serves the bench's connections.
Task<void> serve_one(std::unique_ptr<io::Stream> stream, const Handler& handler, ServerOptions options) {
  const auto outcome = co_await serve_connection(std::move(stream), handler, options);
  static_cast<void>(outcome);
}
Task<void> serve_all(Bench& bench, const Handler& handler, ServerOptions options) {
  io::Scope scope(co_await io::here());
  while (true) {
    auto peer = co_await accept(*bench.dialer);
    if (!peer) break;
    scope.spawn(serve_one(std::move(*peer), handler, options));
  }
  scope.cancel();
  co_await scope.join();
}
using Steps = std::function<Task<void>(Bench&)>;
Task<void> beside_server(Bench& bench, const Handler& handler, const Steps& steps, ServerOptions options) {
  io::Scope scope(co_await io::here());
  scope.spawn(serve_all(bench, handler, options));
  co_await steps(bench);
  scope.cancel();
  co_await scope.join();
}
void with_server(Bench& bench, const Handler& handler, const Steps& steps, ServerOptions options = {}) {
  bench.loop->run(beside_server(bench, handler, steps, options));
}

Task<Result<void>> echo(ServerRequest& request, ResponseWriter& response) {
  std::string text = std::string(request.head().method) + " " + std::string(request.head().target) + " ";
  text += CO_TRY(co_await request.body(1 << 20));
  co_return co_await response.send(200, {{"X-Test", "1"}}, text);
}

TEST(Pair, KeepsAConnectionForTheNextRequest) {
  Bench bench;
  bench.connections(2);
  with_server(bench, echo, [](Bench& b) -> Task<void> {
    for (int i = 0; i < 3; ++i) {
      const auto got = co_await fetch(b.pool, {.method = "POST", .target = "/a", .body = "b"});
      EXPECT_TRUE(got);
      if (got) EXPECT_EQ(got->body, "POST /a b");
    }
    EXPECT_EQ(b.dialer->dialled, 1);
  });
}

TEST(Pair, DialsAnewAfterTheKeepTime) {
  Bench bench;
  bench.connections(2);
  with_server(bench, echo, [](Bench& b) -> Task<void> {
    EXPECT_TRUE(co_await fetch(b.pool, {}));
    EXPECT_TRUE(co_await io::sleep_for(std::chrono::seconds(31)));
    EXPECT_TRUE(co_await fetch(b.pool, {}));
    EXPECT_EQ(b.dialer->dialled, 2);
  });
}

TEST(Pair, DialsAnewWhenTheServerClosedMeanwhile) {
  Bench bench;
  bench.connections(2);
  const ServerOptions impatient{.idle = std::chrono::seconds(1)};
  with_server(
      bench, echo,
      [](Bench& b) -> Task<void> {
        EXPECT_TRUE(co_await fetch(b.pool, {.method = "POST"}));
        EXPECT_TRUE(co_await io::sleep_for(std::chrono::milliseconds(1500)));
        EXPECT_TRUE(co_await fetch(b.pool, {.method = "POST"}));
        EXPECT_EQ(b.dialer->dialled, 2);
      },
      impatient);
}

TEST(Pair, DoesNotKeepWhatWasNotReadToItsEnd) {
  Bench bench;
  bench.connections(2);
  with_server(bench, echo, [](Bench& b) -> Task<void> {
    {
      auto dropped = co_await b.pool.exchange({.body = std::string(100000, 'a')});
      EXPECT_TRUE(dropped);
    }
    EXPECT_TRUE(co_await fetch(b.pool, {}));
    EXPECT_EQ(b.dialer->dialled, 2);
  });
}

Task<Result<void>> stream_numbers(ServerRequest& request, ResponseWriter& response) {
  CO_TRY(co_await response.begin(200, {}));
  for (int i = 0; i < 5; ++i) {
    CO_TRY(co_await response.write(std::to_string(i)));
    CO_TRY(co_await io::sleep_for(std::chrono::seconds(1)));
  }
  if (request.head().path == "/broken") co_return fail(Code::internal, "broke");
  co_return co_await response.finish();
}

TEST(Pair, StreamsAReply) {
  Bench bench;
  bench.connections(1);
  with_server(bench, stream_numbers, [](Bench& b) -> Task<void> {
    auto exchange = co_await b.pool.exchange({});
    EXPECT_TRUE(exchange);
    const auto first = co_await exchange->body.next();
    EXPECT_EQ(first.value_or("?"), "0");
    EXPECT_EQ((co_await exchange->body.all(100)).value_or("?"), "1234");
  });
}

TEST(Pair, AFailingHandlerCutsAStartedReply) {
  Bench bench;
  bench.connections(1);
  with_server(bench, stream_numbers, [](Bench& b) -> Task<void> {
    const auto got = co_await fetch(b.pool, {.target = "/broken"});
    EXPECT_EQ(got.error().code, Code::unavailable);
  });
}

TEST(Pair, AFailingHandlerAnswersItsError) {
  Bench bench;
  bench.connections(1);
  const Handler refuse = [](ServerRequest&, ResponseWriter&) -> Task<Result<void>> {
    co_return fail(Code::not_found, "no such thing");
  };
  with_server(bench, refuse, [](Bench& b) -> Task<void> {
    for (int i = 0; i < 2; ++i) {
      const auto got = co_await fetch(b.pool, {.method = "POST", .body = "unread"});
      EXPECT_TRUE(got);
      if (got) EXPECT_EQ(got->status, 404);
      if (got) EXPECT_EQ(got->body, "{\"message\":\"no such thing\"}\n");
    }
    EXPECT_EQ(b.dialer->dialled, 1);
  });
}

TEST(Pair, HeadHasNoBody) {
  Bench bench;
  bench.connections(1);
  with_server(bench, echo, [](Bench& b) -> Task<void> {
    for (int i = 0; i < 2; ++i) {
      const auto got = co_await fetch(b.pool, {.method = "HEAD"});
      EXPECT_TRUE(got);
      if (got) EXPECT_EQ(got->body, "");
    }
    EXPECT_EQ(b.dialer->dialled, 1);
  });
}

Task<Result<void>> read_head_of(io::Stream& stream) {
  std::string text;
  char byte = 0;
  while (!text.ends_with("\r\n\r\n")) {
    if (CO_TRY(co_await io::read_some(stream, std::span(&byte, 1))) == 0) co_return fail(Code::unavailable, "end");
    text += byte;
  }
  co_return Result<void>{};
}
// Connections that each answer one request and close at the second instead of answering it.
Task<void> answer_once_each(PairDialer& dialer) {
  while (true) {
    auto stream = co_await accept(dialer);
    if (!stream || !co_await read_head_of(**stream)) co_return;
    const auto sent = co_await io::write_all(**stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    const auto second = co_await read_head_of(**stream);
    if (!sent || !second) co_return;
  }
}
Task<void> ask_twice(Bench& bench, std::string method, Result<Got>& second) {
  io::Scope scope(co_await io::here());
  scope.spawn(answer_once_each(*bench.dialer));
  EXPECT_TRUE(co_await fetch(bench.pool, {}));
  second = co_await fetch(bench.pool, {.method = method});
  scope.cancel();
  co_await scope.join();
}

TEST(Client, RepeatsOnlyWhatHasNoEffect) {
  for (const std::string method : {"GET", "HEAD"}) {
    Bench bench;
    bench.connections(2);
    Result<Got> second = fail(Code::internal, "not run");
    bench.loop->run(ask_twice(bench, method, second));
    EXPECT_TRUE(second) << method;
    EXPECT_EQ(bench.dialer->dialled, 2);
  }
  for (const std::string method : {"POST", "DELETE", "PUT"}) {
    Bench bench;
    bench.connections(2);
    Result<Got> second = Got{};
    bench.loop->run(ask_twice(bench, method, second));
    ASSERT_FALSE(second) << method;
    EXPECT_EQ(second.error().code, Code::unavailable);
    EXPECT_EQ(bench.dialer->dialled, 1);
  }
}

// A source of `count` pieces of 10,000 bytes; `failure` ends it with an error in their place.
struct Pieces {
  int count = 0;
  std::optional<Error> failure{};
  std::string piece = std::string(10'000, 'p');
  Task<Result<std::string_view>> next() {
    if (count-- > 0) co_return std::string_view(piece);
    if (failure) co_return fail(*failure);
    co_return std::string_view();
  }
  Source source() {
    return [this] { return next(); };
  }
};

Task<Result<void>> count_body(ServerRequest& request, ResponseWriter& response) {
  std::size_t total = 0;
  CO_TRY(co_await response.begin(200, {}));
  while (true) {
    const std::string_view piece = CO_TRY(co_await request.next());
    if (piece.empty()) break;
    total += piece.size();
    // As an engine that reports progress while it reads: more than any buffer holds.
    if (request.head().path == "/chatty") CO_TRY(co_await response.write(std::string(20000, '.')));
  }
  CO_TRY(co_await response.write(std::to_string(total)));
  co_return co_await response.finish();
}

Task<Result<std::string>> upload(Pool& pool, std::string target, Source source) {
  std::string text;
  const Consumer read = [&text](Exchange& exchange) {
    return [](Exchange& reply, std::string& out) -> Task<Result<void>> {
      out = CO_TRY(co_await reply.body.all(64 << 20));
      co_return Result<void>{};
    }(exchange, text);
  };
  CO_TRY(co_await pool.upload({.method = "POST", .target = target}, std::move(source), read));
  co_return text;
}

TEST(Pair, UploadsFromASource) {
  Bench bench;
  bench.connections(1);
  with_server(bench, count_body, [](Bench& b) -> Task<void> {
    Pieces pieces{.count = 100};
    EXPECT_EQ((co_await upload(b.pool, "/", pieces.source())).value_or("?"), "1000000");
  });
}

TEST(Pair, ReadsTheReplyWhileItUploads) {
  Bench bench;
  bench.connections(1);
  with_server(bench, count_body, [](Bench& b) -> Task<void> {
    Pieces pieces{.count = 50};
    const auto text = co_await upload(b.pool, "/chatty", pieces.source());
    EXPECT_TRUE(text);
    if (text) EXPECT_TRUE(text->ends_with("500000"));
  });
}

TEST(Pair, AFailingSourceIsTheErrorAndNoEndIsSent) {
  Bench bench;
  bench.connections(1);
  bool whole = false;
  const Handler handler = [&whole](ServerRequest& request, ResponseWriter& response) {
    return [](ServerRequest& asked, ResponseWriter& reply, bool& complete) -> Task<Result<void>> {
      complete = (co_await asked.body(1 << 20)).has_value();
      co_return co_await reply.send(200, {}, "");
    }(request, response, whole);
  };
  with_server(bench, handler, [](Bench& b) -> Task<void> {
    Pieces pieces{.count = 3, .failure = Error{Code::invalid, "file changed"}};
    const auto text = co_await upload(b.pool, "/", pieces.source());
    EXPECT_EQ(text.error().message, "file changed");
  });
  EXPECT_FALSE(whole);
}

TEST(Pair, AnEarlyAnswerEndsTheUpload) {
  Bench bench;
  bench.connections(1);
  const Handler refuse = [](ServerRequest&, ResponseWriter& response) -> Task<Result<void>> {
    co_return co_await response.send(413, {}, "too much");
  };
  with_server(bench, refuse, [](Bench& b) -> Task<void> {
    Pieces pieces{.count = 1'000'000};
    EXPECT_EQ((co_await upload(b.pool, "/", pieces.source())).value_or("?"), "too much");
    EXPECT_GT(pieces.count, 900'000);
  });
}

Task<Result<void>> hijack(ServerRequest&, ResponseWriter& response) {
  auto connection = CO_TRY(co_await response.upgrade());
  char bytes[64];
  while (true) {
    const std::size_t count = CO_TRY(co_await connection.read(bytes));
    if (count == 0) break;
    CO_TRY(co_await connection.write("<" + std::string(bytes, count) + ">"));
  }
  CO_TRY(co_await connection.write("bye"));
  connection.shutdown_write();
  co_return Result<void>{};
}

Task<Result<std::string>> read_rest(Upgraded& connection) {
  std::string text;
  char bytes[64];
  while (true) {
    const std::size_t count = CO_TRY(co_await connection.read(bytes));
    if (count == 0) co_return text;
    text.append(bytes, count);
  }
}

TEST(Pair, Upgrades) {
  Bench bench;
  bench.connections(1);
  with_server(bench, hijack, [](Bench& b) -> Task<void> {
    auto handshake =
        co_await b.pool.upgrade({.method = "POST", .headers = {{"Connection", "Upgrade"}, {"Upgrade", "tcp"}}}, false);
    EXPECT_TRUE(handshake);
    EXPECT_EQ(handshake->reply.status, 101);
    EXPECT_EQ(header(handshake->reply.headers, "upgrade"), "tcp");
    EXPECT_TRUE(co_await handshake->connection->write("abc"));
    handshake->connection->shutdown_write();
    EXPECT_EQ((co_await read_rest(*handshake->connection)).value_or("?"), "<abc>bye");
  });
}

TEST(Pair, GivesTheBodyOfARefusedUpgrade) {
  Bench bench;
  bench.connections(1);
  with_server(bench, echo, [](Bench& b) -> Task<void> {
    const auto handshake = co_await b.pool.upgrade({.method = "POST", .target = "/e"}, false);
    EXPECT_TRUE(handshake);
    EXPECT_FALSE(handshake->connection);
    EXPECT_EQ(handshake->body, "POST /e ");
  });
}

TEST(Client, TakesOverBytesThatCameWithTheHandshake) {
  Bench bench;
  bench.connections(1);
  std::string seen;
  bench.loop->run([](Bench& b, std::string& read) -> Task<void> {
    io::Scope scope(co_await io::here());
    scope.spawn(play(*b.dialer, {"\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Type: raw\r\n\r\nearly"}, read));
    auto handshake = co_await b.pool.upgrade({}, true);
    EXPECT_TRUE(handshake);
    EXPECT_EQ((co_await read_rest(*handshake->connection)).value_or("?"), "early");
    scope.cancel();
    co_await scope.join();
  }(bench, seen));
}

// What the server answers to raw bytes, until it closes.
Task<std::string> talk(io::Stream& stream, std::string text) {
  const auto sent = co_await io::write_all(stream, text);
  static_cast<void>(sent);
  auto answer = co_await io::read_to_end(stream, 1 << 20);
  co_return answer ? *answer : "error: " + answer.error().message;
}
std::string raw(std::string text, const Handler& handler = echo, StreamFaults faults = {}) {
  Bench bench;
  bench.connections(1, faults);
  std::string answer;
  const Steps steps = [&](Bench& b) {
    return [](Bench& bb, std::string bytes, std::string& out) -> Task<void> {
      auto stream = bb.dialer->open();
      out = co_await talk(*stream, bytes);
    }(b, text, answer);
  };
  with_server(bench, handler, steps);
  return answer;
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  const std::string answer =
      raw("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab"
          "GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(answer,
            "HTTP/1.1 200 OK\r\nX-Test: 1\r\nContent-Length: 10\r\n\r\nPOST /1 ab"
            "HTTP/1.1 200 OK\r\nX-Test: 1\r\nContent-Length: 7\r\nConnection: close\r\n\r\nGET /2 ");
}

TEST(Server, RefusesAndCloses) {
  const std::string answer = raw("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(answer,
            "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 22\r\n"
            "Connection: close\r\n\r\n{\"message\":\"no Host\"}\n");
}

TEST(Server, ClosesAfterAnswering10) {
  EXPECT_TRUE(raw("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").ends_with("Connection: close\r\n\r\nGET / "));
}

TEST(Server, TimesASlowHeadOut) {
  EXPECT_TRUE(raw("GET / HT").starts_with("HTTP/1.1 408 "));
  EXPECT_EQ(raw(""), "");  // idle: closed without a word
}

TEST(Server, ContinuesAnExpectation) {
  const std::string answer =
      raw("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 100 Continue\r\n\r\n")) << answer;
  // The body never came.
  EXPECT_NE(answer.find("HTTP/1.1 504 "), std::string::npos) << answer;
}

TEST(Server, ClosesAfterAMalformedBody) {
  const std::string answer =
      raw("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nGET /smuggled HTTP/1.1\r\nHost: "
          "a\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
  EXPECT_EQ(answer.find("smuggled"), std::string::npos);
  EXPECT_EQ(answer.find("HTTP/1.1", 5), std::string::npos);
}

TEST(Server, AHandlerThatSaysNothingIsA500) {
  const Handler mute = [](ServerRequest&, ResponseWriter&) -> Task<Result<void>> { co_return Result<void>{}; };
  EXPECT_TRUE(raw("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", mute).starts_with("HTTP/1.1 500 "));
}

TEST(Server, WritesNoMoreAndNoLessThanItsLength) {
  const Handler wrong = [](ServerRequest&, ResponseWriter& response) -> Task<Result<void>> {
    CO_TRY(co_await response.begin(200, {}, 3));
    EXPECT_EQ((co_await response.write("abcd")).error().code, Code::internal);
    EXPECT_EQ((co_await response.finish()).error().code, Code::internal);
    EXPECT_EQ((co_await response.send(200, {}, "")).error().code, Code::internal);
    CO_TRY(co_await response.write("abc"));
    co_return co_await response.finish();
  };
  EXPECT_TRUE(raw("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", wrong).ends_with("\r\n\r\nabc"));
}

}  // namespace
}  // namespace berth::http
