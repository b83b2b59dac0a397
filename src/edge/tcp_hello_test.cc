#include "edge/tcp_hello.h"

#include <gtest/gtest.h>

#include "io/scope.h"
#include "io/tls.h"
#include "testing/simulation.h"

namespace berth::edge {
namespace {

using State = ClientGreeting::State;

/// What OpenSSL says first.
std::string hello_of(io::TlsClientOptions options) {
  std::string out;
  const auto test = +[](io::TlsClientOptions options, std::string& out) -> io::Task<void> {
    auto [near, far] = testing::stream_pair();
    options.verify = false;
    auto secure = io::tls_over(std::move(near), io::TlsContext::client(std::move(options)).value());
    // It waits for an answer that does not come.
    EXPECT_FALSE((co_await io::within(std::chrono::seconds(1), secure->handshake())).has_value());
    std::string buffer(65536, '\0');
    out = buffer.substr(0, (co_await io::read_some(*far, buffer)).value_or(0));
    out = buffer.substr(0, out.size());
  };
  testing::simulated_loop()->run(test(std::move(options), out));
  return out;
}

TEST(TcpHello, ReadsNameAndProtocols) {
  const std::string bytes = hello_of({.server_name = "Db.Example.COM", .alpn = {"h2", "postgresql"}});
  const ClientGreeting greeting = parse_greeting(bytes);
  ASSERT_EQ(greeting.state, State::tls);
  EXPECT_EQ(greeting.server_name, "db.example.com");
  EXPECT_EQ(greeting.alpn, "\x02h2\x0apostgresql");
  EXPECT_FALSE(greeting.acme());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    ASSERT_EQ(parse_greeting(bytes.substr(0, size)).state, State::need_more) << size;
  EXPECT_TRUE(parse_greeting(hello_of({.server_name = "a.test", .alpn = {"acme-tls/1"}})).acme());
  EXPECT_EQ(parse_greeting(hello_of({})).server_name, "");
}

TEST(TcpHello, ReadsAHelloOfSeveralRecords) {
  const std::string whole = hello_of({.server_name = "db.test"});
  const std::string body = whole.substr(5);
  std::string pieces;
  for (std::size_t at = 0; at < body.size(); at += 7) {
    const std::string part = body.substr(at, 7);
    pieces += std::string("\x16\x03\x01\0", 4) + static_cast<char>(part.size()) + part;
  }
  EXPECT_EQ(parse_greeting(pieces).state, State::tls);
  EXPECT_EQ(parse_greeting(pieces).server_name, "db.test");
}

TEST(TcpHello, TellsOthersApart) {
  EXPECT_EQ(parse_greeting("").state, State::need_more);
  EXPECT_EQ(parse_greeting("\x16").state, State::need_more);
  EXPECT_EQ(parse_greeting("G").state, State::not_tls);
  EXPECT_EQ(parse_greeting("\x16G").state, State::not_tls);
  EXPECT_EQ(parse_greeting(std::string("\x16\x03\x01\x00\x05\x02", 6)).state, State::not_tls);  // a ServerHello
}

TEST(TcpHello, RefusesBrokenOnes) {
  const std::string whole = hello_of({.server_name = "db.test", .alpn = {"h2"}});
  // Whatever byte is wrong: it is read, or refused, and never more than the whole is waited for.
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(~bytes[at]);
    bytes += std::string(kMostGreeting, '\0');
    EXPECT_NE(parse_greeting(bytes).state, State::need_more) << at;
  }
  std::string name = whole;
  name[name.find("db.test") - 1] = 9;  // longer than its list
  EXPECT_EQ(parse_greeting(name).state, State::broken);
  EXPECT_EQ(parse_greeting(std::string("\x16\x03\x01\x00\x00\x01", 6)).state, State::broken);  // an empty record
}

}  // namespace
}  // namespace berth::edge
