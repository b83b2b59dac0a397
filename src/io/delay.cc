#include "io/delay.h"

namespace berth::io {

void Delayed::remove() noexcept {
  if (!queue_) return;
  (previous_ ? previous_->next_ : queue_->first_) = next_;
  (next_ ? next_->previous_ : queue_->last_) = previous_;
  previous_ = next_ = nullptr;
  queue_ = nullptr;
}

DelayQueue::~DelayQueue() {
  while (first_) first_->remove();
}

void DelayQueue::add(Delayed& each) {
  each.queue_ = this;
  each.since_ = loop_.now();
  each.previous_ = last_;
  (last_ ? last_->next_ : first_) = &each;
  last_ = &each;
  // One that is armed is armed for something earlier, or for what is gone: fire() looks.
  if (!armed()) arm(each.since_ + delay_);
}

void DelayQueue::set_delay(Duration delay) {
  if (delay == delay_) return;
  delay_ = delay;
  if (first_) arm(first_->since_ + delay_);
}

void DelayQueue::fire() {
  while (first_ && first_->since_ + delay_ <= loop_.now()) {
    Delayed& each = *first_;
    each.remove();
    each.expired();
  }
  if (first_) arm(first_->since_ + delay_);
}

}  // namespace berth::io
