// Deadlines that nearly nobody meets, for less than a timer each costs.
#pragma once

#include "io/loop.h"

namespace berth::io {

class DelayQueue;

/// Something that is to happen when the time of a DelayQueue is over. Destroying it, or remove(), prevents it.
class Delayed {
 public:
  Delayed() = default;
  Delayed(const Delayed&) = delete;
  virtual ~Delayed() { remove(); }
  void remove() noexcept;
  bool waiting() const { return queue_ != nullptr; }

 protected:
  virtual void expired() = 0;

 private:
  friend class DelayQueue;
  DelayQueue* queue_ = nullptr;
  Delayed *previous_ = nullptr, *next_ = nullptr;
  Time since_{};
};

/// Deadlines that all lie equally far ahead, as those that every request has and hardly any meets: adding and removing
/// one is a few pointers, and the loop's timer moves once per delay, not once per request. Outlives what waits in it.
class DelayQueue final : Timer {
 public:
  DelayQueue(Loop& loop, Duration delay) : Timer(loop), loop_(loop), delay_(delay) {}
  ~DelayQueue() override;
  /// `each` expires when the delay from now is over. REQUIRES: it does not wait.
  void add(Delayed& each);
  /// For those that wait already, too.
  void set_delay(Duration delay);

 private:
  friend class Delayed;
  void fire() override;
  Loop& loop_;
  Duration delay_;
  Delayed *first_ = nullptr, *last_ = nullptr;
};

}  // namespace berth::io
