#include "job/feed.h"

#include <gtest/gtest.h>

#include "testing/simulation.h"

namespace berth::job {
namespace {

using std::chrono::milliseconds;

struct FeedTest : ::testing::Test {
  std::unique_ptr<io::Loop> loop = berth::testing::simulated_loop();
  std::shared_ptr<Feed> make(Feed::Limits limits = {}, std::uint64_t first = 1) {
    return std::make_shared<Feed>(*loop, limits, first);
  }
  Follower::Batch next(Follower& follower, std::size_t most = 256) {
    auto batch = loop->run(follower.next(most));
    EXPECT_TRUE(batch);
    return batch ? *batch : Follower::Batch{};
  }
  static std::string texts(const Follower::Batch& batch) {
    std::string out;
    for (const auto& event : batch.events) out += event->text;
    return out;
  }
};

TEST_F(FeedTest, GivesEachFollowerEveryEventFromItsPlaceOn) {
  const auto feed = make();
  feed->publish("out", "a");
  Follower late(feed), early(feed, 0);
  feed->publish("out", "b");
  feed->publish("err", "c");
  EXPECT_EQ(texts(next(early, 2)), "ab");
  EXPECT_EQ(texts(next(early, 2)), "c");
  EXPECT_EQ(early.seen(), 3u);
  const auto batch = next(late);
  EXPECT_EQ(texts(batch), "bc");
  EXPECT_EQ(batch.events.back()->kind, "err");
  EXPECT_EQ(batch.events.back()->number, 3u);
}

TEST_F(FeedTest, TellsASlowFollowerHowManyItLost) {
  const auto feed = make({.events = 3});
  Follower slow(feed);
  for (int i = 0; i < 10; ++i) feed->publish("", std::to_string(i));
  const auto batch = next(slow);
  EXPECT_EQ(batch.lost, 7u);
  EXPECT_EQ(texts(batch), "789");
  feed->publish("", "x");
  EXPECT_EQ(next(slow).lost, 0u);
}

TEST_F(FeedTest, IsBoundedInBytesAndKeepsTheNewestWhateverItsSize) {
  const auto feed = make({.bytes = 10});
  for (int i = 0; i < 10; ++i) feed->publish("", "abcd");
  EXPECT_EQ(feed->next() - feed->oldest(), 2u);
  feed->publish("", std::string(100, 'x'));
  EXPECT_EQ(feed->next() - feed->oldest(), 1u);
}

TEST_F(FeedTest, ResumesAfterANumberAndRecognisesThoseOfAnotherLife) {
  const auto feed = make({.events = 2}, 1000);
  for (const char* text : {"a", "b", "c"}) feed->publish("", text);
  Follower known(feed, 1001), older(feed, 17), newer(feed, 5000);
  EXPECT_EQ(texts(next(known)), "c");
  const auto overtaken = next(older);
  EXPECT_EQ(overtaken.lost, 1001u - 18u);
  EXPECT_EQ(texts(overtaken), "bc");
  const auto other = next(newer);
  EXPECT_TRUE(other.reset);
  EXPECT_EQ(texts(other), "");
  feed->publish("", "d");
  EXPECT_EQ(texts(next(newer)), "d");
}

TEST_F(FeedTest, EndsAfterWhatIsLeft) {
  const auto feed = make();
  Follower follower(feed);
  feed->publish("", "a");
  feed->close();
  EXPECT_EQ(texts(next(follower)), "a");
  EXPECT_TRUE(next(follower).events.empty());
}

io::Task<void> count_batches(Feed& feed, Follower follower, int& batches, std::uint64_t& events) {
  while (events < 1000) {
    auto batch = co_await follower.next();
    if (!batch) break;
    ++batches;
    events += batch->events.size();
  }
  (void)feed;
}
io::Task<void> publish_many(std::shared_ptr<Feed> feed, int& batches, std::uint64_t& events) {
  io::Scope scope(co_await io::here());
  scope.spawn(count_batches(*feed, Follower(feed), batches, events));
  for (int i = 0; i < 1000; ++i) {
    (void)co_await io::sleep_for(milliseconds(1));
    feed->publish("", "x");
  }
  co_await scope.join();
}

TEST_F(FeedTest, WakesFollowersInBatches) {
  int batches = 0;
  std::uint64_t events = 0;
  loop->run(publish_many(make(), batches, events));
  EXPECT_EQ(events, 1000u);
  EXPECT_GE(batches, 90);
  EXPECT_LE(batches, 110);
}

struct Seen {
  std::uint64_t events = 0, lost = 0, last = 0;
};
io::Task<void> read_slowly(Follower follower, io::Duration pause, Seen& seen) {
  while (true) {
    auto batch = co_await follower.next();
    if (!batch || batch->events.empty()) break;
    EXPECT_EQ(batch->events.front()->number, seen.last + batch->lost + 1);
    seen.events += batch->events.size();
    seen.lost += batch->lost;
    seen.last = batch->events.back()->number;
    if (pause.count() > 0) (void)co_await io::sleep_for(pause);
  }
}
io::Task<void> publish_to_crowd(std::shared_ptr<Feed> feed, std::vector<Seen>& seen) {
  io::Scope scope(co_await io::here());
  for (std::size_t reader = 0; reader < seen.size(); ++reader)
    scope.spawn(read_slowly(Follower(feed), milliseconds(reader % 5 == 0 ? 300 : 0), seen[reader]));
  for (int turn = 0; turn < 500; ++turn) {
    (void)co_await io::sleep_for(milliseconds(1));
    for (int line = 0; line < 10; ++line) feed->publish("out", "a line of a log");
  }
  feed->close();
  co_await scope.join();
}

// 500 readers of 10,000 lines a second: who keeps up has all, and every line that a slow one did not get it was told
// of.
TEST_F(FeedTest, TellsEveryReaderOfEveryLine) {
  std::vector<Seen> seen(500);
  loop->run(publish_to_crowd(make({.events = 1000}), seen));
  for (std::size_t reader = 0; reader < seen.size(); ++reader) {
    EXPECT_EQ(seen[reader].events + seen[reader].lost, 5000u);
    EXPECT_EQ(seen[reader].lost > 0, reader % 5 == 0);
  }
}

io::Task<bool> wait_in_vain(std::shared_ptr<Feed> feed) {
  Follower follower(std::move(feed));
  auto batch = co_await io::within(milliseconds(50), follower.next());
  co_return !batch && batch.error().code == Code::timeout;
}

TEST_F(FeedTest, EndsAWaitWhenCancelled) {
  EXPECT_TRUE(loop->run(wait_in_vain(make())));
}

}  // namespace
}  // namespace berth::job
