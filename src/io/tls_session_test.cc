#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "io/process.h"
#include "io/tls.h"
#include "testing/simulation.h"

namespace berth::io {
namespace {

struct FreeTls {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using Session = std::unique_ptr<SSL_SESSION, FreeTls>;

std::shared_ptr<const TlsIdentity> identity() {
  static const auto made = [] {
    Loop loop;
    const auto pem = loop.run(
        run_command({.argv = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                              "-nodes", "-keyout", "-", "-out", "-", "-days", "1", "-subj", "/CN=session.test"}},
                    ""));
    const std::string text = pem.value().out;
    const std::size_t certificate = text.find("-----BEGIN CERTIFICATE");
    return TlsIdentity::from_pem(text.substr(certificate), text.substr(0, certificate)).value();
  }();
  return made;
}

std::shared_ptr<TlsContext> server_context(std::string ticket_key) {
  return TlsContext::server({.choose = [](const ClientHello&) { return TlsChoice{.identity = identity()}; },
                             .ticket_key = std::move(ticket_key)})
      .value();
}

/// Counts the writes that its stream is asked for.
class Counted final : public Stream {
 public:
  Counted(std::unique_ptr<Stream> below, int& writes) : below_(std::move(below)), writes_(writes) {}
  Attempt try_read(std::span<char> into) override { return below_->try_read(into); }
  Attempt try_write(std::string_view from) override {
    ++writes_;
    return below_->try_write(from);
  }
  WaitList& waiters(Direction direction) override { return below_->waiters(direction); }
  bool ready_now(Direction direction) override { return below_->ready_now(direction); }
  void shutdown_write() override { below_->shutdown_write(); }
  void close() override { below_->close(); }
  Error error() const override { return below_->error(); }

 private:
  std::unique_ptr<Stream> below_;
  int& writes_;
};

/// OpenSSL's own client; what it says waits until say().
class Client {
 public:
  Client(std::unique_ptr<Stream> stream, int version, SSL_SESSION* session = nullptr)
      : stream_(std::move(stream)), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_max_proto_version(context_.get(), version);
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context_.get(), [](SSL* ssl, SSL_SESSION* given) {
      static_cast<Client*>(SSL_get_app_data(ssl))->sessions.emplace_back(given);
      return 1;
    });
    ssl.reset(SSL_new(context_.get()));
    SSL_set_app_data(ssl.get(), this);
    SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl.get());
    if (session) SSL_set_session(ssl.get(), session);
  }
  ~Client() { SSL_shutdown(ssl.get()); }  // OpenSSL forgets the session of a connection that was cut off
  Task<Result<void>> shake() {
    while (SSL_do_handshake(ssl.get()) != 1) {
      CO_TRY(co_await say());
      CO_TRY(co_await hear());
    }
    co_return Result<void>{};
  }
  void put(std::string_view text) { SSL_write(ssl.get(), text.data(), static_cast<int>(text.size())); }
  Task<Result<void>> say() {
    char* bytes = nullptr;
    const long count = BIO_get_mem_data(SSL_get_wbio(ssl.get()), &bytes);
    CO_TRY(co_await write_all(*stream_, std::string_view(bytes, static_cast<std::size_t>(count))));
    BIO_reset(SSL_get_wbio(ssl.get()));
    co_return Result<void>{};
  }
  Task<Result<std::string>> get() {
    char bytes[256];
    while (true) {
      const int count = SSL_read(ssl.get(), bytes, sizeof bytes);
      if (count > 0) co_return std::string(bytes, static_cast<std::size_t>(count));
      CO_TRY(co_await hear());
    }
  }

  std::unique_ptr<SSL, FreeTls> ssl;
  std::vector<Session> sessions;  ///< that tickets were given for

 private:
  Task<Result<void>> hear() {
    char bytes[16384];
    const std::size_t count = CO_TRY(co_await read_some(*stream_, bytes));
    if (count == 0) co_return fail(Code::unavailable, "the server closed");
    BIO_write(SSL_get_rbio(ssl.get()), bytes, static_cast<int>(count));
    co_return Result<void>{};
  }
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<SSL_CTX, FreeTls> context_;
};

/// Reads "ask" and says "reply".
Task<void> serve(TlsStream& server) {
  const auto shaken = co_await server.handshake();
  EXPECT_TRUE(shaken) << shaken.error().message;
  if (!shaken) co_return;
  char bytes[16];
  const auto count = co_await read_some(server, bytes);
  EXPECT_EQ(std::string_view(bytes, count.value_or(0)), "ask");
  EXPECT_TRUE(co_await write_all(server, "reply"));
}

Task<void> visit(TlsStream& server, Client& client) {
  Scope scope(co_await here());
  scope.spawn(serve(server));
  EXPECT_TRUE(co_await client.shake());
  client.put("ask");
  EXPECT_TRUE(co_await client.say());
  EXPECT_EQ((co_await client.get()).value_or(""), "reply");
  co_await scope.join();
}

struct Visit {
  bool resumed = false;
  std::size_t tickets = 0;
  Session last;
  int writes = 0;  ///< of the server
};

/// One connection to a server with a context of its own.
Visit connection(const std::string& ticket_key, int version, SSL_SESSION* session, testing::StreamFaults faults = {}) {
  Visit out;
  const auto loop = testing::simulated_loop();
  auto [near, far] = testing::stream_pair(faults);
  Client client(std::move(near), version, session);
  const auto server = tls_over(std::make_unique<Counted>(std::move(far), out.writes), server_context(ticket_key));
  loop->run(visit(*server, client));
  out.resumed = SSL_session_reused(client.ssl.get()) == 1;
  out.tickets = client.sessions.size();
  if (!client.sessions.empty()) out.last = std::move(client.sessions.back());
  return out;
}

TEST(TlsSession, IsResumedByOneTicketWhereTheKeyIsShared) {
  const std::string key = new_ticket_key().value(), other = new_ticket_key().value();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const Visit first = connection(key, version, nullptr);
    EXPECT_FALSE(first.resumed);
    EXPECT_EQ(first.tickets, 1u);
    EXPECT_FALSE(connection(other, version, first.last.get()).resumed);
    // As after an upgrade, or on another loop: the contexts share nothing but the key.
    const Visit second = connection(key, version, first.last.get());
    EXPECT_TRUE(second.resumed);
    // A client of TLS 1.3 uses a ticket once; a visit gives the next.
    if (version == TLS1_3_VERSION) EXPECT_EQ(second.tickets, 1u);
    EXPECT_TRUE(connection(key, version, (second.last ? second : first).last.get()).resumed);
  }
}

TEST(TlsSession, SaysAllOfAFlightInOneWrite) {
  const std::string key = new_ticket_key().value();
  // Its messages up to Finished; the ticket with the reply.
  EXPECT_EQ(connection(key, TLS1_3_VERSION, nullptr).writes, 2);
  // There the client waits for the server's Finished, too.
  EXPECT_EQ(connection(key, TLS1_2_VERSION, nullptr).writes, 3);
}

TEST(TlsSession, LosesNothingOfAFlightThatDoesNotFit) {
  const std::string key = new_ticket_key().value();
  for (const std::size_t room : {1u, 7u, 100u, 300u}) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION})
      EXPECT_EQ(connection(key, version, nullptr, {.chunk = 50, .capacity = room}).tickets, 1u) << room;
  }
}

Task<void> hear_two(TlsStream& server, std::string& heard) {
  if (!co_await server.handshake()) co_return;
  for (int i = 0; i < 2; ++i) {
    // Who waits first must be told of a record that was read with the one before it.
    if (!co_await ready(server, Direction::read)) co_return;
    char bytes[16];
    const auto count = co_await read_some(server, bytes);
    heard += std::string(bytes, count.value_or(0)) + ".";
  }
}

Task<void> say_two(TlsStream& server, Client& client, std::string& heard) {
  Scope scope(co_await here());
  scope.spawn(hear_two(server, heard));
  EXPECT_TRUE(co_await client.shake());
  client.put("one");
  client.put("two");
  EXPECT_TRUE(co_await client.say());
  co_await scope.join();
}

TEST(TlsSession, IsReadyForARecordThatWasReadAhead) {
  const auto loop = testing::simulated_loop();
  auto [near, far] = testing::stream_pair();
  Client client(std::move(near), TLS1_3_VERSION);
  const auto server = tls_over(std::move(far), server_context({}));
  std::string heard;
  loop->run(say_two(*server, client, heard));
  EXPECT_EQ(heard, "one.two.");
  EXPECT_FALSE(server->ready_now(Direction::read));
}

}  // namespace
}  // namespace berth::io
