#include <atomic>
#include <new>
#include <thread>

#include "edge/cache_store.h"
#include "edge/h2_browser.h"

// The request path allocates nothing once it is warm. What the edge's thread takes through operator new is counted;
// client and origin run on another thread.

namespace {
std::atomic<std::size_t> allocations{0};
thread_local bool counted = false;
}  // namespace

void* operator new(std::size_t size) {
  if (counted) ++allocations;
  void* memory = std::malloc(size);
  if (!memory) std::abort();
  return memory;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return ::operator new(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace berth::edge {
namespace {

constexpr std::string_view kReply = "HTTP/1.1 200 OK\r\nX: 1\r\nContent-Length: 5\r\n\r\nhello";
constexpr std::string_view kKept =
    "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nVary: Accept-Language, X\r\nETag: \"e\"\r\n"
    "Content-Length: 5\r\n\r\nhello";

io::Task<void> answer_connection(std::unique_ptr<io::Stream> stream) {
  http::Wire wire(std::move(stream));
  http::RequestHead head;
  while (true) {
    wire.next_message();
    http::Parsed parsed;
    while ((parsed = http::parse_request(wire.unread(), head)).state == http::Parsed::State::need_more) {
      const auto more = co_await wire.fill();
      if (!more || !*more) co_return;
    }
    wire.pin(parsed.consumed);
    http::BodyPump body(wire, http::body_of(head));
    while (true) {
      const auto piece = co_await body.next();
      if (!piece) co_return;
      if (piece->empty()) break;
    }
    const bool kept = head.target.starts_with("/kept/");
    if (!co_await io::write_all(wire.stream(), kept ? kKept : kReply)) co_return;
  }
}

io::Task<void> run_origin(io::Listener& listener) {
  io::Scope scope(co_await io::here());
  while (auto stream = co_await listener.accept()) scope.spawn(answer_connection(std::move(*stream)));
  scope.cancel();
  co_await scope.join();
}

/// An edge on a thread of its own.
struct Edge {
  io::Loop loop;
  std::unique_ptr<Server> server = Server::make(loop, {.store = std::make_shared<CacheStore>(4u << 20, 7)}).value();
  io::Address web = server->listen(Listener::web, io::Address::parse("127.0.0.1:0").value()).value();
  std::thread thread;

  explicit Edge(std::uint16_t origin) {
    Snapshot snapshot;
    snapshot.version = 1;
    snapshot.services = {
        {.name = "s", .upstreams = {{.host = "127.0.0.1", .port = origin, .target = "o"}}, .down = {}}};
    snapshot.routes = {Route{.name = "r", .rule = "Host(`app.test`)", .listeners = {Listener::web}, .service = "s"},
                       Route{.name = "kept",
                             .rule = "Host(`app.test`) && PathPrefix(`/kept/`)",
                             .listeners = {Listener::web},
                             .service = "s",
                             .middlewares = {{"cache", CachePolicy{}}}}};
    server->use(Live::make(std::move(snapshot)).value());
    thread = std::thread([this] {
      counted = true;
      static_cast<void>(loop.run(server->run()));
    });
  }
  ~Edge() {
    loop.post([this] { server->drain({}); });
    thread.join();
  }
};

using Ask = io::Task<void> (*)(io::Address, int);

io::Task<void> ask_http1(io::Address web, int times) {
  Browser browser(std::move(*(co_await io::connect(web))));
  for (int i = 0; i < times; ++i) {
    if (i == times / 2) EXPECT_GT(allocations.exchange(0), 0u);  // what the connection took
    const Answer answer =
        co_await browser.ask(i % 2 == 0 ? get("/a/b?c")
                                        : "POST /p HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n"
                                          "3\r\nabc\r\n0\r\n\r\n");
    EXPECT_EQ(answer.status, 200);
  }
}

/// From the cache, with a key that is too long for a short string: whole, a part, and what the client has already.
io::Task<void> ask_cache(io::Address web, int times) {
  Browser browser(std::move(*(co_await io::connect(web))));
  for (int i = 0; i < times; ++i) {
    if (i == times / 2) EXPECT_GT(allocations.exchange(0), 0u);  // what the connection and the first reply took
    const std::string_view more = i % 3 == 0   ? "Accept-Language: de, en\r\n"
                                  : i % 3 == 1 ? "Accept-Language: de, en\r\nRange: bytes=1-2\r\n"
                                               : "Accept-Language: de, en\r\nIf-None-Match: \"e\"\r\n";
    const Answer answer = co_await browser.ask(get("/kept/a/path/that/no/short/string/holds?a=b", more));
    EXPECT_EQ(answer.status, i % 3 == 0 ? 200 : i % 3 == 1 ? 206 : 304);
    if (i > 0) EXPECT_TRUE(answer.field("cache-status").starts_with("berth; hit"));
  }
}

io::Task<void> ask_http2(io::Address web, int times) {
  H2Browser browser(std::move(*(co_await io::connect(web))));
  for (int i = 0; i < times; ++i) {
    if (i == times / 2) EXPECT_GT(allocations.exchange(0), 0u);  // what the connection took
    EXPECT_EQ((co_await browser.receive(browser.get("/a/b?c"))).status, 200);
  }
}

io::Task<void> arrange(io::Listener& listener, Ask ask, std::size_t& taken) {
  io::Scope scope(co_await io::here());
  scope.spawn(run_origin(listener));
  {
    Edge edge(listener.address().port());
    co_await ask(edge.web, 400);
    taken = allocations;
  }
  listener.close();
  co_await scope.join();
}

std::size_t allocations_of(Ask ask) {
  io::Loop loop;
  const auto listener = io::Listener::open(loop, io::Address::parse("127.0.0.1:0").value()).value();
  std::size_t taken = 0;
  loop.run(arrange(*listener, ask, taken));
  return taken;
}

TEST(Allocation, NoneForARequestOfAKeptConnection) {
  EXPECT_EQ(allocations_of(ask_http1), 0u);
}

TEST(Allocation, NoneForAnAnswerFromTheCache) {
  EXPECT_EQ(allocations_of(ask_cache), 0u);
}

// The library's own are not counted.
TEST(Allocation, NoneForARequestOfAStream) {
  EXPECT_EQ(allocations_of(ask_http2), 0u);
}

}  // namespace
}  // namespace berth::edge
