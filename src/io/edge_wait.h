// Waiting for the next edge of a descriptor that is not a Stream: a listener, a connect under way, a pidfd.
#pragma once

#include "io/loop.h"

namespace berth::io {

/// `CO_TRY(co_await EdgeWait(descriptor.readers, descriptor.readable));` returns at once when `ready`.
class EdgeWait final : public Waiter {
 public:
  EdgeWait(WaitList& list, bool ready) : list_(list), ready_(ready) {}
  bool await_ready() const noexcept { return ready_; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> self) {
    if (!begin(self)) return false;
    list_.add(*this);
    return true;
  }
  Result<void> await_resume() const { return outcome(); }

 private:
  void detach() noexcept override { list_.remove(*this); }
  WaitList& list_;
  bool ready_;
};

}  // namespace berth::io
