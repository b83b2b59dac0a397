#include "edge/metrics_server.h"

#include <gtest/gtest.h>

#include "io/socket.h"

namespace berth::edge {
namespace {

using namespace std::chrono_literals;

io::Task<std::string> some_text() {
  co_return "berth_open_connections 1\n";
}

io::Task<Result<std::string>> ask(io::Address to, std::string bytes) {
  const auto stream = CO_TRY(co_await io::connect(to));
  CO_TRY(co_await io::write_all(*stream, bytes));
  co_return co_await io::read_to_end(*stream, 64u << 10);
}

/// What `requests` get, each on a connection of its own.
io::Task<std::vector<std::string>> replies(io::Loop& loop, std::vector<std::string> requests) {
  MetricsServer server(some_text);
  const auto place = server.listen(loop, "127.0.0.1:0", false);
  io::Scope scope(co_await io::here());
  scope.spawn(server.serve());
  std::vector<std::string> out;
  for (std::string& each : requests) {
    auto reply = co_await io::within(20s, ask(io::Address::parse(*place).value(), std::move(each)));
    out.push_back(reply ? *reply : reply.error().message);
  }
  scope.cancel();
  co_await scope.join();
  co_return out;
}

std::string request(std::string_view line, std::string_view host) {
  return std::string(line) + " HTTP/1.1\r\nHost: " + std::string(host) + "\r\nConnection: close\r\n\r\n";
}

TEST(MetricsServer, AnswersMetricsAndNothingElse) {
  io::Loop loop;
  const auto got =
      loop.run(replies(loop, {request("GET /metrics", "127.0.0.1:8082"), request("GET /metrics?x=1", "[::1]:8082"),
                              request("HEAD /metrics", "localhost"), request("GET /", "localhost"),
                              request("POST /metrics", "localhost"), "nonsense\r\n\r\n"}));
  EXPECT_TRUE(got[0].starts_with("HTTP/1.1 200 ")) << got[0];
  EXPECT_TRUE(got[0].contains("Content-Type: text/plain; version=0.0.4")) << got[0];
  EXPECT_TRUE(got[0].ends_with("\r\n\r\nberth_open_connections 1\n")) << got[0];
  EXPECT_TRUE(got[1].starts_with("HTTP/1.1 200 ")) << got[1];
  EXPECT_TRUE(got[2].starts_with("HTTP/1.1 200 ") && got[2].ends_with("\r\n\r\n")) << got[2];
  EXPECT_TRUE(got[3].starts_with("HTTP/1.1 404 ")) << got[3];
  EXPECT_TRUE(got[4].starts_with("HTTP/1.1 405 ")) << got[4];
  EXPECT_TRUE(got[5].starts_with("HTTP/1.1 400 ")) << got[5];
}

TEST(MetricsServer, ReadsNothingToPagesOfOtherNames) {
  io::Loop loop;
  const auto got = loop.run(replies(
      loop, {request("GET /metrics", "rebound.example:8082"), request("GET /metrics", "127.0.0.1.rebound.example")}));
  for (const std::string& each : got) {
    EXPECT_TRUE(each.starts_with("HTTP/1.1 421 ")) << each;
    EXPECT_FALSE(each.contains("berth_")) << each;
  }
}

/// Connections that ask nothing, then one more that is closed at once, then one of them leaves.
io::Task<std::pair<std::string, std::string>> crowd(io::Loop& loop) {
  MetricsServer server(some_text);
  const auto place = server.listen(loop, "127.0.0.1:0", false);
  const io::Address to = io::Address::parse(*place).value();
  io::Scope scope(co_await io::here());
  scope.spawn(server.serve());
  std::vector<std::unique_ptr<io::Stream>> idle;
  for (int i = 0; i < 16; ++i) {
    auto stream = co_await io::connect(to);
    if (stream) idle.push_back(std::move(*stream));
  }
  const auto beyond = co_await io::within(20s, ask(to, request("GET /metrics", "localhost")));
  idle.pop_back();
  std::string after;
  for (int tries = 0; tries < 200 && !after.starts_with("HTTP/1.1 200 "); ++tries) {
    const auto reply = co_await io::within(20s, ask(to, request("GET /metrics", "localhost")));
    if (reply) after = *reply;
  }
  scope.cancel();
  co_await scope.join();
  co_return std::pair(beyond ? *beyond : std::string(), after);
}

TEST(MetricsServer, HasRoomForAFew) {
  io::Loop loop;
  const auto [beyond, after] = loop.run(crowd(loop));
  EXPECT_EQ(beyond, "");
  EXPECT_TRUE(after.starts_with("HTTP/1.1 200 ")) << after;
}

}  // namespace
}  // namespace berth::edge
