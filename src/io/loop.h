// One event loop per thread: ready coroutines, timers, cancellation, descriptors. The same code runs on a simulated
// loop (testing/simulation.h) in virtual time.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "io/task.h"

namespace berth::io {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using Duration = Clock::duration;

class Loop;
class WaitList;

/// One suspended coroutine that waits for something outside itself; lives in that coroutine's frame. It ends either
/// by complete() from its source or by cancellation, never both. Thread: its loop's.
class Waiter {
 public:
  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  /// What it waited for happened: the coroutine runs in the loop's next turn.
  void complete();
  bool waiting() const { return handle_ != nullptr; }
  Loop& loop() const { return *context_.loop; }

 protected:
  ~Waiter() = default;
  /// Suspends `self`; false when its cancellation was requested already (then it must not suspend).
  template <class Promise>
  bool begin(std::coroutine_handle<Promise> self) {
    return begin(self, self.promise().context);
  }
  bool begin(std::coroutine_handle<> self, Context context);
  /// Cancelled: take yourself out of the source's books.
  virtual void detach() noexcept = 0;
  /// Nothing, or the error that await_resume returns for a cancelled wait.
  Result<void> outcome() const;

 private:
  friend class Cancel;
  friend class WaitList;
  void abandon(Code why);

  std::coroutine_handle<> handle_;
  Context context_;
  std::optional<Code> cancelled_;
  Waiter *cancel_previous_ = nullptr, *cancel_next_ = nullptr;
  Waiter *list_previous_ = nullptr, *list_next_ = nullptr;
};

/// The waiters of one source, first come first served.
class WaitList {
 public:
  WaitList() = default;
  WaitList(const WaitList&) = delete;
  bool empty() const { return first_ == nullptr; }
  void add(Waiter& waiter);
  void remove(Waiter& waiter) noexcept;
  /// Completes the first; false when there is none.
  bool wake_one();
  void wake_all();

 private:
  Waiter *first_ = nullptr, *last_ = nullptr;
};

/// A node of the cancellation tree; children are cancelled with it. Outlives everything that runs under it.
class Cancel {
 public:
  explicit Cancel(Cancel* parent = nullptr);
  Cancel(const Cancel&) = delete;
  ~Cancel();
  /// Every wait under it ends now with `why` (Code::cancelled or Code::timeout), and each later one at once.
  void request(Code why = Code::cancelled);
  bool requested() const { return why_.has_value(); }
  std::optional<Code> why() const { return why_; }

 private:
  friend class Waiter;
  std::optional<Code> why_;
  Cancel *parent_, *first_ = nullptr, *previous_ = nullptr, *next_ = nullptr;
  Waiter* waiters_ = nullptr;
};

/// Fires once at a time; inactive until armed. Destroying it disarms it.
class Timer {
 public:
  explicit Timer(Loop& loop) : loop_(loop) {}
  Timer(const Timer&) = delete;
  virtual ~Timer() { disarm(); }
  void arm(Time when);
  void disarm() noexcept;
  bool armed() const { return place_ != kNowhere; }

 protected:
  virtual void fire() = 0;

 private:
  friend class Loop;
  static constexpr std::size_t kNowhere = ~std::size_t{0};
  Loop& loop_;
  Time when_{};
  std::uint64_t order_ = 0;  // equal times fire in the order of arming
  std::size_t place_ = kNowhere;
};

/// One descriptor, registered edge-triggered for both directions. `readable`/`writable` are hints: true until a call
/// said EAGAIN (or came back short), true again when the kernel reports an edge.
struct Descriptor {
  int fd = -1;
  bool readable = true, writable = true;
  bool hung_up = false;  ///< the peer closed its side: a short read is not the end of what can be read
  WaitList readers, writers;
};

/// Where a loop's time and readiness come from.
class Poller {
 public:
  virtual ~Poller() = default;
  virtual Time now() = 0;
  /// Returns after at most `most` (none: for ever), or when something is ready, or after interrupt().
  virtual void wait(std::optional<Duration> most, Loop& loop) = 0;
  /// Any thread.
  virtual void interrupt() = 0;
  /// Whether its time is virtual: then nothing may run beside the loop, and on_pool() runs its work at once.
  virtual bool simulated() const { return false; }
  virtual Result<void> add(Descriptor& descriptor) = 0;
  virtual void remove(Descriptor& descriptor) = 0;
};

/// Thread: its own, but for post().
class Loop {
 public:
  Loop();  ///< on epoll
  explicit Loop(std::unique_ptr<Poller> poller);
  Loop(const Loop&) = delete;
  ~Loop();

  /// Runs `task` to its end on this thread and returns its result. Cancel it through cancel().
  template <class T>
  T run(Task<T> task) {
    if (task.done()) return task.result();  // ok()
    Frame& frame = task.start(Context{this, &root_});
    roots_.push_back(&frame);
    while (!task.done()) turn();
    std::erase(roots_, &frame);
    return task.result();
  }
  /// The root of the cancellation tree of run().
  Cancel& cancel() { return root_; }
  /// `function` runs on the loop's thread in one of its next turns. Any thread.
  void post(std::function<void()> function);
  /// Monotonic; read once per turn.
  Time now() const { return now_; }
  /// Resumes `coroutine` in the next turn, or when its turn comes: one takes a millisecond.
  void ready(std::coroutine_handle<> coroutine) { ready_.push_back(coroutine); }
  /// Resumes `coroutine` once the others had their turn, with what they left of its millisecond; at least one.
  void ready_for_heavy_work(std::coroutine_handle<> coroutine) { heavy_.push_back(coroutine); }
  Poller& poller() { return *poller_; }
  /// Every live task with the chain of its awaits, one a line.
  std::string describe() const;

 private:
  friend class Timer;
  friend class Scope;
  void turn();
  void fire_timers();
  void run_heavy();
  void place(std::size_t at, Timer* timer);
  void sift_up(std::size_t at);
  void sift_down(std::size_t at);
  static bool earlier(const Timer& a, const Timer& b);

  std::unique_ptr<Poller> poller_;
  Cancel root_;
  Time now_;
  std::vector<std::coroutine_handle<>> ready_, running_;
  std::deque<std::coroutine_handle<>> heavy_;
  std::vector<Timer*> timers_;  // binary heap
  std::uint64_t armed_ = 0;
  std::vector<Frame*> roots_;
  std::mutex mutex_;  // guards posted_
  std::vector<std::function<void()>> posted_;
};

/// `co_await heavy_turn();` before a step that computes for a fraction of a millisecond, as a TLS handshake does: a
/// thousand of them that are ready at once do not keep everybody else waiting. Not ended by cancellation.
struct HeavyTurn {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> self) {
    self.promise().context.loop->ready_for_heavy_work(self);
  }
  void await_resume() const noexcept {}
};
inline HeavyTurn heavy_turn() {
  return {};
}

}  // namespace berth::io
