// Task<T>: a coroutine that starts when it is awaited and inherits loop and cancellation from the one that awaits it.
//
// Rules (each has a test):
//  - A Task is awaited once, or destroyed before it started; destroying one that waits aborts the program.
//  - It stays on its loop's thread; another thread reaches it through Loop::post().
//  - One that has nothing to wait for and succeeds may be ok(): no coroutine is made.
//  - Coroutine lambdas capture nothing: a capture dies with the closure, not with the coroutine. Pass parameters.
#pragma once

#include <coroutine>
#include <cstddef>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace berth::io {

class Loop;
class Cancel;

/// What a coroutine runs under.
struct Context {
  Loop* loop = nullptr;
  Cancel* cancel = nullptr;
};

/// The part of every coroutine frame that the runtime sees.
struct Frame {
  Context context;
  std::coroutine_handle<> continuation = std::noop_coroutine();
  Frame* child = nullptr;      ///< the Task it awaits now, for Loop::describe()
  std::source_location begun;  ///< where it was last suspended

  // Frames come from per-thread free lists: steady traffic allocates nothing.
  static void* operator new(std::size_t size);
  static void operator delete(void* frame, std::size_t size);
};

namespace detail {
[[noreturn]] void destroyed_while_waiting(const Frame& frame);

template <class T>
struct Slot {
  std::optional<T> value;
  template <class U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T take() { return std::move(*value); }
};
template <>
struct Slot<void> {
  void return_void() noexcept {}
  void take() noexcept {}
};

struct FinalAwaiter {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> finished) const noexcept {
    return finished.promise().continuation;
  }
  void await_resume() const noexcept {}
};
}  // namespace detail

template <class T = void>
class [[nodiscard]] Task {
 public:
  struct promise_type : Frame, detail::Slot<T> {
    Task get_return_object() noexcept { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    detail::FinalAwaiter final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { std::terminate(); }
    template <class Awaitable>
    Awaitable&& await_transform(Awaitable&& awaitable,
                                std::source_location at = std::source_location::current()) noexcept {
      begun = at;
      return static_cast<Awaitable&&>(awaitable);
    }
  };
  using Handle = std::coroutine_handle<promise_type>;

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})), started_(other.started_) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(started_, other.started_);
    return *this;
  }
  ~Task() {
    if (!handle_) return;
    if (started_ && !handle_.done()) detail::destroyed_while_waiting(handle_.promise());
    handle_.destroy();
  }

  class Awaiter {
   public:
    Awaiter(Task& task, Cancel* cancel) : task_(task), cancel_(cancel) {}
    bool await_ready() const noexcept { return kMayBeOk && !task_.handle_; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> parent) noexcept {
      auto& own = task_.handle_.promise();
      own.context = parent.promise().context;
      if (cancel_) own.context.cancel = cancel_;
      own.continuation = parent;
      parent_ = &parent.promise();
      parent_->child = &own;
      task_.started_ = true;
      return task_.handle_;
    }
    T await_resume() {
      if constexpr (kMayBeOk) {
        if (!task_.handle_) return T{};
      }
      parent_->child = nullptr;
      return task_.handle_.promise().take();
    }

   private:
    Task& task_;
    Cancel* cancel_;
    Frame* parent_ = nullptr;
  };
  Awaiter operator co_await() && noexcept { return Awaiter(*this, nullptr); }
  /// Awaits this task under another cancellation than the caller's: `co_await std::move(task).under(cancel)`.
  /// `cancel` outlives the await.
  Awaiter under(Cancel& cancel) && noexcept { return Awaiter(*this, &cancel); }

  /// For Loop::run: starts it under `context`; `done` and `result` follow. REQUIRES: not started.
  Frame& start(Context context) {
    handle_.promise().context = context;
    started_ = true;
    handle_.resume();
    return handle_.promise();
  }
  bool done() const noexcept { return (kMayBeOk && !handle_) || handle_.done(); }
  T result() {
    if constexpr (kMayBeOk) {
      if (!handle_) return T{};
    }
    return handle_.promise().take();
  }

 private:
  static constexpr bool kMayBeOk = std::is_same_v<T, Result<void>>;
  friend Task<Result<void>> ok() noexcept;
  explicit Task(Handle handle) noexcept : handle_(handle) {}
  Handle handle_;
  bool started_ = false;
};

/// A task that succeeded already.
inline Task<Result<void>> ok() noexcept {
  return Task<Result<void>>({});
}

/// `Context context = co_await here();`: what the awaiting coroutine runs under; never suspends.
struct Here {
  Context context;
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> self) noexcept {
    context = self.promise().context;
    return false;
  }
  Context await_resume() const noexcept { return context; }
};
inline Here here() {
  return {};
}

}  // namespace berth::io
