#include "io/task.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "io/delay.h"
#include "io/scope.h"
#include "testing/simulation.h"

namespace berth::io {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

Task<int> answer() {
  co_return 42;
}
Task<int> add(int a, Task<int> b) {
  co_return a + co_await std::move(b);
}

TEST(Task, RunsWhenAwaitedAndReturnsItsValue) {
  const auto loop = testing::simulated_loop();
  EXPECT_EQ(loop->run(add(1, add(2, answer()))), 45);
}

Task<void> mark(bool& started) {
  started = true;
  co_return;
}

TEST(Task, DoesNothingBeforeItIsAwaited) {
  bool started = false;
  {
    const auto task = mark(started);
  }
  EXPECT_FALSE(started);
}

Task<int> deep(int depth) {
  if (depth == 0) co_return 0;
  co_return 1 + co_await deep(depth - 1);
}

TEST(Task, ChainsOfManyAwaitsUseNoStack) {
  const auto loop = testing::simulated_loop();
  EXPECT_EQ(loop->run(deep(20'000)), 20'000);
}

Task<void> wait_for_ever() {
  (void)co_await sleep_for(hours(24 * 365));
}

TEST(TaskDeathTest, DestroyingOneThatWaitsAborts) {
  EXPECT_DEATH(
      {
        const auto loop = testing::simulated_loop();
        auto task = wait_for_ever();
        Cancel cancel;
        task.start(Context{loop.get(), &cancel});
      },
      "a task was destroyed while it waits at .*task_test");
}

TEST(ScopeDeathTest, EndingWithoutJoinAborts) {
  EXPECT_DEATH(
      {
        const auto loop = testing::simulated_loop();
        Cancel cancel;
        Scope scope(Context{loop.get(), &cancel});
        scope.spawn(wait_for_ever());
      },
      "a scope ended before its tasks were joined");
}

Task<Result<void>> sleeps(std::vector<int>& log, int name, Duration duration) {
  CO_TRY(co_await sleep_for(duration));
  log.push_back(name);
  co_return Result<void>{};
}

Task<void> logged(std::vector<int>& log, int name, Duration duration) {
  const auto result = co_await sleeps(log, name, duration);
  if (!result) log.push_back(-name);
}

Task<void> three_sleepers(std::vector<int>& log) {
  Scope scope(co_await here());
  scope.spawn(logged(log, 3, seconds(3)));
  scope.spawn(logged(log, 1, seconds(1)));
  scope.spawn(logged(log, 2, seconds(2)));
  co_await scope.join();
}

TEST(Scope, JoinsChildrenInTheOrderOfTheirTimers) {
  const auto loop = testing::simulated_loop();
  std::vector<int> log;
  loop->run(three_sleepers(log));
  EXPECT_EQ(log, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(loop->now().time_since_epoch(), seconds(3));
}

Task<void> cancelled_sleepers(std::vector<int>& log) {
  Scope scope(co_await here());
  scope.spawn(logged(log, 1, seconds(1)));
  scope.spawn(logged(log, 2, hours(1)));
  (void)co_await sleep_for(seconds(2));
  scope.cancel();
  co_await scope.join();
}

TEST(Cancel, EndsTheWaitsOfAScopeAtOnce) {
  const auto loop = testing::simulated_loop();
  std::vector<int> log;
  loop->run(cancelled_sleepers(log));
  EXPECT_EQ(log, (std::vector<int>{1, -2}));
  EXPECT_EQ(loop->now().time_since_epoch(), seconds(2));
}

TEST(Cancel, TheRootReachesEveryTaskAndLaterWaitsEndToo) {
  const auto loop = testing::simulated_loop();
  loop->cancel().request();
  std::vector<int> log;
  loop->run(three_sleepers(log));
  EXPECT_EQ(log, (std::vector<int>{-3, -1, -2}));
  EXPECT_EQ(loop->now().time_since_epoch(), seconds(0));
}

Task<Result<void>> long_sleep() {
  co_return co_await sleep_for(hours(1));
}
Task<Result<Code>> deadline_code() {
  const auto result = co_await within(seconds(5), long_sleep());
  co_return result ? Code::internal : result.error().code;
}

TEST(Task, OneThatIsOkNeedsNoCoroutine) {
  auto loop = testing::simulated_loop();
  EXPECT_TRUE(ok().done());
  EXPECT_TRUE(loop->run(ok()));
  EXPECT_TRUE(loop->run([]() -> Task<bool> { co_return (co_await ok()) && (co_await within(seconds(1), ok())); }()));
}

class Note final : public Delayed {
 public:
  Note(Loop& loop, std::vector<std::pair<std::string, Duration>>& notes, std::string name)
      : loop_(loop), begun_(loop.now()), notes_(notes), name_(std::move(name)) {}

 private:
  void expired() override { notes_.emplace_back(name_, loop_.now() - begun_); }
  Loop& loop_;
  Time begun_;
  std::vector<std::pair<std::string, Duration>>& notes_;
  std::string name_;
};

Task<void> queue_delays(Loop& loop, std::vector<std::pair<std::string, Duration>>& notes) {
  DelayQueue queue(loop, seconds(10));
  Note first(loop, notes, "first"), second(loop, notes, "second"), third(loop, notes, "third");
  queue.add(first);
  queue.add(second);
  (void)co_await sleep_for(seconds(4));
  queue.add(third);
  second.remove();
  EXPECT_FALSE(second.waiting());
  {
    Note gone(loop, notes, "gone");
    queue.add(gone);
  }
  (void)co_await sleep_for(seconds(7));
  queue.add(second);
  EXPECT_TRUE(third.waiting());
  queue.set_delay(seconds(5));
  (void)co_await sleep_for(seconds(20));
}

TEST(DelayQueue, EndsEachWhenItsTimeIsOverUnlessItWent) {
  auto loop = testing::simulated_loop();
  std::vector<std::pair<std::string, Duration>> notes;
  loop->run(queue_delays(*loop, notes));
  // The shorter delay is over for the third at once, and counts for the second from when it was added (again).
  const std::vector<std::pair<std::string, Duration>> expected{
      {"first", seconds(10)}, {"third", seconds(11)}, {"second", seconds(16)}};
  EXPECT_EQ(notes, expected);
}

Task<void> heavy_worker(int& steps) {
  for (int i = 0; i < 20; ++i) {
    co_await heavy_turn();
    const Time until = Clock::now() + milliseconds(1);
    while (Clock::now() < until) {
    }
    ++steps;
  }
}

Task<void> beside_heavy_work(int& steps, std::vector<int>& seen) {
  Scope scope(co_await here());
  for (int i = 0; i < 5; ++i) scope.spawn(heavy_worker(steps));
  for (int i = 0; i < 10; ++i) {
    (void)co_await sleep_for(milliseconds(0));
    seen.push_back(steps);
  }
  co_await scope.join();
}

TEST(HeavyTurn, LetsOthersRunInBetween) {
  Loop loop;
  int steps = 0;
  std::vector<int> seen;
  loop.run(beside_heavy_work(steps, seen));
  EXPECT_EQ(steps, 100);
  for (std::size_t i = 1; i < seen.size(); ++i) EXPECT_LE(seen[i] - seen[i - 1], 2) << i;
}

/// Whoever asks it for the time has worked for 100 us.
class BusyPoller final : public Poller {
 public:
  explicit BusyPoller(int& waits) : waits_(waits) {}
  Time now() override { return time_ += std::chrono::microseconds(100); }
  void wait(std::optional<Duration>, Loop&) override { ++waits_; }
  void interrupt() override {}
  Result<void> add(Descriptor&) override { return {}; }
  void remove(Descriptor&) override {}

 private:
  int& waits_;
  Time time_{};
};

Task<void> note_at(std::vector<int>& order, int number) {
  order.push_back(number);
  co_return;
}
Task<void> note_heavily(std::vector<int>& order, int number) {
  co_await heavy_turn();
  order.push_back(number);
}
Task<void> be_busy(std::vector<int>& order) {
  Scope scope(co_await here());
  scope.spawn(note_heavily(order, -1));
  for (int i = 0; i < 100; ++i) scope.spawn(note_at(order, i));
  co_await scope.join();
}

TEST(Loop, LooksAroundAfterAMillisecondOfWork) {
  int waits = 0;
  std::vector<int> order;
  Loop loop(std::make_unique<BusyPoller>(waits));
  loop.run(be_busy(order));
  ASSERT_EQ(order.size(), 101u);
  EXPECT_GE(waits, 10);
  // Heavy work is not kept waiting by what is ready, and what is ready keeps its order.
  const auto heavy = std::ranges::find(order, -1);
  EXPECT_LT(heavy - order.begin(), 20);
  order.erase(heavy);
  EXPECT_TRUE(std::ranges::is_sorted(order));
}

TEST(Within, EndsWithTimeout) {
  const auto loop = testing::simulated_loop();
  EXPECT_EQ(loop->run(deadline_code()).value(), Code::timeout);
  EXPECT_EQ(loop->now().time_since_epoch(), seconds(5));
}

Task<Result<void>> cleanup(bool& cleaned) {
  CO_TRY(co_await sleep_for(seconds(1)));
  cleaned = true;
  co_return Result<void>{};
}
Task<Code> work_then_cleanup(bool& cleaned) {
  const auto worked = co_await long_sleep();
  (void)co_await shielded(cleanup(cleaned));
  co_return worked ? Code::internal : worked.error().code;
}
Task<Code> cancelled_work(bool& cleaned) {
  co_return co_await within(seconds(2), work_then_cleanup(cleaned));
}

TEST(Shielded, CleansUpAlthoughTheCallerIsCancelled) {
  const auto loop = testing::simulated_loop();
  bool cleaned = false;
  EXPECT_EQ(loop->run(cancelled_work(cleaned)), Code::timeout);
  EXPECT_TRUE(cleaned);
  EXPECT_EQ(loop->now().time_since_epoch(), seconds(3));
}

Task<Result<void>> slow_cleanup() {
  co_return co_await sleep_for(hours(1));
}
Task<Code> bounded_cleanup() {
  const auto result = co_await shielded(slow_cleanup());
  co_return result.error().code;
}

TEST(Shielded, HasADeadlineOfItsOwn) {
  const auto loop = testing::simulated_loop();
  EXPECT_EQ(loop->run(bounded_cleanup()), Code::timeout);
  EXPECT_EQ(loop->now().time_since_epoch(), seconds(5));
}

Task<void> hold(Semaphore& permits, int& inside, int& most) {
  if (!co_await permits.acquire()) co_return;
  most = std::max(most, ++inside);
  (void)co_await sleep_for(seconds(1));
  --inside;
  permits.release();
}
Task<int> ten_holders() {
  Semaphore permits(3);
  int inside = 0, most = 0;
  Scope scope(co_await here());
  for (int i = 0; i < 10; ++i) scope.spawn(hold(permits, inside, most));
  co_await scope.join();
  co_return most;
}

TEST(Semaphore, AdmitsAsManyAsItHasPermits) {
  const auto loop = testing::simulated_loop();
  EXPECT_EQ(loop->run(ten_holders()), 3);
  EXPECT_EQ(loop->now().time_since_epoch(), seconds(4));
}

Task<std::string> description(Loop& loop) {
  Scope scope(co_await here());
  scope.spawn(wait_for_ever());
  (void)co_await sleep_for(milliseconds(1));
  const std::string text = loop.describe();
  scope.cancel();
  co_await scope.join();
  co_return text;
}

TEST(Loop, DescribesEveryTaskWithItsAwaits) {
  const auto loop = testing::simulated_loop();
  const std::string text = loop->run(description(*loop));
  EXPECT_NE(text.find("description"), std::string::npos) << text;
  EXPECT_NE(text.find("wait_for_ever"), std::string::npos) << text;
  EXPECT_NE(text.find("task_test.cc:"), std::string::npos) << text;
}

Task<int> from_pool() {
  int value = 0;
  co_await on_pool([&value] { value = 7; });
  co_return value;
}

TEST(Pool, RunsBlockingWorkElsewhereAndComesBack) {
  Loop loop;
  EXPECT_EQ(loop.run(from_pool()), 7);
}

Task<Result<void>> transfer(Stream& from, Stream& to, std::string& got) {
  Scope scope(co_await here());
  CO_TRY(co_await write_all(from, "hello"));
  from.shutdown_write();
  got = CO_TRY(co_await read_to_end(to, 100));
  co_await scope.join();
  co_return Result<void>{};
}

TEST(Pool, WorksAtOnceInVirtualTime) {
  const auto loop = testing::simulated_loop();
  const auto here_thread = std::this_thread::get_id();
  std::thread::id ran{};
  loop->run([](std::thread::id& id) -> Task<void> {
    const Context context = co_await here();
    const Time before = context.loop->now();
    co_await on_pool([&id] { id = std::this_thread::get_id(); });
    EXPECT_EQ(context.loop->now(), before);
  }(ran));
  EXPECT_EQ(ran, here_thread);
}

TEST(MemoryStream, CarriesBytesAndTheEnd) {
  const auto loop = testing::simulated_loop();
  auto [first, second] = testing::stream_pair({.chunk = 1});
  std::string got;
  ASSERT_TRUE(loop->run(transfer(*second, *first, got)));
  EXPECT_EQ(got, "hello");
}

Task<Code> read_broken(Stream& from, Stream& to) {
  (void)co_await write_all(from, "hello");
  char buffer[8];
  (void)co_await read_some(to, buffer);
  const auto second = co_await read_some(to, buffer);
  co_return second ? Code::internal : second.error().code;
}

TEST(MemoryStream, BreaksWhereItIsTold) {
  const auto loop = testing::simulated_loop();
  auto [first, second] = testing::stream_pair({.break_after = 3});
  EXPECT_EQ(loop->run(read_broken(*second, *first)), Code::unavailable);
}

}  // namespace
}  // namespace berth::io
