#include "edge/chain.h"

#include <gtest/gtest.h>

#include "edge/front.h"
#include "edge/shared.h"

namespace berth::edge {
namespace {

/// A client's end in memory: what a handler says becomes text.
class MemoryClient final : public ReplySink, public BodySource {
 public:
  explicit MemoryClient(Tally& tally) : tally_(tally) {}
  std::string said;

  io::Task<Result<void>> begin(http::ResponseHead& head, bool has_body) override {
    tally_.status = head.status;
    said += std::to_string(head.status) + (has_body ? "" : " without body") + "\n";
    for (const http::Field& field : head.fields) said.append(field.name).append(": ").append(field.value).append("\n");
    co_return Result<void>{};
  }
  io::Task<Result<void>> data(std::string_view piece) override {
    said += piece;
    co_return Result<void>{};
  }
  io::Task<Result<void>> flush() override { co_return Result<void>{}; }
  io::Task<Result<void>> end(const http::Fields*) override {
    tally_.complete = true;
    co_return Result<void>{};
  }
  io::Task<Result<void>> upgrade(http::ResponseHead&) override { co_return fail(Code::invalid, "no upgrade here"); }
  Piece take() override { return {.what = Piece::end}; }
  io::Task<Result<void>> more() override { co_return Result<void>{}; }
  io::Task<bool> gone() override { co_return false; }

 private:
  Tally& tally_;
};

struct Asks {
  io::Loop loop;
  Shared shared{loop};
  std::vector<std::string> log;

  explicit Asks(std::vector<Middleware> middlewares) {
    Snapshot snapshot;
    snapshot.version = 1;
    snapshot.services = {{.name = "s", .upstreams = {}, .pass_host = true, .down = "it is down"}};
    snapshot.routes = {Route{.name = "r",
                             .rule = "Host(`a`)",
                             .priority = 0,
                             .listeners = {Listener::web},
                             .service = "s",
                             .middlewares = std::move(middlewares)}};
    shared.live = Live::make(std::move(snapshot)).value();
    shared.access = [this](const AccessEvent& event) {
      log.push_back(std::string(event.host) + std::string(event.path) + " " + std::to_string(event.status) + " " +
                    std::string(event.route) + " " + std::string(event.error));
    };
  }

  std::string ask(const std::string& text) {
    const Hop hop{.listener = Listener::web, .peer = *parse_ip("192.0.2.1"), .peer_text = "192.0.2.1", .server = "me"};
    const WorkspaceLease work(shared);
    EXPECT_EQ(http::parse_request(text, work->head).state, http::Parsed::State::complete);
    Tally tally;
    MemoryClient client(tally);
    Request request{.shared = shared,
                    .live = *shared.live,
                    .hop = hop,
                    .work = *work,
                    .head = work->head,
                    .rewritten = work->rewritten,
                    .body = &client,
                    .tally = tally};
    loop.run(answer(request, client));
    EXPECT_TRUE(tally.complete);
    return client.said;
  }
};

TEST(Chain, AnswersWithoutAnyConnection) {
  Asks asks({});
  EXPECT_EQ(asks.ask("GET //x HTTP/1.1\r\nHost: A:80\r\n\r\n"),
            "503\nContent-Type: text/plain; charset=utf-8\nCache-Control: no-store\nX-Content-Type-Options: nosniff\n"
            "Retry-After: 2\n503 The service has no running instance right now.\n");
  EXPECT_TRUE(asks.ask("HEAD /x HTTP/1.1\r\nHost: b\r\n\r\n").starts_with("404 without body\n"));
  EXPECT_EQ(asks.log, (std::vector<std::string>{"a/x 503 r it is down", "b/x 404  "}));
}

TEST(Chain, StepsRunInOrderBeforeTheService) {
  const Middleware limit{"l", RateLimit{.average = 1, .period = std::chrono::hours(1), .burst = 2}};
  Asks asks({{"s", StripPrefix{.prefixes = {"/api"}}}, limit, {"r", RedirectScheme{"https", "", true}}});
  const std::string ask = "GET /api/x HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_TRUE(asks.ask(ask).starts_with("301\nLocation: https://a/api/x\n"));
  EXPECT_TRUE(asks.ask(ask).starts_with("301\n"));
  EXPECT_TRUE(asks.ask(ask).starts_with("429\n"));
}

struct Count final : MiddlewareState {
  int value = 0;
};
struct Other final : MiddlewareState {};

TEST(Shared, RemembersForAMiddlewareAsLongAsARouteNamesIt) {
  Asks asks({{"kept", StripPrefix{}}});
  asks.shared.state<Count>("kept").value = 3;
  asks.shared.state<Count>("gone").value = 3;
  asks.shared.forget_unnamed();
  EXPECT_EQ(asks.shared.state<Count>("kept").value, 3);
  EXPECT_EQ(asks.shared.state<Count>("gone").value, 0);
  asks.shared.state<Other>("kept");
  EXPECT_EQ(asks.shared.state<Count>("kept").value, 0);
}

TEST(Shared, HandsWorkspacesOnWithoutWhatTheyHeld) {
  Asks asks({});
  auto first = asks.shared.take_workspace();
  const Workspace* address = first.get();
  first->to_client = "left";
  asks.shared.put_workspace(std::move(first));
  auto second = asks.shared.take_workspace();
  EXPECT_EQ(second.get(), address);
  EXPECT_EQ(second->to_client, "");
}

}  // namespace
}  // namespace berth::edge
