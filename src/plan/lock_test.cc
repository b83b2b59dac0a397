#include "plan/lock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/text.h"
#include "testing/fake_engine.h"
#include "testing/simulation.h"

namespace berth::plan {
namespace {

class LockTest : public ::testing::Test {
 protected:
  LockTest() {
    client_ = *loop_->run(engine::Client::connect(*engine::parse_address("unix:///fake"), engine_.dialer()));
  }
  ~LockTest() override {
    client_.reset();
    std::filesystem::remove_all(folder_);
  }
  Result<Lock> take(const std::string& project = "shop", const std::string& folder = "a") {
    return loop_->run(lock_project(*client_, {.project = project, .owner = "up", .folder = folder_ + '/' + folder}));
  }
  Result<std::string> clear() {
    return loop_->run(clear_dead_lock(*client_, {.project = "shop", .owner = "up", .folder = folder_ + "/a"}));
  }
  bool release(Lock& lock) { return loop_->run(lock.release(*client_)).has_value(); }
  Json labels() { return engine_.handle({.target = "/volumes/berth-lock_shop"}).json()["Labels"]; }
  /// A lock that somebody else left; what is "" in `change` is as in one of ours.
  void leave(Json change) {
    auto lock = take("shop", "somewhere");
    ASSERT_TRUE(lock);
    Json left = labels();
    ASSERT_TRUE(release(*lock));
    for (const auto& [name, value] : change.members()) left.set("berth.lock." + name, value);
    const Json body = Json::object({{"Name", "berth-lock_shop"}, {"Labels", left}});
    EXPECT_EQ(engine_.handle({.method = "POST", .target = "/volumes/create", .body = body.dump()}).status, 201);
  }

  std::string folder_ = std::filesystem::temp_directory_path() / ("berth-lock-test-" + std::to_string(getpid()));
  std::unique_ptr<io::Loop> loop_ = berth::testing::simulated_loop();
  berth::testing::FakeEngine engine_{*loop_};
  std::unique_ptr<engine::Client> client_;
};

TEST_F(LockTest, NamesItsOwnerOnTheEngine) {
  auto lock = take();
  ASSERT_TRUE(lock) << lock.error().message;
  EXPECT_EQ(lock->message(), "");
  EXPECT_EQ(labels()["berth.lock.owner"].text(), "up");
  EXPECT_EQ(labels()["berth.lock.pid"].text(), std::to_string(getpid()));
  EXPECT_FALSE(labels()["berth.lock.host"].text().empty());
  EXPECT_TRUE(release(*lock));
  EXPECT_TRUE(labels().is_null());
  EXPECT_FALSE(take()) << "others of this host wait for its end";
  lock = take("other");
  EXPECT_TRUE(take());
}

TEST_F(LockTest, GoesOnceTheEngineAnswersAgain) {
  auto lock = take();
  engine_.inject({.method = "DELETE", .path = "/volumes/*", .times = 4, .drop = true});
  EXPECT_TRUE(release(*lock));
  EXPECT_TRUE(labels().is_null());
}

TEST_F(LockTest, StaysWhereTheEngineIsGone) {
  auto lock = take();
  engine_.inject({.method = "DELETE", .path = "/volumes/*", .times = -1, .drop = true});
  const auto before = loop_->now();
  EXPECT_FALSE(release(*lock));
  EXPECT_LE(loop_->now() - before, std::chrono::seconds(10)) << "nobody waits for long";
}

TEST_F(LockTest, IsHeldByOneOnThisHost) {
  auto lock = take();
  const auto second = take();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::busy);
  EXPECT_NE(second.error().message.find("project \"shop\" is being changed"), std::string::npos);
  EXPECT_TRUE(take("other")) << "another project is free";
  EXPECT_TRUE(release(*lock));
}

TEST_F(LockTest, IsHeldByOneOnTheEngineWhateverTheFolder) {
  auto lock = take();
  const auto second = take("shop", "b");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::busy);
  EXPECT_NE(second.error().message.find("up (pid " + std::to_string(getpid())), std::string::npos)
      << second.error().message;
  EXPECT_TRUE(release(*lock));
}

TEST_F(LockTest, IsTakenOverFromADeadOwner) {
  leave(Json::object({{"pid", "99999999"}, {"owner", "deploy"}}));
  auto lock = take();
  ASSERT_TRUE(lock) << lock.error().message;
  EXPECT_TRUE(lock->message().starts_with("took over the lock of deploy (pid 99999999")) << lock->message();
  EXPECT_EQ(labels()["berth.lock.owner"].text(), "up");
}

TEST_F(LockTest, KnowsAReusedPidByItsStart) {
  leave(Json::object({{"start", "1"}}));
  EXPECT_TRUE(take());
}

TEST_F(LockTest, IsNeverTakenFromAnotherHost) {
  leave(Json::object({{"host", "elsewhere"}, {"pid", "99999999"}}));
  const auto lock = take();
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code, Code::busy);
  EXPECT_NE(lock.error().message.find("on elsewhere"), std::string::npos);
  EXPECT_NE(lock.error().message.find("docker volume rm berth-lock_shop"), std::string::npos);
  EXPECT_EQ(labels()["berth.lock.host"].text(), "elsewhere");
}

TEST_F(LockTest, LeavesNoFileLockBehindWhenTheEngineFails) {
  engine_.inject({.method = "POST", .path = "/volumes/create", .status = 500, .message = "no space"});
  const auto lock = take();
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().message, "no space");
  EXPECT_TRUE(take());
}

TEST_F(LockTest, OfADeadOwnerGoesWithoutAChange) {
  leave(Json::object({{"pid", "99999999"}, {"owner", "deploy"}}));
  const auto done = clear();
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_TRUE(done->starts_with("took over the lock of deploy (pid 99999999")) << *done;
  EXPECT_TRUE(labels().is_null());
  EXPECT_EQ(clear().value(), "");
  EXPECT_TRUE(take());
}

TEST_F(LockTest, OfALivingOrADistantOwnerStays) {
  {
    auto lock = take();
    EXPECT_EQ(clear().value(), "");
    EXPECT_FALSE(labels().is_null());
    EXPECT_TRUE(release(*lock));
  }
  leave(Json::object({{"host", "elsewhere"}, {"pid", "99999999"}}));
  EXPECT_EQ(clear().value(), "");
  EXPECT_EQ(labels()["berth.lock.host"].text(), "elsewhere");
}

TEST(Owner, SaysWhoItIs) {
  const Owner owner{.owner = "up", .host = "web1", .pid = 12, .time = 1'795'325'400};
  EXPECT_EQ(owner.text(), "up (pid 12 on web1, since 2026-11-22T05:30:00Z)");
}

}  // namespace
}  // namespace berth::plan
