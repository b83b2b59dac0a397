#include "edge/tcp_relay.h"

#include <gtest/gtest.h>

#include "edge/tcp_arrival.h"
#include "edge/tcp_peek.h"
#include "io/scope.h"
#include "testing/simulation.h"

namespace berth::edge {
namespace {

using namespace std::string_view_literals;
using std::chrono::milliseconds;
using testing::stream_pair;

/// A client and a server with a relay between them.
struct Between {
  explicit Between(std::optional<io::Duration> linger = milliseconds(100)) : linger(linger) {
    std::tie(client, near) = stream_pair();
    std::tie(server, far) = stream_pair();
  }
  io::Task<void> run() {
    outcome = co_await relay(*near, *far, linger);
    near->close();
    far->close();
    done.set();
  }
  io::Task<std::string> read(io::Stream& stream, std::size_t size) {
    std::string out(size, '\0');
    std::size_t have = 0;
    while (have < size) {
      const auto count = co_await io::read_some(stream, std::span(out).subspan(have));
      if (!count || *count == 0) break;
      have += *count;
    }
    out.resize(have);
    co_return out;
  }
  std::optional<io::Duration> linger;
  std::unique_ptr<io::Stream> client, near, server, far;
  Relayed outcome;
  io::Event done;
};

using Test = io::Task<void> (*)(Between&, io::Loop&);

io::Task<void> with_relay(Between& between, Test test) {
  const io::Context context = co_await io::here();
  io::Scope scope(context);
  scope.spawn(between.run());
  co_await test(between, *context.loop);
  scope.cancel();
  co_await scope.join();
}

void run(Test test, std::optional<io::Duration> linger = milliseconds(100)) {
  const auto loop = testing::simulated_loop();
  Between between(linger);
  loop->run(with_relay(between, test));
}

TEST(TcpRelay, PassesBytesAndEndsBothWays) {
  run(+[](Between& between, io::Loop&) -> io::Task<void> {
    EXPECT_TRUE((co_await io::write_all(*between.server, "hello")).has_value());  // the server may speak first
    EXPECT_EQ(co_await between.read(*between.client, 5), "hello");
    EXPECT_TRUE((co_await io::write_all(*between.client, "ask")).has_value());
    between.client->shutdown_write();
    EXPECT_EQ(co_await between.read(*between.server, 99), "ask");
    EXPECT_TRUE((co_await io::write_all(*between.server, "answer")).has_value());
    between.server->close();
    EXPECT_EQ(co_await between.read(*between.client, 99), "answer");
    EXPECT_TRUE((co_await between.done.wait()).has_value());
    EXPECT_EQ(between.outcome.error, "");
    EXPECT_EQ(between.outcome.forth, 3u);
    EXPECT_EQ(between.outcome.back, 11u);
  });
}

TEST(TcpRelay, CutsTheRestAfterSilenceBehindAnEnd) {
  run(+[](Between& between, io::Loop& loop) -> io::Task<void> {
    between.client->shutdown_write();
    EXPECT_EQ(co_await between.read(*between.server, 1), "");
    const io::Time begun = loop.now();
    for (int i = 0; i < 3; ++i) {  // each byte gives it time again
      EXPECT_TRUE((co_await io::sleep_for(milliseconds(90))).has_value());
      EXPECT_TRUE((co_await io::write_all(*between.server, "x")).has_value());
    }
    EXPECT_TRUE((co_await between.done.wait()).has_value());
    EXPECT_EQ(loop.now() - begun, milliseconds(370));
    EXPECT_EQ(between.outcome.back, 3u);
    EXPECT_EQ(between.outcome.error, "");
  });
}

TEST(TcpRelay, WaitsForEverWithoutLinger) {
  run(
      +[](Between& between, io::Loop&) -> io::Task<void> {
        between.client->shutdown_write();
        EXPECT_TRUE((co_await io::sleep_for(std::chrono::hours(24))).has_value());
        EXPECT_FALSE(between.done.is_set());
        between.server->close();
        EXPECT_TRUE((co_await between.done.wait()).has_value());
      },
      std::nullopt);
}

TEST(TcpRelay, HoldsBackAFastWriter) {
  run(+[](Between& between, io::Loop&) -> io::Task<void> {
    const std::string piece(4096, 'x');
    std::size_t sent = 0;
    while (true) {
      const auto put = co_await io::within(std::chrono::seconds(1), io::write_all(*between.client, piece));
      if (!put) break;
      sent += piece.size();
      if (sent > 1u << 20) break;
    }
    // Both pairs hold 64 KiB, and the relay as much.
    EXPECT_LE(sent, 3u * 65536);
    EXPECT_EQ((co_await between.read(*between.server, sent)).size(), sent);
    EXPECT_FALSE(between.done.is_set());
  });
}

TEST(TcpRelay, EndsBothWhenOneFails) {
  run(+[](Between& between, io::Loop&) -> io::Task<void> {
    between.far->close();
    EXPECT_TRUE((co_await io::write_all(*between.client, "lost")).has_value());
    EXPECT_TRUE((co_await between.done.wait()).has_value());
    EXPECT_NE(between.outcome.error, "");
  });
}

// What stands before a connection's own bytes.

io::Task<void> read_begin(std::string bytes, std::size_t chunk, std::string& out) {
  auto [near, far] = stream_pair({.chunk = chunk});
  EXPECT_TRUE((co_await io::write_all(*far, bytes)).has_value());
  far->shutdown_write();
  Arrival arrival(std::move(near));
  const auto read = co_await arrival.read_proxy_header();
  if (!read) {
    out = read.error().message;
    co_return;
  }
  auto stream = arrival.release();
  const auto rest = co_await io::read_to_end(*stream, 1000);
  out = stream->peer() + " " + rest.value_or("?");
}

std::string begin_of(const std::string& bytes, std::size_t chunk) {
  std::string out;
  testing::simulated_loop()->run(read_begin(bytes, chunk, out));
  return out;
}

TEST(TcpArrival, TakesTheHeaderAwayHoweverItArrives) {
  for (const std::size_t chunk : {1u, 3u, 40u, 4096u}) {
    EXPECT_EQ(begin_of("PROXY TCP4 192.0.2.7 192.0.2.1 77 80\r\nGET /", chunk), "192.0.2.7:77 GET /");
    EXPECT_EQ(begin_of("PROXY TCP6 2001:db8::1 ::1 77 80\r\n", chunk), "[2001:db8::1]:77 ");
    EXPECT_EQ(begin_of("GET / HTTP/1.1\r\n", chunk), "the PROXY header is missing");
    EXPECT_EQ(begin_of("PROXY TCP4 192", chunk), "the connection ended inside its PROXY header");
  }
}

TEST(TcpArrival, KnowsPostgresAndNothingLikeIt) {
  const std::string tls(kPostgresTls);
  const std::string gss("\0\0\0\x08\x04\xd2\x16\x30"sv);
  for (const auto& [sent, answered, postgres] : std::vector<std::tuple<std::string, std::string, bool>>{
           {tls, "S", true},
           {gss + "", "N", false},
           {tls + "x", "", false},  // more than the question: nobody may hide bytes before the handshake
           {"GET / HTTP/1.1\r\n", "", false}}) {
    std::string got;
    bool is_postgres = false;
    const auto test = +[](std::string bytes, std::string& got, bool& is_postgres) -> io::Task<void> {
      auto [near, far] = stream_pair();
      EXPECT_TRUE((co_await io::write_all(*far, bytes)).has_value());
      far->shutdown_write();
      Arrival arrival(std::move(near));
      const auto read = co_await arrival.read_greeting(true);
      static_cast<void>(read);
      is_postgres = arrival.is_postgres();
      arrival.stream().close();
      got = (co_await io::read_to_end(*far, 100)).value_or("?");
    };
    testing::simulated_loop()->run(test(sent, got, is_postgres));
    EXPECT_EQ(got, answered) << sent;
    EXPECT_EQ(is_postgres, postgres) << sent;
  }
}

}  // namespace
}  // namespace berth::edge
