// Children that live no longer than their parent: nothing runs detached but through a Scope.
#pragma once

#include <functional>

#include "io/loop.h"

namespace berth::io {

/// Starts tasks and joins them. Destroying it before join() returned aborts the program.
///   Scope scope(co_await here());
///   scope.spawn(work(...));
///   co_await scope.join();
/// Thread: its loop's.
class Scope {
 public:
  explicit Scope(Context context) : loop_(*context.loop), cancel_(context.cancel) {}
  Scope(const Scope&) = delete;
  ~Scope();
  /// `task` starts in the loop's next turn and runs under this scope's cancellation.
  void spawn(Task<void> task);
  /// Cancels the children that run now and those that come; join() still has to be awaited.
  void cancel(Code why = Code::cancelled) { cancel_.request(why); }
  std::size_t running() const { return running_; }

  /// Waits until no child runs; is not ended by cancellation (the children are).
  auto join() { return Join{*this}; }

 private:
  struct Join {
    Scope& scope;
    bool await_ready() const noexcept { return scope.running_ == 0; }
    void await_suspend(std::coroutine_handle<> self) noexcept { scope.joiner_ = self; }
    void await_resume() const noexcept {}
  };
  struct Child;
  static Child supervise(Scope& scope, Task<void> task);
  void finished();

  Loop& loop_;
  Cancel cancel_;
  std::size_t running_ = 0;
  std::coroutine_handle<> joiner_;
};

/// Set once or many times; waiting on a set one returns at once.
class Event {
 public:
  bool is_set() const { return set_; }
  void set() {
    set_ = true;
    waiters_.wake_all();
  }
  void reset() { set_ = false; }
  /// co_await event.wait(): Result<void>, an error when cancelled.
  auto wait() { return Wait(*this); }

 private:
  struct Wait final : Waiter {
    explicit Wait(Event& event) : event_(event) {}
    bool await_ready() const noexcept { return event_.set_; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> self) {
      if (!begin(self)) return false;
      event_.waiters_.add(*this);
      return true;
    }
    Result<void> await_resume() const { return outcome(); }
    void detach() noexcept override { event_.waiters_.remove(*this); }
    Event& event_;
  };
  bool set_ = false;
  WaitList waiters_;
};

/// Counts permits; acquire() waits for one.
class Semaphore {
 public:
  explicit Semaphore(std::size_t permits) : permits_(permits) {}
  Task<Result<void>> acquire();
  void release();

 private:
  std::size_t permits_;
  Event free_;
};

/// Waits until the loop's time is `when`; an error when cancelled.
Task<Result<void>> sleep_until(Time when);
Task<Result<void>> sleep_for(Duration duration);

namespace detail {
/// Cancels `cancel` with Code::timeout.
class CancelTimer final : public Timer {
 public:
  CancelTimer(Loop& loop, Cancel& cancel) : Timer(loop), cancel_(cancel) {}

 private:
  void fire() override { cancel_.request(Code::timeout); }
  Cancel& cancel_;
};
}  // namespace detail

/// Runs `task` with at most `duration`: then its waits end with Code::timeout, and it returns what it makes of that.
template <class T>
Task<T> within(Duration duration, Task<T> task) {
  const Context context = co_await here();
  Cancel cancel(context.cancel);
  detail::CancelTimer timer(*context.loop, cancel);
  timer.arm(context.loop->now() + duration);
  co_return co_await std::move(task).under(cancel);
}
template <>
inline Task<void> within<void>(Duration duration, Task<void> task) {
  const Context context = co_await here();
  Cancel cancel(context.cancel);
  detail::CancelTimer timer(*context.loop, cancel);
  timer.arm(context.loop->now() + duration);
  co_await std::move(task).under(cancel);
}

/// For cleanup: runs `task` although the caller is cancelled, with at most `duration`.
template <class T>
Task<T> shielded(Task<T> task, Duration duration = std::chrono::seconds(5)) {
  const Context context = co_await here();
  Cancel cancel;
  detail::CancelTimer timer(*context.loop, cancel);
  timer.arm(context.loop->now() + duration);
  co_return co_await std::move(task).under(cancel);
}

/// Runs `function` on the pool of threads for blocking libraries and waits for it. It is not interrupted: a cancelled
/// caller waits for its end too, since it works on the caller's data.
Task<void> on_pool(std::function<void()> function);

}  // namespace berth::io
