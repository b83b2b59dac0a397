#include "base/base64.h"
#include "edge/h2_browser.h"

namespace berth::edge {
namespace {

using namespace std::chrono_literals;
using Test = io::Task<void>;

/// One connection of an upstream that speaks HTTP/2 and says back what it got, trailers included.
class Echo final : public http::H2Events {
 public:
  struct Stream : http::H2Stream {
    std::string method, path, said;
    bool has_head = false;
  };
  explicit Echo(std::unique_ptr<io::Stream> stream) : stream_(std::move(stream)) {}

  io::Task<void> serve() {
    char bytes[16384];
    while (true) {
      std::string out;
      session_.pull(out, 1u << 20);
      if (!co_await io::write_all(*stream_, out)) co_return;
      const auto count = co_await io::read_some(*stream_, bytes);
      if (!count || *count == 0 || !session_.feed(std::string_view(bytes, *count), 0)) co_return;
    }
  }

 private:
  http::H2Stream* on_begin(std::int32_t) override {
    streams_.push_back(std::make_unique<Stream>());
    return streams_.back().get();
  }
  void on_field(http::H2Stream& stream, std::string_view name, std::string_view value) override {
    auto& one = static_cast<Stream&>(stream);
    if (name == ":path") one.path = value;
    if (name != ":scheme" && !name.starts_with("x-forwarded") && name != "x-real-ip")
      one.said.append(name).append("=").append(value).append(";");
  }
  void on_fields_end(http::H2Stream& stream) override {
    auto& one = static_cast<Stream&>(stream);
    if (one.has_head) return finish(one);
    one.has_head = true;
    if (one.path == "/refuse" && refusals_++ == 0) return session_.reset(one, http::H2Error::refused_stream);
    if (one.path == "/cut") {
      session_.respond(one, 200, {}, true);
      return session_.reset(one, http::H2Error::internal);
    }
    if (one.path == "/only") return session_.respond(one, 200, {{"grpc-status", "12"}}, false);
    session_.send_interim(one, 103);
    session_.respond(one, 200, {{"Content-Type", "application/grpc"}, {"x-end", "2"}}, true);
    if (one.in_ended) finish(one);
  }
  void on_data(http::H2Stream& stream, std::string_view data) override {
    auto& one = static_cast<Stream&>(stream);
    session_.consume(stream, data.size());
    one.out.append(data);
    session_.resume(one);
  }
  void on_in_end(http::H2Stream& stream) override { finish(static_cast<Stream&>(stream)); }
  void on_sent(http::H2Stream&) override {}
  void on_close(http::H2Stream&, std::uint32_t) override {}
  void finish(Stream& one) {
    one.trailers = {{"grpc-status", "0"}, {"said", one.said}};
    one.out_ended = true;
    session_.resume(one);
  }

  std::unique_ptr<io::Stream> stream_;
  http::H2Session session_{{}, *this};
  std::vector<std::unique_ptr<Stream>> streams_;
  static inline int refusals_ = 0;
};

struct Origin {
  std::unique_ptr<io::Listener> listener;
  std::size_t connections = 0;
};

io::Task<void> serve_echo(std::unique_ptr<io::Stream> stream) {
  Echo echo(std::move(stream));
  co_await echo.serve();
}

io::Task<void> run_origin(Origin& origin) {
  io::Scope scope(co_await io::here());
  while (auto stream = co_await origin.listener->accept()) {
    ++origin.connections;
    scope.spawn(serve_echo(std::move(*stream)));
  }
  scope.cancel();
  co_await scope.join();
}

void route_to(World& world, const Origin& origin, bool tls = false) {
  Snapshot snapshot = world.snapshot(world.server->live()->version() + 1);
  snapshot.services[0].upstreams = {
      {.host = "127.0.0.1", .port = origin.listener->address().port(), .tls = tls, .target = "grpc", .h2 = !tls}};
  world.use(std::move(snapshot));
}

H2Browser::Fields call(std::string_view path) {
  return {{":method", "POST"},        {":scheme", "http"}, {":path", path},
          {":authority", "app.test"}, {"te", "trailers"},  {"content-type", "application/grpc"}};
}

/// The frame that stands for the trailers, and the one of a message.
std::string frame(char kind, const std::string& content) {
  std::string out{kind, 0, 0, static_cast<char>(content.size() >> 8), static_cast<char>(content.size() & 0xff)};
  return out + content;
}

std::string web_call(std::string_view type, const std::string& body) {
  return "POST /echo.Echo/Say HTTP/1.1\r\nHost: app.test\r\nOrigin: https://a.test\r\nX-Grpc-Web: 1\r\nContent-Type: " +
         std::string(type) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

io::Task<void> call_by_web(World& world, Origin&) {
  Snapshot snapshot = world.snapshot(world.server->live()->version() + 1);
  snapshot.services = world.server->live()->snapshot().services;
  snapshot.routes[0].middlewares = {{"web", GrpcWeb{.origins = {"https://a.test"}}}};
  world.use(decode_snapshot(encode_snapshot(snapshot)).value());
  auto browser = co_await world.browse();
  const std::string ping = frame(0, "ping");
  const Answer answer = co_await browser->ask(web_call("application/grpc-web+proto", ping));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.field("content-type"), "application/grpc-web");
  EXPECT_EQ(answer.field("access-control-allow-origin"), "https://a.test");
  EXPECT_TRUE(answer.body.starts_with(ping + '\x80')) << answer.body;
  EXPECT_TRUE(answer.body.contains("grpc-status: 0\r\n")) << answer.body;
  EXPECT_TRUE(answer.body.contains("content-type=application/grpc+proto;te=trailers;")) << answer.body;
  // As text, in two pieces that are encoded each on its own.
  const std::string text = encode_base64(ping.substr(0, 4)) + encode_base64(ping.substr(4));
  const Answer coded = co_await browser->ask(web_call("application/grpc-web-text", text));
  EXPECT_EQ(coded.field("content-type"), "application/grpc-web-text");
  std::string decoded;
  for (std::size_t at = 0; at < coded.body.size(); at += 4)
    decoded += decode_base64(coded.body.substr(at, 4)).value_or("?");
  EXPECT_TRUE(decoded.starts_with(ping + '\x80')) << coded.body;
  EXPECT_EQ((co_await browser->ask(web_call("application/grpc-web-text", "!!!!"))).status, 400);
  auto other = co_await world.browse();
  const Answer asked = co_await other->ask(
      "OPTIONS /echo.Echo/Say HTTP/1.1\r\nHost: app.test\r\nOrigin: https://a.test\r\n"
      "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type,x-grpc-web\r\n\r\n");
  EXPECT_EQ(asked.status, 204);
  EXPECT_EQ(asked.field("access-control-allow-headers"), "content-type,x-grpc-web");
}

io::Task<void> call_all(World& world, Origin& origin) {
  H2Browser browser(std::move(*(co_await io::connect(world.web))));
  auto& stream = browser.ask(call("/echo.Echo/Say"), "ping", true);
  EXPECT_TRUE(co_await browser.until([&] { return stream.answer.body == "ping"; }));
  browser.send(stream, "pong", true);
  const Answer answer = co_await browser.receive(stream);
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.body, "pingpong");
  EXPECT_EQ(answer.field("content-type"), "application/grpc");
  EXPECT_EQ(http::header(stream.trailers_in, "grpc-status"), "0");
  EXPECT_EQ(http::header(stream.trailers_in, "said"),
            ":method=POST;:path=/echo.Echo/Say;:authority=app.test;content-type=application/grpc;te=trailers;");

  auto& only = browser.ask(call("/only"));
  EXPECT_EQ((co_await browser.receive(only)).field("grpc-status"), "12");
  auto& cut = browser.ask(call("/cut"));
  EXPECT_EQ((co_await browser.receive(cut)).status, 502);
  EXPECT_EQ((co_await browser.receive(browser.get("/refuse"))).status, 200);
  // A big body both ways through windows of 64 KiB, and a client that does not read for a while.
  std::string numbers;
  for (int i = 0; numbers.size() < 2u << 20; ++i) numbers += std::to_string(i) + ",";
  auto& big = browser.ask(call("/big"), numbers);
  EXPECT_TRUE(co_await browser.until([&] { return big.answer.body.size() > 100'000; }));
  EXPECT_TRUE((co_await io::sleep_for(20ms)).has_value());
  EXPECT_TRUE((co_await browser.receive(big)).body == numbers);
  EXPECT_LE(origin.connections, 3u);
}

Test CarriesGrpc_body(World& world) {
  Origin origin{.listener = io::Listener::open(world.loop, io::Address::parse("127.0.0.1:0").value()).value()};
  io::Scope scope(co_await io::here());
  scope.spawn(run_origin(origin));
  route_to(world, origin);
  co_await call_all(world, origin);
  co_await call_by_web(world, origin);
  // HTTP/1.1 in front: the trailers are lost, the rest is the same.
  auto browser = co_await world.browse();
  const Answer answer = co_await browser->ask("POST /x HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_EQ(answer.body, "body");
  EXPECT_TRUE(answer.keep_alive);
  EXPECT_EQ((co_await browser->ask(get("/ws", "Connection: Upgrade\r\nUpgrade: websocket\r\n"))).status, 101);
  origin.listener->close();
  co_await scope.join();
}
TEST(ServerGrpc, CarriesGrpc) {
  World world;
  world.run(CarriesGrpc_body);
}

Test SaysWhenTheUpstreamDoesNotSpeakIt_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  snapshot.services[0].upstreams[0].h2 = true;  // but it speaks HTTP/1.1
  world.use(std::move(snapshot));
  auto browser = co_await world.browse();
  EXPECT_EQ((co_await browser->ask(get("/h"))).status, 502);
}
TEST(ServerGrpc, SaysWhenTheUpstreamDoesNotSpeakIt) {
  World world;
  world.run(SaysWhenTheUpstreamDoesNotSpeakIt_body);
}

// The edge as its own upstream: TLS with HTTP/2 chosen by ALPN, and WebSockets over HTTP/1.1 beside it.
Test SpeaksItOverTlsWhereBothCan_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  snapshot.certificates.push_back(issue(world.authority, {"127.0.0.1"}, now).value());
  snapshot.services.push_back(
      {.name = "again",
       .upstreams = {{.host = "127.0.0.1", .port = world.websecure.port(), .tls = true, .target = "edge"}},
       .pass_host = true,
       .down = {}});
  snapshot.routes.push_back(snapshot.routes[0]);
  snapshot.routes.back().name = "again";
  snapshot.routes.back().rule = "Host(`again.test`)";
  snapshot.routes.back().service = "again";
  snapshot.routes.back().middlewares = {{"h", Headers{{{"Host", "app.test"}}, {}}}};
  world.use(std::move(snapshot));
  auto browser = co_await world.browse();
  for (int i = 0; i < 3; ++i) {
    const Answer answer = co_await browser->ask(get("/h?x", "", "again.test"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.body.starts_with("GET /h?x\nhost: app.test\n")) << answer.body;
    EXPECT_TRUE(answer.complete && answer.keep_alive);
  }
  const Answer upload = co_await browser->ask(
      "POST /upload HTTP/1.1\r\nHost: again.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  EXPECT_EQ(upload.body, "3");
  EXPECT_EQ((co_await browser->ask(get("/none", "", "again.test"))).status, 204);
  EXPECT_EQ((co_await browser->ask("HEAD /h HTTP/1.1\r\nHost: again.test\r\n\r\n")).status, 200);
  EXPECT_EQ((co_await browser->ask(get("/ws", "Connection: Upgrade\r\nUpgrade: websocket\r\n", "again.test"))).status,
            101);
}
TEST(ServerGrpc, SpeaksItOverTlsWhereBothCan) {
  World world;
  world.run(SpeaksItOverTlsWhereBothCan_body);
}

// RFC 8441: the edge as its own upstream takes WebSockets over HTTP/2, and passes them on over HTTP/1.1.
Test PassesWebSocketsOn_body(World& world) {
  Snapshot snapshot = world.snapshot(2);
  snapshot.services.push_back(
      {.name = "again",
       .upstreams = {{.host = "127.0.0.1", .port = world.web.port(), .target = "edge", .h2 = true}},
       .pass_host = true,
       .down = {}});
  snapshot.routes.push_back(snapshot.routes[0]);
  snapshot.routes.back().name = "again";
  snapshot.routes.back().rule = "Host(`again.test`)";
  snapshot.routes.back().service = "again";
  snapshot.routes.back().middlewares = {{"h", Headers{{{"Host", "app.test"}}, {}}}};
  world.use(std::move(snapshot));
  auto browser = co_await world.browse();
  const Answer answer = co_await browser->ask(get("/ws",
                                                  "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
                                                  "again.test"));
  EXPECT_EQ(answer.status, 101);
  EXPECT_EQ(answer.field("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");  // RFC 6455 1.3
  for (const std::string said : {"one", "two"}) {
    EXPECT_TRUE(co_await browser->send(said));
    while (browser->wire.unread().size() < said.size() && (co_await browser->wire.fill()).value_or(false)) {
    }
    EXPECT_EQ(browser->wire.unread(), said);
    browser->wire.consume(said.size());
  }
  browser->wire.stream().shutdown_write();
  EXPECT_TRUE(co_await browser->closed());
  // A refusal is passed on.
  auto other = co_await world.browse();
  EXPECT_EQ(
      (co_await other->ask(get("/status/403", "Connection: Upgrade\r\nUpgrade: websocket\r\n", "again.test"))).status,
      403);
}
TEST(ServerGrpc, PassesWebSocketsOn) {
  World world;
  world.run(PassesWebSocketsOn_body);
}

}  // namespace
}  // namespace berth::edge
