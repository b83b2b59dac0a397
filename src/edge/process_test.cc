#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "edge/process_fixture.h"
#include "edge/saved_snapshot.h"
#include "io/file.h"

namespace berth::edge {
namespace {

using Kind = EdgeEvent::Kind;
using Test = io::Task<void>;

Snapshot snapshot_of(std::uint64_t version, std::string_view host) {
  Snapshot snapshot;
  snapshot.version = version;
  snapshot.services = {{.name = "gone", .upstreams = {}, .pass_host = true, .down = "no container"}};
  snapshot.routes = {{.name = "r",
                      .rule = "Host(`" + std::string(host) + "`)",
                      .priority = 0,
                      .listeners = {Listener::web},
                      .service = "gone",
                      .middlewares = {},
                      .warnings = {}}};
  return snapshot;
}

class EdgeProcessTest : public ::testing::Test {
 protected:
  EdgeProcessTest() : folder_(std::string(::testing::TempDir()) + "berth-edge-process-XXXXXX") {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
  }
  ~EdgeProcessTest() override { std::filesystem::remove_all(folder_); }
  std::string data() const { return folder_ + "/edge"; }

  std::string folder_;
  io::Loop loop_;
};

Test serves_what_core_sends(io::Loop& loop, std::string data) {
  Edge edge(loop, data);
  auto core = co_await edge.attach();
  co_await core->send(encode_snapshot(snapshot_of(1, "one.test")));
  EXPECT_EQ(co_await core->next(), (EdgeEvent{Kind::accepted, 1, "", ""}));
  EXPECT_EQ(co_await edge.ask("one.test"), 503);
  EXPECT_EQ(co_await edge.ask("two.test"), 404);
  co_await core->send(encode_snapshot(snapshot_of(2, "two.test")));
  EXPECT_EQ((co_await core->next()).version, 2u);
  EXPECT_EQ(co_await edge.ask("one.test"), 404);
  EXPECT_EQ(co_await edge.ask("two.test"), 503);
  // What is wrong is refused with the reason, and the old one serves on.
  Snapshot wrong = snapshot_of(3, "three.test");
  wrong.routes[0].rule = "Host(";
  co_await core->send(encode_snapshot(wrong));
  const EdgeEvent refused = co_await core->next();
  EXPECT_EQ(refused.kind, Kind::refused);
  EXPECT_TRUE(refused.detail.starts_with("route \"r\": rule:1:6: ")) << refused.detail;
  co_await core->send("not json");
  EXPECT_EQ((co_await core->next()).kind, Kind::refused);
  EXPECT_EQ(co_await edge.ask("two.test"), 503);
  EXPECT_EQ(edge.stop(), 0);
}

TEST_F(EdgeProcessTest, ServesWhatCoreSends) {
  loop_.run(serves_what_core_sends(loop_, data()));
  struct stat status{};
  ASSERT_EQ(::stat((data() + "/snapshot").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const auto log = io::read_file(data() + "/access.log").value();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 5);
  EXPECT_TRUE(log.contains(R"("host":"one.test","path":"/","status":503)")) << log;
}

Test outlives_core(io::Loop& loop, std::string data) {
  {
    Edge edge(loop, data);
    auto core = co_await edge.attach();
    co_await core->send(encode_snapshot(snapshot_of(5, "one.test")));
    EXPECT_EQ((co_await core->next()).version, 5u);
    core->close();  // as after kill -9
    EXPECT_EQ(co_await edge.ask("one.test"), 503);
    auto next = co_await edge.attach();
    EXPECT_EQ(co_await next->next(), (EdgeEvent{Kind::accepted, 5, "", ""}));
    co_await next->send(encode_snapshot(snapshot_of(1, "new.test")));
    EXPECT_EQ((co_await next->next()).version, 1u);
    EXPECT_EQ(co_await edge.ask("new.test"), 503);
    // A channel that is replaced while the old one still is open.
    auto last = co_await edge.attach();
    EXPECT_EQ((co_await last->next()).version, 1u);
    co_await last->send("\n");
    EXPECT_EQ((co_await last->next()).kind, Kind::refused);
  }
  // A new edge serves the last good snapshot before any core is there.
  Edge edge(loop, data);
  auto core = co_await edge.attach();
  EXPECT_EQ(co_await core->next(), (EdgeEvent{Kind::accepted, 1, "", ""}));
  EXPECT_EQ(co_await edge.ask("new.test"), 503);
}

TEST_F(EdgeProcessTest, OutlivesCore) {
  loop_.run(outlives_core(loop_, data()));
}

SnapshotPatch patch_to(std::uint64_t version, std::string_view before, std::string_view host) {
  return patch_between(snapshot_of(version - 1, before), snapshot_of(version, host));
}

Test follows_changes(io::Loop& loop, std::string data) {
  {
    Edge edge(loop, data, 2);
    auto core = co_await edge.attach();
    co_await core->send(encode_patch(patch_to(2, "one.test", "two.test")));
    EXPECT_EQ((co_await core->next()).detail, "snapshot: a change came, and nothing is in use");
    co_await core->send(encode_snapshot(snapshot_of(1, "one.test")));
    EXPECT_EQ((co_await core->next()).version, 1u);
    co_await core->send(encode_patch(patch_to(2, "one.test", "two.test")));
    EXPECT_EQ(co_await core->next(), (EdgeEvent{Kind::accepted, 2, "", ""}));
    EXPECT_EQ(co_await edge.ask("one.test"), 404);
    EXPECT_EQ(co_await edge.ask("two.test"), 503);
    // A change of another version than the one in use, and one that is wrong: nothing changes.
    co_await core->send(encode_patch(patch_to(2, "one.test", "no.test")));
    EXPECT_EQ(co_await core->next(),
              (EdgeEvent{Kind::refused, 0, "", "snapshot: a change of version 1 came, and 2 is in use"}));
    Snapshot wrong = snapshot_of(3, "two.test");
    wrong.routes[0].service = "no";
    co_await core->send(encode_patch(patch_between(snapshot_of(2, "two.test"), wrong)));
    EXPECT_EQ((co_await core->next()).detail, "route \"r\": service \"no\" does not exist");
    EXPECT_EQ(co_await edge.ask("two.test"), 503);
    co_await core->send(encode_patch(patch_to(3, "two.test", "three.test")));
    EXPECT_EQ((co_await core->next()).version, 3u);
  }
  Edge edge(loop, data);
  auto core = co_await edge.attach();
  EXPECT_EQ(co_await core->next(), (EdgeEvent{Kind::accepted, 3, "", ""}));
  EXPECT_EQ(co_await edge.ask("three.test"), 503);
}

TEST_F(EdgeProcessTest, FollowsChanges) {
  loop_.run(follows_changes(loop_, data()));
}

TEST_F(EdgeProcessTest, KeepsChangesInItsFile) {
  const std::string path = folder_ + "/snapshot";
  SavedSnapshot saved(path);
  EXPECT_EQ(saved.load().error().code, Code::not_found);
  Snapshot snapshot = snapshot_of(1, "one.test");
  auto live = Live::make(snapshot).value();
  // A sender may write JSON in any way.
  ASSERT_TRUE(saved.save("\n" + encode_snapshot(snapshot) + "\n", *live, true).has_value());
  const auto change = [&](std::string host) {
    Snapshot next = snapshot_of(snapshot.version + 1, host);
    const SnapshotPatch patch = patch_between(snapshot, next);
    live = live->changed(patch).value();
    snapshot = std::move(next);
    ASSERT_TRUE(saved.save(encode_patch(patch), *live, false).has_value());
    if (snapshot.version % 100 < 4) ASSERT_EQ(saved.load().value()->snapshot(), snapshot);
  };
  change("two.test");
  change("three.test");
  const std::string kept = io::read_file(path).value();
  EXPECT_EQ(std::ranges::count(kept, '\n'), 2);
  // A line that was not written whole is as if it were not there.
  ASSERT_TRUE(io::write_file(path, std::string_view(kept).substr(0, kept.size() - 5), 0600).has_value());
  EXPECT_EQ(saved.load().value()->version(), 2u);
  ASSERT_TRUE(io::write_file(path, kept + "\n{\"format\":2,\"version\":9,\"base\":8}", 0600).has_value());
  EXPECT_EQ(saved.load().value()->version(), 3u);
  ASSERT_TRUE(io::write_file(path, "{\"format\":2,\"version\":9,\"base\":8}", 0600).has_value());
  EXPECT_EQ(saved.load().error().message, "snapshot: the file begins with a change");
  // Changes do not make it grow without end.
  ASSERT_TRUE(saved.save(encode_snapshot(snapshot), *live, true).has_value());
  for (int i = 0; i < 400; ++i) {
    change("host-" + std::to_string(i) + ".test");
    ASSERT_LT(std::filesystem::file_size(path), 80'000u);
  }
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  // What a process before this one left is not built upon.
  SavedSnapshot other(path);
  ASSERT_TRUE(other.save("{}", *live, false).has_value());
  EXPECT_EQ(other.load().value()->snapshot(), snapshot);
}

Test takes_grafts(io::Loop& loop, std::string data) {
  const Snapshot two = snapshot_of(8, "two.test");
  SnapshotGraft graft{.version = 8, .routes = two.routes, .services = two.services};
  graft.routes[0].name = "own";
  {
    Edge edge(loop, data);
    auto core = co_await edge.attach();
    co_await core->send(encode_graft(graft));
    EXPECT_EQ((co_await core->next()).detail, "snapshot: something was to be added, and nothing is in use");
    co_await core->send(encode_snapshot(snapshot_of(1, "one.test")));
    EXPECT_EQ((co_await core->next()).version, 1u);
    co_await core->send(encode_graft(graft));
    EXPECT_EQ(co_await core->next(), (EdgeEvent{EdgeEvent::Kind::accepted, 8, "", ""}));
    EXPECT_EQ(co_await edge.ask("one.test"), 503);
    EXPECT_EQ(co_await edge.ask("two.test"), 503);
  }
  Edge edge(loop, data);
  auto core = co_await edge.attach();
  EXPECT_EQ((co_await core->next()).version, 8u) << "it is kept";
  EXPECT_EQ(co_await edge.ask("two.test"), 503);
}

TEST_F(EdgeProcessTest, TakesGrafts) {
  loop_.run(takes_grafts(loop_, data()));
}

Test serves_with_threads(io::Loop& loop, std::string data) {
  Edge edge(loop, data, 3);
  auto core = co_await edge.attach();
  for (std::uint64_t version = 1; version < 20; ++version) {
    co_await core->send(encode_snapshot(snapshot_of(version, "one.test")));
    EXPECT_EQ((co_await core->next()).version, version);
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(co_await edge.ask("one.test"), 503);
    }
  }
  EXPECT_EQ(edge.stop(), 0);
}

TEST_F(EdgeProcessTest, ServesWithThreads) {
  loop_.run(serves_with_threads(loop_, data()));
}

// An upstream that is named no more counts as leaving until the request that it has is answered.
Test tells_when_an_upstream_is_left(io::Loop& loop, std::string data, unsigned workers) {
  auto listener = io::Listener::open(loop, io::Address::parse("127.0.0.1:0").value()).value();
  Edge edge(loop, data, workers);
  auto core = co_await edge.attach();
  Snapshot snapshot = snapshot_of(1, "one.test");
  const Upstream upstream{.host = "127.0.0.1", .port = listener->address().port(), .tls = false, .target = "old"};
  snapshot.services[0].upstreams = {upstream};
  co_await core->send(encode_snapshot(snapshot));
  EXPECT_EQ((co_await core->next()).version, 1u);
  Browser browser((co_await io::connect(io::Address::parse(edge.web()).value())).value());
  EXPECT_TRUE(co_await browser.send(get("/", "", "one.test")));
  auto old = (co_await listener->accept()).value();
  char bytes[4096];
  EXPECT_GT((co_await io::read_some(*old, bytes)).value(), 0u);
  const std::string key = upstream_key(upstream);
  co_await core->send(encode_snapshot(snapshot_of(2, "one.test")));
  EXPECT_EQ(co_await core->next(), (EdgeEvent{Kind::leaving, 0, key, ""}));
  EXPECT_EQ(co_await core->next(), (EdgeEvent{Kind::accepted, 2, "", ""}));
  // Named again and dropped again: it is told both times.
  snapshot.version = 3;
  co_await core->send(encode_snapshot(snapshot));
  EXPECT_EQ(co_await core->next(), (EdgeEvent{Kind::left, 0, key, ""}));
  EXPECT_EQ((co_await core->next()).version, 3u);
  co_await core->send(encode_snapshot(snapshot_of(4, "one.test")));
  EXPECT_EQ((co_await core->next()).kind, Kind::leaving);
  EXPECT_EQ((co_await core->next()).version, 4u);
  EXPECT_EQ(co_await edge.ask("one.test"), 503);
  EXPECT_TRUE((co_await io::write_all(*old, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")).has_value());
  EXPECT_EQ((co_await browser.receive()).body, "ok");
  EXPECT_EQ(co_await core->next(), (EdgeEvent{Kind::left, 0, key, ""}));
}

TEST_F(EdgeProcessTest, TellsWhenAnUpstreamIsLeft) {
  loop_.run(tells_when_an_upstream_is_left(loop_, data(), 1));
  loop_.run(tells_when_an_upstream_is_left(loop_, data() + "-threads", 3));
}

TEST_F(EdgeProcessTest, SaysWhatItCannotDo) {
  auto listener = io::Listener::open(loop_, io::Address::parse("127.0.0.1:0").value()).value();
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run_edge({.web = {listener->address().text()}, .websecure = {}, .data = data()}), 1);
  const std::string message = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(message.starts_with("berth edge: cannot listen on 127.0.0.1:")) << message;
  EXPECT_EQ(run_edge({.web = {"nonsense"}, .websecure = {}, .data = data()}), 1);
  EXPECT_EQ(run_edge({.web = {}, .websecure = {}, .data = "/proc/none"}), 1);
}

TEST_F(EdgeProcessTest, StartsWithoutABrokenSnapshot) {
  ASSERT_TRUE(io::make_folder(data(), 0700).has_value());
  ASSERT_TRUE(io::write_file(data() + "/snapshot", "{\"format\":1", 0600).has_value());
  ::testing::internal::CaptureStderr();
  {
    Edge edge(loop_, data());
    EXPECT_EQ(edge.stop(), 0);
  }
  EXPECT_TRUE(::testing::internal::GetCapturedStderr().contains("/snapshot is not used: "));
}

}  // namespace
}  // namespace berth::edge
