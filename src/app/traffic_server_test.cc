// Both ends of the control socket, with core's part played by the test.
#include "app/traffic_server.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "io/scope.h"

namespace berth::app {
namespace {

using namespace std::chrono_literals;
using Script = io::Task<void>;

constexpr std::string_view kNetworks = R"json([{"Id": "n1", "Name": "shop_default", "Driver": "bridge",
  "IPAM": {"Config": [{"Subnet": "127.77.0.0/16"}]}}])json";

Json container(const std::string& id, const std::string& address, const std::string& replaces = {}) {
  Json labels = *parse_json(R"json({"com.docker.compose.project": "shop", "com.docker.compose.service": "web",
    "traefik.enable": "true", "traefik.http.routers.web.rule": "Host(`shop.localhost`)"})json");
  if (!replaces.empty()) labels.set("com.docker.compose.replace", replaces);
  Json one = Json::object({{"Id", id}, {"State", "running"}, {"Status", "Up 3 minutes"}});
  one.set("Names", Json::array({"/" + id}));
  one.set("Labels", std::move(labels));
  one.slot("HostConfig").set("NetworkMode", "shop_default");
  one.slot("NetworkSettings")
      .slot("Networks")
      .set("shop_default", Json::object({{"NetworkID", "n1"}, {"IPAddress", address}}));
  return one;
}

/// A container's program: it accepts at its address, and does nothing else.
struct Program {
  Program(io::Loop& loop, const std::string& host, std::uint16_t port) {
    bool ok = false;
    listener = io::Listener::open(loop, io::Address::ip(host, port, ok)).value();
  }
  std::uint16_t port() const { return listener->address().port(); }
  std::unique_ptr<io::Listener> listener;
};

class TrafficServerTest : public ::testing::Test {
 protected:
  TrafficServerTest() : folder_(std::string(::testing::TempDir()) + "berth-traffic-XXXXXX") {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    desk_ = std::make_unique<Desk>(edge::CertificateStore::open({.dir = folder_ + "/certificates"}, now_).value());
    board_ = std::make_unique<Switchboard>(*desk_);
    board_->accepted = 1;
  }
  ~TrafficServerTest() override { std::filesystem::remove_all(folder_); }

  void expose(Json& one, std::uint16_t port) {
    one.set("Ports", Json::array({Json::object({{"PrivatePort", std::int64_t{port}}, {"Type", "tcp"}})}));
  }

  // The engine's lists change by `engine_`; the edge takes every snapshot at once.
  io::Task<void> core() {
    while (co_await board_->wanted.wait()) {
      board_->wanted.reset();
      const auto number = ++board_->begun;
      EXPECT_TRUE(desk_->update(engine_, parse_json(kNetworks).value(), now_).has_value());
      board_->ended = number;
      if (board_->accepted != 0) board_->accepted = desk_->snapshot.version;
      board_->moved.set();
    }
  }
  // The edge's part: it counts, then cuts.
  io::Task<void> edge() {
    while (co_await board_->outgoing.wait()) {
      board_->outgoing.reset();
      for (const std::string& payload : std::exchange(board_->commands, {})) {
        const auto command = edge::decode_load_command(payload).value();
        commands_.push_back(command);
        board_->answers[command.id] = {.kind = edge::EdgeEvent::Kind::answered,
                                       .version = command.id,
                                       .subject = {},
                                       .detail = edge::encode_load(load_)};
      }
      board_->moved.set();
    }
  }
  io::Task<void> serve() {
    TrafficServer server(*board_, plan::control_socket(folder_, "unix:///engine", folder_));
    EXPECT_TRUE((co_await server.run()).has_value());
  }
  io::Task<void> arrange(Script (*test)(TrafficServerTest&, plan::Traffic&)) {
    io::Scope scope(co_await io::here());
    scope.spawn(core());
    scope.spawn(edge());
    board_->held = [this]() -> Result<void> {
      EXPECT_TRUE(desk_->republish(now_).value());
      board_->accepted = desk_->snapshot.version;
      return {};
    };
    scope.spawn(serve());
    EXPECT_TRUE((co_await io::sleep_for(1ms)).has_value());  // until it listens
    const auto traffic = plan::traffic_by_sockets({folder_, folder_ + "/none"}, "unix:///engine");
    co_await test(*this, *traffic);
    scope.cancel();
    co_await scope.join();
  }
  void run(Script (*test)(TrafficServerTest&, plan::Traffic&)) { loop_.run(arrange(test)); }

 public:
  std::chrono::sys_seconds now_{std::chrono::seconds(1'800'000'000)};
  std::string folder_;
  io::Loop loop_;
  std::unique_ptr<Desk> desk_;
  std::unique_ptr<Switchboard> board_;
  Json engine_ = Json::array();
  edge::Load load_{};
  std::vector<edge::LoadCommand> commands_;

  /// One replaces the other; both listen.
  void put_two(const Program& old, bool running = true) {
    Json first = container("old", "127.77.0.2"), second = container("new", "127.77.0.3", "old");
    expose(first, old.port());
    expose(second, old.port());
    if (!running) second.set("State", "exited");
    engine_ = Json::array({first, second});
  }
  std::vector<std::string> served() const {
    std::vector<std::string> out;
    for (const auto& service : desk_->snapshot.services)
      for (const auto& upstream : service.upstreams) out.push_back(upstream.target);
    return out;
  }
};

using Names = std::vector<std::string>;

Script hands_over(TrafficServerTest& world, plan::Traffic& traffic) {
  const Program old(world.loop_, "127.77.0.2", 0);
  world.put_two(old);
  const auto view = co_await traffic.view();
  EXPECT_TRUE(view.edge);
  EXPECT_EQ(view.routed, (decltype(view.routed){{"old", {old.port()}}}));
  EXPECT_EQ(world.served(), Names{"old"});
  // It does not listen yet: no request goes to it, however long it takes.
  const auto early = co_await traffic.route("new", 1s);
  EXPECT_EQ(early.error().code, Code::timeout);
  EXPECT_TRUE(early.error().message.starts_with("it accepted no connection at 127.77.0.3:")) << early.error().message;
  EXPECT_EQ(world.served(), Names{"old"});
  const Program next(world.loop_, "127.77.0.3", old.port());
  EXPECT_EQ((co_await traffic.route("new", 5s)).value(), plan::Routing::routed);
  EXPECT_EQ(world.served(), (Names{"new", "old"}));
  // Requests that are under way hold it until the bound.
  world.board_->leaving.insert(
      edge::upstream_key({.host = "127.77.0.2", .port = old.port(), .tls = false, .target = {}}));
  EXPECT_EQ((co_await traffic.drain("old", 1s)).value(), plan::Drained::forced);
  EXPECT_EQ(world.served(), Names{"new"});
  EXPECT_TRUE(world.commands_.back().cut);
  EXPECT_EQ(world.commands_.back().upstreams, std::vector<std::string>{*world.board_->leaving.begin()});
  world.board_->leaving.clear();
  EXPECT_EQ((co_await traffic.drain("old", 5s)).value(), plan::Drained::empty);
  // Back again.
  EXPECT_EQ((co_await traffic.route("old", 5s)).value(), plan::Routing::routed);
  EXPECT_EQ((co_await traffic.drain("new", 5s)).value(), plan::Drained::empty);
  EXPECT_EQ(world.served(), Names{"old"});
}
TEST_F(TrafficServerTest, HandsOver) {
  run(hands_over);
}

Script keeps_the_last_one(TrafficServerTest& world, plan::Traffic& traffic) {
  const Program old(world.loop_, "127.77.0.2", 0);
  world.put_two(old, false);
  EXPECT_TRUE((co_await traffic.view()).edge);
  const auto dead = co_await traffic.route("new", 5s);
  EXPECT_EQ(dead.error().code, Code::conflict);
  EXPECT_EQ(dead.error().message, "container new is not running");
  const auto alone = co_await traffic.drain("old", 5s);
  EXPECT_EQ(alone.error().message, "no other container answers its requests");
  EXPECT_EQ(world.served(), Names{"old"});
  EXPECT_EQ((co_await traffic.route("nobody", 5s)).error().message, "the container is gone");
}
TEST_F(TrafficServerTest, KeepsTheLastOne) {
  run(keeps_the_last_one);
}

Script tells_what_labels_mean(TrafficServerTest& world, plan::Traffic& traffic) {
  const Program old(world.loop_, "127.77.0.2", 0);
  world.put_two(old);
  world.engine_.items_mut()[1].slot("Labels").set("traefik.enable", "false");
  EXPECT_TRUE((co_await traffic.view()).edge);
  EXPECT_EQ((co_await traffic.route("new", 5s)).value(), plan::Routing::none);
  world.engine_.items_mut()[1].slot("Labels").set("traefik.enable", "true");
  world.engine_.items_mut()[1].slot("Labels").set("traefik.http.services.web.loadbalancer.server.port", "none");
  const auto wrong = co_await traffic.route("new", 5s);
  EXPECT_EQ(wrong.error().code, Code::conflict);
  EXPECT_TRUE(wrong.error().message.contains("\"none\" is not a port")) << wrong.error().message;
}
TEST_F(TrafficServerTest, TellsWhatLabelsMean) {
  run(tells_what_labels_mean);
}

Script pauses_and_resumes(TrafficServerTest& world, plan::Traffic& traffic) {
  const Program old(world.loop_, "127.77.0.2", 0);
  world.put_two(old);
  co_await traffic.view();
  const std::string socket = plan::control_socket(world.folder_, "unix:///engine", world.folder_);
  plan::ControlRequest request{.what = plan::ControlRequest::What::hold,
                               .most = 1s,
                               .hold = {.verb = "pause", .name = "shop.localhost", .limit = 20s, .count = 7}};
  world.load_ = {.running = 3, .lasting = 2};
  const auto paused = co_await plan::ask_control(socket, request);
  EXPECT_EQ(paused.value()["services"].dump(), R"(["web-shop"])");
  EXPECT_EQ(paused.value()["running"].integer(), 3);
  EXPECT_EQ(paused.value()["lasting"].integer(), 2);
  EXPECT_FALSE(paused.value()["cut"].boolean());
  const edge::Hold wanted{.message = {}, .most = 20s, .count = 7};
  EXPECT_EQ(world.desk_->snapshot.services[0].hold, wanted);
  EXPECT_EQ(world.desk_->describe()["services"].items()[0]["held"].text(), "paused, requests wait up to 20s");
  EXPECT_EQ(decode_holds(encode_holds(world.desk_->holds)).value(), world.desk_->holds);
  // By another name, with a message, and what lasts is cut.
  request.hold = {.verb = "stop", .name = "web", .message = "Closed.", .cut = true};
  const auto stopped = co_await plan::ask_control(socket, request);
  EXPECT_TRUE(stopped.value()["cut"].boolean());
  EXPECT_TRUE(world.commands_.back().cut);
  EXPECT_EQ(world.desk_->snapshot.services[0].hold->message, "Closed.");
  request.hold = {.verb = "resume", .name = "web-shop"};
  world.load_ = {.held = 5};
  const auto resumed = co_await plan::ask_control(socket, request);
  EXPECT_EQ(resumed.value()["waiting"].integer(), 5);
  EXPECT_FALSE(world.desk_->snapshot.services[0].hold);
  request.hold.name = "other";
  EXPECT_EQ((co_await plan::ask_control(socket, request)).error().code, Code::not_found);
  request.hold = {.verb = "dance", .name = "web"};
  EXPECT_EQ((co_await plan::ask_control(socket, request)).error().code, Code::invalid);
}
TEST_F(TrafficServerTest, PausesAndResumes) {
  run(pauses_and_resumes);
}

Script is_no_edge(TrafficServerTest& world, plan::Traffic& traffic) {
  world.board_->accepted = 0;
  const auto view = co_await traffic.view();
  EXPECT_FALSE(view.edge);
  EXPECT_EQ(view.why, "the edge of berth serve is not running");
  const auto none = plan::traffic_by_sockets({world.folder_}, "unix:///another");
  EXPECT_EQ((co_await none->view()).why, "no berth serve answers for this engine");
  // What is no question gets an answer too.
  io::UnixDialer dialer(plan::control_socket(world.folder_, "unix:///engine", world.folder_));
  const auto stream = (co_await dialer.dial()).value();
  EXPECT_TRUE((co_await io::write_all(*stream, "{\"do\": \"dance\"}\n")).has_value());
  const auto reply = plan::decode_control_reply((co_await plan::read_control_line(*stream)).value());
  EXPECT_EQ(reply.error().code, Code::invalid);
}
TEST_F(TrafficServerTest, IsNoEdge) {
  run(is_no_edge);
}

}  // namespace
}  // namespace berth::app
