#include "io/scope.h"

#include <openssl/crypto.h>

#include <condition_variable>
#include <cstdio>
#include <deque>
#include <thread>

namespace berth::io {

// The coroutine around each child: owns it, tells the scope when it is finished, and frees itself.
struct Scope::Child {
  struct promise_type : Frame {
    Scope* scope;
    promise_type(Scope& owner, Task<void>&) : scope(&owner) { context = Context{&owner.loop_, &owner.cancel_}; }
    Child get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    struct Final {
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> self) const noexcept {
        Scope& owner = *self.promise().scope;
        std::erase(owner.loop_.roots_, static_cast<Frame*>(&self.promise()));
        self.destroy();
        owner.finished();
      }
      void await_resume() const noexcept {}
    };
    Final final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
  };
  std::coroutine_handle<promise_type> handle;
};

Scope::~Scope() {
  if (running_ == 0) return;
  std::fputs("berth: a scope ended before its tasks were joined\n", stderr);
  std::abort();
}

Scope::Child Scope::supervise(Scope&, Task<void> task) {
  co_await std::move(task);
}

void Scope::spawn(Task<void> task) {
  ++running_;
  Child child = supervise(*this, std::move(task));
  loop_.roots_.push_back(&child.handle.promise());
  loop_.ready(child.handle);
}

void Scope::finished() {
  if (--running_ == 0 && joiner_) loop_.ready(std::exchange(joiner_, nullptr));
}

Task<Result<void>> Semaphore::acquire() {
  while (permits_ == 0) {
    free_.reset();
    CO_TRY(co_await free_.wait());
  }
  --permits_;
  co_return Result<void>{};
}

void Semaphore::release() {
  ++permits_;
  free_.set();
}

namespace {
class Sleep final : public Waiter, Timer {
 public:
  Sleep(Loop& loop, Time when) : Timer(loop), when_(when) {}
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> self) {
    if (!begin(self)) return false;
    arm(when_);
    return true;
  }
  Result<void> await_resume() const { return outcome(); }

 private:
  void fire() override { complete(); }
  void detach() noexcept override { disarm(); }
  Time when_;
};

// A few threads, made at the first use and joined at exit.
class Pool {
 public:
  // What OpenSSL sets up at its first use on a thread that ends before the process it never frees.
  Pool() { OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, nullptr); }
  void run(std::function<void()> job) {
    std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    if (idle_ == 0 && threads_.size() < kMost) threads_.emplace_back([this] { work(); });
    changed_.notify_one();
  }
  ~Pool() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

 private:
  static constexpr std::size_t kMost = 4;
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      ++idle_;
      changed_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
      --idle_;
      if (jobs_.empty()) return;
      auto job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
      lock.lock();
    }
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool stop_ = false;
};

Pool& pool() {
  static Pool instance;
  return instance;
}

struct PoolWait {
  std::function<void()>& function;
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> self) {
    Loop* loop = self.promise().context.loop;
    if (loop->poller().simulated()) {
      function();
      return false;
    }
    pool().run([this, loop, self] {
      function();
      loop->post([loop, self] { loop->ready(self); });
    });
    return true;
  }
  void await_resume() const noexcept {}
};
}  // namespace

Task<Result<void>> sleep_until(Time when) {
  const Context context = co_await here();
  co_return co_await Sleep(*context.loop, when);
}

Task<Result<void>> sleep_for(Duration duration) {
  const Context context = co_await here();
  co_return co_await Sleep(*context.loop, context.loop->now() + duration);
}

Task<void> on_pool(std::function<void()> function) {
  co_await PoolWait{function};
}

}  // namespace berth::io
