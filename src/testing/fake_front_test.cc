// The fake engine over HTTP: through berth's own client in virtual time, and on a real unix socket.
#include <gtest/gtest.h>
#include <unistd.h>

#include "engine/container.h"
#include "engine/event.h"
#include "engine/exec.h"
#include "engine/image.h"
#include "engine/network.h"
#include "engine/system.h"
#include "io/socket.h"
#include "testing/fake_engine.h"
#include "testing/fake_feed.h"
#include "testing/simulation.h"

namespace berth::testing {
namespace {

using namespace std::chrono_literals;
using engine::Client;
using io::Task;

Task<Result<std::unique_ptr<Client>>> dial(FakeEngine& fake) {
  co_return co_await Client::connect(*engine::parse_address("unix:///fake.sock"), fake.dialer());
}

class FakeFrontTest : public ::testing::Test {
 protected:
  explicit FakeFrontTest(FakeEngineOptions options = {}) : fake_(*loop_, std::move(options)) {
    fake_.add_image("app:1", {.config = *parse_json(R"({"Cmd":["serve"]})")});
    auto client = loop_->run(dial(fake_));
    EXPECT_TRUE(client) << client.error().message;
    client_ = client ? std::move(*client) : nullptr;
  }
  template <class T>
  T run(Task<T> task) {
    return loop_->run(std::move(task));
  }
  void create(std::string name) {
    const auto made =
        run(engine::create_container(*client_, {.name = std::move(name), .body = Json::object({{"Image", "app:1"}})}));
    ASSERT_TRUE(made) << made.error().message;
  }

  std::unique_ptr<io::Loop> loop_ = simulated_loop();
  FakeEngine fake_;
  std::unique_ptr<Client> client_;
};

TEST_F(FakeFrontTest, ServesBerthsOwnClient) {
  create("web");
  ASSERT_TRUE(run(engine::start_container(*client_, "web")));
  const auto inspect = run(engine::inspect_container(*client_, "web"));
  ASSERT_TRUE(inspect);
  EXPECT_EQ(inspect->at("State.Running"), Json(true));
  const auto missing = run(engine::inspect_container(*client_, "nope"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::not_found);
}

struct Spoken {
  const char* api;     // the engine's newest
  const char* spoken;  // by berth
  const char* oldest;  // that the engine takes
};
class FakeVersionTest : public ::testing::TestWithParam<Spoken> {};
TEST_P(FakeVersionTest, IsNegotiated) {
  const auto loop = simulated_loop();
  FakeEngine fake(*loop, {.api = GetParam().api});
  const auto client = loop->run(dial(fake));
  ASSERT_TRUE(client) << client.error().message;
  EXPECT_EQ((*client)->version().text(), GetParam().spoken);
  fake.forget_calls();
  ASSERT_TRUE(loop->run((*client)->call({.path = "/info"})));
  EXPECT_EQ(fake.calls().at(0).version, GetParam().spoken);
  EXPECT_EQ(fake.handle({.target = "/version"}).json()["MinAPIVersion"].text(), GetParam().oldest);
}
INSTANTIATE_TEST_SUITE_P(Versions, FakeVersionTest,
                         ::testing::Values(Spoken{"1.24", "1.24", "1.12"}, Spoken{"1.41", "1.41", "1.12"},
                                           Spoken{"1.44", "1.44", "1.24"}, Spoken{"1.45", "1.45", "1.24"},
                                           Spoken{"1.47", "1.47", "1.24"}, Spoken{"1.50", "1.48", "1.24"},
                                           Spoken{"1.52", "1.48", "1.44"}, Spoken{"1.55", "1.48", "1.44"}),
                         [](const auto& info) { return "v" + std::string(info.param.api).substr(2); });

TEST(FakeFront, ANewEngineRefusesWhatOldClientsSpeak) {
  const auto loop = simulated_loop();
  FakeEngine fake(*loop, {.api = "1.52"});
  const FakeReply refused = fake.handle({.target = "/v1.41/info"});
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.json()["message"].text(),
            "client version 1.41 is too old. Minimum supported API version is 1.44, please upgrade your client to a "
            "newer version");
}

TEST(FakeFront, AnEngineThatIsTooNewOrTooOldIsRefused) {
  const auto loop = simulated_loop();
  FakeEngine newer(*loop, {.api = "1.60", .oldest_api = "1.50"}), older(*loop, {.api = "1.20"});
  EXPECT_FALSE(loop->run(dial(newer)));
  EXPECT_FALSE(loop->run(dial(older)));
}

TEST_F(FakeFrontTest, TimePassesOnlyOnTheLoop) {
  fake_.behave("job", {.exits_after = 3h, .exit_code = 9});
  create("job");
  ASSERT_TRUE(run(engine::start_container(*client_, "job")));
  const auto status = run(engine::wait_container(*client_, "job"));
  ASSERT_TRUE(status);
  EXPECT_EQ(*status, 9);
  EXPECT_GE(loop_->now().time_since_epoch(), 3h);
}

TEST_F(FakeFrontTest, AStopTakesItsGrace) {
  fake_.behave("web", {.ignores_stop = true});
  create("web");
  ASSERT_TRUE(run(engine::start_container(*client_, "web")));
  const auto before = loop_->now();
  ASSERT_TRUE(run(engine::stop_container(*client_, "web", 5s)));
  EXPECT_GE(loop_->now() - before, 5s);
  EXPECT_LT(loop_->now() - before, 6s);
}

Task<Result<std::string>> follow(Client& client, std::string name) {
  auto stream = CO_TRY(co_await engine::container_logs(client, name, false, {.follow = true}));
  std::string text;
  while (true) {
    const auto piece = CO_TRY(co_await stream.next());
    if (!piece) co_return text;
    text.append(piece->channel == engine::Channel::err ? "E:" : "O:").append(piece->bytes);
  }
}

TEST_F(FakeFrontTest, LogsFollowToTheEnd) {
  fake_.behave("web", {.exits_after = 10s, .output = {{.text = "one\n"}, {.text = "two\n", .err = true, .after = 4s}}});
  create("web");
  ASSERT_TRUE(run(engine::start_container(*client_, "web")));
  const auto text = run(follow(*client_, "web"));
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "O:one\nE:two\n");
}

Task<Result<std::string>> echo_exec(Client& client, std::string name) {
  const std::string id = CO_TRY(co_await engine::create_exec(client, name, {.command = {"cat"}, .in = true}));
  auto attached = CO_TRY(co_await engine::start_exec(client, id, false));
  CO_TRY(co_await attached.write("over"));
  CO_TRY(co_await attached.close_input());
  std::string text;
  while (const auto piece = CO_TRY(co_await attached.next())) text.append(piece->bytes);
  const auto status = CO_TRY(co_await engine::exec_status(client, id));
  co_return text + ":" + std::to_string(status);
}

TEST_F(FakeFrontTest, AnExecTalksBothWays) {
  fake_.on_exec({.command = "cat", .exit_code = 6, .echoes = true});
  create("web");
  ASSERT_TRUE(run(engine::start_container(*client_, "web")));
  const auto text = run(echo_exec(*client_, "web"));
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text, "over:6");
}

Task<Result<std::string>> attach_and_start(Client& client, std::string name) {
  auto attached = CO_TRY(co_await engine::attach_container(client, name));
  CO_TRY(co_await engine::start_container(client, name));
  std::string text;
  while (const auto piece = CO_TRY(co_await attached.next())) text.append(piece->bytes);
  co_return text;
}

TEST_F(FakeFrontTest, AnAttachmentBeforeTheStartMissesNothing) {
  fake_.behave("job", {.exits_after = 1s, .output = {{.text = "first\n"}, {.text = "last\n", .after = 900ms}}});
  create("job");
  const auto text = run(attach_and_start(*client_, "job"));
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text, "first\nlast\n");
}

TEST_F(FakeFrontTest, ADelayMeetsTheDeadlineOfTheCall) {
  fake_.inject({.path = "/containers/web/json", .delay = 10min});
  const auto reply = run(client_->call({.path = "/containers/web/json", .deadline = 2s}));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::timeout);
}

TEST_F(FakeFrontTest, ADroppedCallHasNoEffect) {
  fake_.inject({.method = "POST", .path = "/networks/create", .drop = true});
  const auto made = run(engine::create_network(*client_, Json::object({{"Name", "n"}})));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::unavailable);
  EXPECT_EQ(fake_.calls().back().status, 0);
  EXPECT_FALSE(run(engine::inspect_network(*client_, "n")));
}

TEST_F(FakeFrontTest, ACutReplyHadItsEffect) {
  fake_.inject({.method = "POST", .path = "/networks/create", .cut_after = 5});
  EXPECT_FALSE(run(engine::create_network(*client_, Json::object({{"Name", "n"}}))));
  EXPECT_TRUE(run(engine::inspect_network(*client_, "n")));
}

TEST_F(FakeFrontTest, CanRefuseConnections) {
  fake_.refuse_connections(true);
  fake_.drop_connections();
  const auto refused = run(engine::ping(*client_));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unavailable);
  fake_.refuse_connections(false);
  EXPECT_TRUE(run(engine::ping(*client_)));
}

Task<Result<std::string>> watch_over_a_loss(Client& client, FakeEngine& fake) {
  engine::EventStream events(client, {.filters = {{"type", "network"}}});
  std::string text;
  const auto next = [](engine::EventStream& from, std::string& to) -> Task<Result<void>> {
    const auto item = CO_TRY(co_await from.next());
    to += item.gap ? "gap " : item.event.action + " ";
    co_return Result<void>{};
  };
  CO_TRY(co_await next(events, text));
  CO_TRY(co_await engine::create_network(client, Json::object({{"Name", "a"}})));
  CO_TRY(co_await next(events, text));
  fake.drop_connections();
  CO_TRY(co_await engine::remove_network(client, "a"));
  while (text.find("destroy") == std::string::npos) CO_TRY(co_await next(events, text));
  co_return text;
}

TEST_F(FakeFrontTest, EventsSurviveALostConnection) {
  const auto text = run(watch_over_a_loss(*client_, fake_));
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_TRUE(text->starts_with("gap create ")) << *text;
  EXPECT_TRUE(text->ends_with("destroy ")) << *text;
}

TEST_F(FakeFrontTest, APullWithAnErrorFailsTheCall) {
  fake_.add_remote("app:2", {.error = "manifest unknown", .layer_time = 1s});
  const auto pulled = run(engine::pull_image(*client_, {.name = "app:2"}));
  ASSERT_FALSE(pulled);
  EXPECT_NE(pulled.error().message.find("manifest unknown"), std::string::npos) << pulled.error().message;
}

TEST_F(FakeFrontTest, APullThatItsClientLeavesStoresNothing) {
  fake_.add_remote("app:2", {.layer_time = 10s});
  const auto pulled = run(io::within(3s, engine::pull_image(*client_, {.name = "app:2"})));
  EXPECT_FALSE(pulled);
  ASSERT_TRUE(run(io::sleep_for(1min)));
  EXPECT_FALSE(run(engine::inspect_image(*client_, "app:2")));
}

TEST_F(FakeFrontTest, MayBeDestroyedWithConnectionsOpen) {
  const auto loop = simulated_loop();
  auto dialer = [&] {
    FakeEngine fake(*loop);
    auto its = fake.dialer();
    EXPECT_TRUE(loop->run(its->dial()));
    return its;
  }();
  EXPECT_FALSE(loop->run(dialer->dial()));
}

Task<Result<std::string>> ping_over(std::string path) {
  http::Pool pool(std::make_unique<io::UnixDialer>(path));
  auto exchange = CO_TRY(co_await io::within(5s, pool.exchange({.target = "/_ping"})));
  co_return std::string(http::header(exchange.reply.headers, "Api-Version")) + " " +
      CO_TRY(co_await exchange.body.all(100));
}

Task<void> serve(FakeEngine& fake, std::string path) {
  static_cast<void>(co_await fake.serve_unix(path));
}

Task<Result<std::string>> served(FakeEngine& fake, std::string path) {
  io::Scope scope(co_await io::here());
  scope.spawn(serve(fake, path));
  CO_TRY(co_await io::sleep_for(0s));  // lets it listen
  auto text = co_await ping_over(path);
  scope.cancel();
  co_await scope.join();
  co_return text;
}

TEST(FakeFront, ServesAUnixSocket) {
  io::Loop loop;
  FakeEngine fake(loop, {.api = "1.44"});
  const std::string path = ::testing::TempDir() + "fake-engine-" + std::to_string(getpid()) + ".sock";
  const auto text = loop.run(served(fake, path));
  ::unlink(path.c_str());
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text, "1.44 OK");
}

}  // namespace
}  // namespace berth::testing
