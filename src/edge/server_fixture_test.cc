#include "edge/server_fixture.h"

#include "base/text.h"

namespace berth::edge {
namespace {

using http::ResponseWriter;
using http::ServerRequest;
using Done = io::Task<Result<void>>;

World* world_of_origin = nullptr;  // handlers are plain functions; one world at a time

std::string fields_text(const http::RequestHead& head) {
  std::string text;
  for (const http::Field& field : head.fields) text += lower(field.name) + ": " + std::string(field.value) + "\n";
  return text;
}

Done say(ServerRequest& request, ResponseWriter& response, Say& what) {
  ++what.asked;
  what.request = fields_text(request.head());
  if (what.waits) CO_TRY(co_await world_of_origin->go.wait());
  const Say now = what;
  const std::string_view etag = http::header(now.headers, "etag");
  if (!etag.empty() && request.head().fields.get("if-none-match") == etag)
    co_return co_await response.send(304, now.headers, "");
  if (!now.waits_inside && !now.dies) co_return co_await response.send(now.status, now.headers, now.body);
  CO_TRY(co_await response.begin(now.status, now.headers));
  CO_TRY(co_await response.write(std::string_view(now.body).substr(0, now.body.size() / 2)));
  if (now.dies) co_return fail(Code::internal, "cut");
  CO_TRY(co_await world_of_origin->go.wait());
  CO_TRY(co_await response.write(std::string_view(now.body).substr(now.body.size() / 2)));
  co_return co_await response.finish();
}

Done answer_headers(ServerRequest& request, ResponseWriter& response) {
  std::string text = std::string(request.head().method) + " " + std::string(request.head().target) + "\n";
  text += fields_text(request.head());
  co_return co_await response.send(200, {{"X-Origin", "1"}}, text);
}

Done echo(ServerRequest& request, ResponseWriter& response) {
  CO_TRY(co_await response.begin(200, {}, request.head().framing.length));
  while (true) {
    const std::string_view piece = CO_TRY(co_await request.next());
    if (piece.empty()) break;
    CO_TRY(co_await response.write(piece));
  }
  co_return co_await response.finish();
}

Done send_big(ResponseWriter& response, std::size_t size) {
  CO_TRY(co_await response.begin(200, {}, size));
  const std::string block(64 << 10, 'x');
  for (std::size_t left = size; left > 0;) {
    const std::size_t count = std::min(left, block.size());
    CO_TRY(co_await response.write(std::string_view(block).substr(0, count)));
    left -= count;
    world_of_origin->most_unsent = size - left;
  }
  co_return co_await response.finish();
}

Done send_events(ResponseWriter& response) {
  CO_TRY(co_await response.begin(200, {{"Content-Type", "text/event-stream"}}));
  CO_TRY(co_await response.write("data: one\n\n"));
  CO_TRY(co_await world_of_origin->go.wait());
  CO_TRY(co_await response.write("data: two\n\n"));
  co_return co_await response.finish();
}

/// Streams until its client is gone.
Done send_endless(ResponseWriter& response) {
  CO_TRY(co_await response.begin(200, {}));
  while (true) {
    if (const auto written = co_await response.write("tick\n"); !written) break;
    CO_TRY(co_await io::sleep_for(std::chrono::milliseconds(50)));
  }
  world_of_origin->origin_saw_end = true;
  co_return fail(Code::unavailable, "the client is gone");
}

Done echo_socket(ResponseWriter& response) {
  auto socket = CO_TRY(co_await response.upgrade(101, {{"Sec-WebSocket-Accept", "x"}}));
  char bytes[4096];
  while (true) {
    const std::size_t count = CO_TRY(co_await socket.read(bytes));
    if (count == 0) break;
    CO_TRY(co_await socket.write(std::string_view(bytes, count)));
  }
  socket.close();
  co_return Result<void>{};
}

Done upload_length(ServerRequest& request, ResponseWriter& response) {
  std::size_t total = 0;
  while (true) {
    const std::string_view piece = CO_TRY(co_await request.next());
    if (piece.empty()) break;
    total += piece.size();
  }
  co_return co_await response.send(200, {}, std::to_string(total));
}

Done die_in_body(ResponseWriter& response) {
  CO_TRY(co_await response.begin(200, {}, 100));
  CO_TRY(co_await response.write("0123456789"));
  co_return fail(Code::internal, "cut");
}

Done wait_for_go(ResponseWriter& response) {
  CO_TRY(co_await world_of_origin->go.wait());
  co_return co_await response.send(200, {}, "went");
}

Done close_once(ResponseWriter& response) {
  response.close_after();
  co_return co_await response.send(200, {}, "bye");
}

/// A login: knows one session, and one that sets no cookie and may not see everything.
Done login(ServerRequest& request, ResponseWriter& response) {
  const http::Fields& fields = request.head().fields;
  if (fields.get("cookie") == "session=ok") {
    co_return co_await response.send(
        200, {{"X-User", "ann"}, {"X-Forwarded-User", "ann"}, {"Set-Cookie", "fresh=1"}, {"Set-Cookie", "other=1"}},
        "");
  }
  if (fields.get("cookie") == "session=plain") {
    const bool forbidden = fields.get("x-forwarded-uri").contains("forbidden");
    co_return co_await response.send(forbidden ? 403 : 200, {}, forbidden ? "not for you\n" : "");
  }
  const std::string asked = std::string(fields.get("x-forwarded-method")) + " " +
                            std::string(fields.get("x-forwarded-proto")) + "://" +
                            std::string(fields.get("x-forwarded-host")) + std::string(fields.get("x-forwarded-uri"));
  co_return co_await response.send(401, {{"X-Login", "please"}}, "log in to see " + asked + "\n");
}

/// The odd requests fail.
Done flaky(ResponseWriter& response) {
  const bool fails = world_of_origin->origin_requests % 2 == 1;
  return response.send(fails ? 503 : 200, {}, fails ? "not yet\n" : "now\n");
}

Done answer(ServerRequest& request, ResponseWriter& response) {
  World& world = *world_of_origin;
  ++world.origin_requests;
  const std::string_view path = request.head().path;
  if (const auto said = world.says.find(path); said != world.says.end()) return say(request, response, said->second);
  if (path == "/echo") return echo(request, response);
  if (path == "/big") return send_big(response, 50u << 20);
  if (path == "/events") return send_events(response);
  if (path == "/endless") return send_endless(response);
  if (path == "/ws") return echo_socket(response);
  if (path == "/upload") return upload_length(request, response);
  if (path == "/die") return die_in_body(response);
  if (path == "/early") return response.send(413, {}, "too much");
  if (path == "/wait") return wait_for_go(response);
  if (path == "/close") return close_once(response);
  if (path == "/none") return response.send(204, {}, "");
  if (path == "/cached") return response.send(304, {{"ETag", "\"a\""}}, "");
  if (path.starts_with("/status/")) return response.send(std::stoi(std::string(path.substr(8))), {}, "as asked\n");
  if (path == "/text") {
    static const std::string text(4000, 'x');
    return response.send(200, {{"Content-Type", "text/plain"}, {"ETag", "\"v1\""}}, text);
  }
  if (path == "/login") return login(request, response);
  if (path == "/flaky") return flaky(response);
  if (path == "/hop") {
    return response.send(200, {{"Keep-Alive", "timeout=5"}, {"X-Kept", "1"}, {"Proxy-Authenticate", "x"}}, "hop");
  }
  return answer_headers(request, response);
}

io::Task<void> serve_one_origin(std::unique_ptr<io::Stream> stream, const http::Handler& handler) {
  const auto served = co_await http::serve_connection(std::move(stream), handler);
  static_cast<void>(served);
}

}  // namespace

std::string get(std::string_view path, std::string_view more, std::string_view host) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: " + std::string(host) + "\r\n" + std::string(more) + "\r\n";
}

io::Task<bool> Browser::send(std::string text) {
  co_return (co_await io::write_all(wire.stream(), text)).has_value();
}

io::Task<Answer> Browser::receive(std::string method) {
  Answer answer;
  http::ResponseHead head;
  do {
    wire.next_message();
    http::Parsed parsed;
    while ((parsed = http::parse_response(wire.unread(), head)).state == http::Parsed::State::need_more) {
      const auto more = co_await wire.fill();
      if (!more || !*more) co_return answer;
    }
    EXPECT_EQ(parsed.state, http::Parsed::State::complete) << parsed.reason;
    if (parsed.state != http::Parsed::State::complete) co_return answer;
    wire.pin(parsed.consumed);
  } while (head.status == 100);
  answer.status = head.status;
  answer.keep_alive = head.keep_alive;
  for (const http::Field& field : head.fields) answer.headers.emplace_back(field.name, field.value);
  if (head.status == 101) co_return answer;
  http::BodyPump pump(wire, http::body_of(head, method));
  while (true) {
    const auto piece = co_await pump.next();
    if (!piece) co_return answer;
    if (piece->empty()) break;
    answer.body.append(*piece);
  }
  answer.complete = true;
  co_return answer;
}

io::Task<Answer> Browser::ask(std::string text) {
  const std::string method(text.substr(0, text.find(' ')));
  if (!co_await send(std::move(text))) co_return Answer{};
  co_return co_await receive(method);
}

io::Task<bool> Browser::closed() {
  while (true) {
    const auto more = co_await wire.fill();
    if (!more) co_return more.error().code != Code::timeout&& more.error().code != Code::cancelled;
    if (!*more) co_return true;
    wire.consume(wire.unread().size());
  }
}

World::World() {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  authority = make_authority("test CA", {"test"}, now).value();
}

Snapshot World::snapshot(std::uint64_t version) const {
  const Upstream to_origin{.host = "127.0.0.1", .port = origin.port(), .tls = false, .target = "origin-1"};
  Snapshot made;
  made.version = version;
  made.services = {{.name = "origin", .upstreams = {to_origin}, .pass_host = true, .down = {}},
                   {.name = "gone", .upstreams = {}, .pass_host = true, .down = "container gone is not running"}};
  const auto route = [](std::string name, std::string rule, std::string service, std::vector<Listener> listeners) {
    return Route{.name = std::move(name),
                 .rule = std::move(rule),
                 .priority = 0,
                 .listeners = std::move(listeners),
                 .service = std::move(service),
                 .middlewares = {},
                 .warnings = {}};
  };
  made.routes = {route("app", "Host(`app.test`)", "origin", {Listener::web, Listener::websecure}),
                 route("secure", "Host(`secure.test`)", "origin", {Listener::websecure}),
                 route("gone", "Host(`gone.test`)", "gone", {Listener::web, Listener::websecure})};
  return made;
}

void World::use(Snapshot snapshot) {
  auto live = Live::make(std::move(snapshot), server->live().get());
  ASSERT_TRUE(live.has_value()) << live.error().text();
  server->use(*live);
}

io::Task<std::unique_ptr<Browser>> World::browse() {
  auto stream = co_await io::connect(web);
  EXPECT_TRUE(stream.has_value());
  co_return std::make_unique<Browser>(std::move(*stream));
}

io::Task<std::unique_ptr<Browser>> World::browse_tls(std::string host, std::string ca) {
  auto context = io::TlsContext::client({.server_name = host, .ca_pem = ca, .verify = true, .alpn = {"http/1.1"}});
  EXPECT_TRUE(context.has_value());
  auto stream = co_await io::connect(websecure);
  auto secure = io::tls_over(std::move(*stream), *context);
  if (const auto shaken = co_await secure->handshake(); !shaken) co_return nullptr;
  EXPECT_EQ(secure->protocol(), "http/1.1");
  co_return std::make_unique<Browser>(std::move(secure));
}

io::Task<void> World::run_edge() {
  const auto served = co_await server->run();
  static_cast<void>(served);
}

io::Task<void> World::run_origin() {
  auto listener = io::Listener::open(loop, io::Address::parse("0.0.0.0:0").value());
  origin = (*listener)->address();
  const http::Handler handler = answer;
  io::Scope scope(co_await io::here());
  while (true) {
    auto stream = co_await (*listener)->accept();
    if (!stream) break;
    ++origin_connections;
    scope.spawn(serve_one_origin(std::move(*stream), handler));
  }
  scope.cancel();
  co_await scope.join();
}

io::Task<void> World::arrange(io::Task<void> (*test)(World&)) {
  io::Scope scope(co_await io::here());
  scope.spawn(run_origin());
  EXPECT_TRUE((co_await io::sleep_for(io::Duration::zero())).has_value());
  use(snapshot());
  scope.spawn(run_edge());
  co_await io::within(std::chrono::seconds(20), test(*this));
  server->drain(std::chrono::milliseconds(0));
  scope.cancel();
  co_await scope.join();
}

void World::run(io::Task<void> (*test)(World&)) {
  world_of_origin = this;
  if (!store) store = std::make_shared<CacheStore>(16u << 20, 7);
  server = Server::make(loop, {.name = "edge-host",
                               .access =
                                   [this](const AccessEvent& event) {
                                     access.push_back(std::string(event.method) + " " + std::string(event.path) + " " +
                                                      std::to_string(event.status) + " " + std::string(event.error));
                                   },
                               .event = [this](const EdgeEvent& event) { events.push_back(event); },
                               .left = {},
                               .store = store,
                               .limits = limits})
               .value();
  web = server->listen(Listener::web, io::Address::parse("127.0.0.1:0").value()).value();
  websecure = server->listen(Listener::websecure, io::Address::parse("127.0.0.1:0").value()).value();
  const auto any = io::Address::parse("127.0.0.1:0").value();
  database = server->listen(EntryPoint{.name = "database"}, any).value();
  names = server->listen(EntryPoint{.name = "names", .udp = true}, any).value();
  loop.run(arrange(test));
  server.reset();
}

}  // namespace berth::edge
