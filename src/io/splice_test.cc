#include "io/splice.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "testing/simulation.h"

namespace berth::io {
namespace {

using std::chrono::seconds;

/// Both sides of a transfer, on a loop whose time is virtual: only the pipe is real.
class Side final : public Stream {
 public:
  std::size_t there = 0;  ///< bytes to read
  std::string taken;

  Attempt try_read(std::span<char>) override { return {Attempt::failed, 0}; }
  Attempt try_write(std::string_view) override { return {Attempt::failed, 0}; }
  bool splices() const override { return true; }
  Attempt try_splice_into(int pipe, std::size_t most) override {
    const std::string bytes(std::min(there, most), 'x');
    if (bytes.empty()) return {};
    there -= bytes.size();
    return ::write(pipe, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size())
               ? Attempt{Attempt::moved, bytes.size()}
               : Attempt{Attempt::failed, 0};
  }
  /// Takes a part only, each second time nothing.
  Attempt try_splice_from(int pipe, std::size_t most) override {
    if ((full_ = !full_)) return {};
    std::string bytes(std::min<std::size_t>(most, 7), '\0');
    const ssize_t count = ::read(pipe, bytes.data(), bytes.size());
    if (count <= 0) return {Attempt::failed, 0};
    taken.append(bytes, 0, static_cast<std::size_t>(count));
    return {Attempt::moved, static_cast<std::size_t>(count)};
  }
  WaitList& waiters(Direction) override { return waiters_; }
  bool ready_now(Direction direction) override { return direction == Direction::write; }
  void shutdown_write() override {}
  void close() override {}
  Error error() const override { return {Code::unavailable, "broken"}; }
  void give(std::size_t count) {
    there += count;
    waiters_.wake_all();
  }

 private:
  bool full_ = false;
  WaitList waiters_;
};

Task<void> give_slowly(Side& side) {
  for (int i = 0; i < 3; ++i) {
    (void)co_await sleep_for(seconds(4));
    side.give(10);
  }
}

/// What came of `count` bytes where 30 come, ten each four seconds, and a wait may take five.
Task<Result<std::uint64_t>> move_slowly(std::uint64_t count, std::string& taken) {
  Side from, to;
  Scope scope(co_await here());
  scope.spawn(give_slowly(from));
  auto moved = co_await splice(from, to, count, seconds(5));
  co_await scope.join();
  taken = to.taken;
  co_return moved;
}

TEST(Splice, WaitsForASlowSideAsLongAsItMovesNowAndThen) {
  const auto loop = testing::simulated_loop();
  std::string taken;
  EXPECT_EQ(loop->run(move_slowly(30, taken)).value(), 30u);
  EXPECT_EQ(taken, std::string(30, 'x'));
  EXPECT_EQ(loop->now().time_since_epoch(), seconds(12));
}

TEST(Splice, EndsAWaitThatTakesTooLong) {
  const auto loop = testing::simulated_loop();
  std::string taken;
  EXPECT_EQ(loop->run(move_slowly(31, taken)).error().code, Code::timeout);
  EXPECT_EQ(taken, std::string(30, 'x'));
  EXPECT_EQ(loop->now().time_since_epoch(), seconds(17));
}

}  // namespace
}  // namespace berth::io
