#include "job/feed.h"

#include <algorithm>

namespace berth::job {
namespace {

std::size_t size_of(const FeedEvent& event) {
  return event.kind.size() + event.text.size();
}

}  // namespace

Feed::Feed(io::Loop& loop, Limits limits, std::uint64_t first)
    : loop_(loop), limits_(limits), next_(first), woken_(loop.now() - limits.pause), wake_(*this) {}

std::uint64_t Feed::publish(std::string kind, std::string text) {
  auto event = std::make_shared<const FeedEvent>(next_++, std::move(kind), std::move(text));
  bytes_ += size_of(*event);
  ring_.push_back(std::move(event));
  while (ring_.size() > limits_.events || (bytes_ > limits_.bytes && ring_.size() > 1)) {
    bytes_ -= size_of(*ring_.front());
    ring_.pop_front();
  }
  if (!wake_.armed()) wake_.arm(std::max(loop_.now(), woken_ + limits_.pause));
  return next_ - 1;
}

void Feed::close() {
  closed_ = true;
  wake();
}

void Feed::wake() {
  woken_ = loop_.now();
  changed_.set();
}

Follower::Follower(std::shared_ptr<Feed> feed, std::optional<std::uint64_t> after)
    : feed_(std::move(feed)), next_(feed_->next()) {
  if (!after) return;
  reset_ = *after >= feed_->next();
  if (!reset_) next_ = *after + 1;
}

io::Task<Result<Follower::Batch>> Follower::next(std::size_t most) {
  while (next_ == feed_->next() && !feed_->closed_ && !reset_) {
    feed_->changed_.reset();
    CO_TRY(co_await feed_->changed_.wait());
  }
  Batch batch{.reset = std::exchange(reset_, false)};
  if (next_ < feed_->oldest()) {
    batch.lost = feed_->oldest() - next_;
    next_ = feed_->oldest();
  }
  const auto from = static_cast<std::size_t>(next_ - feed_->oldest());
  const std::size_t count = std::min(most, feed_->ring_.size() - from);
  const auto first = feed_->ring_.begin() + static_cast<std::ptrdiff_t>(from);
  batch.events.assign(first, first + static_cast<std::ptrdiff_t>(count));
  next_ += count;
  co_return batch;
}

}  // namespace berth::job
