#include "edge/tcp_peek.h"

#include <algorithm>

namespace berth::edge {

PeekedStream::PeekedStream(std::unique_ptr<io::Stream> below, std::string early, std::string peer)
    : below_(std::move(below)), early_(std::move(early)), peer_(peer.empty() ? below_->peer() : std::move(peer)) {}

io::Attempt PeekedStream::try_read(std::span<char> into) {
  if (early_.empty()) return below_->try_read(into);
  const std::size_t count = std::min(into.size(), early_.size() - read_);
  std::copy_n(early_.begin() + static_cast<std::ptrdiff_t>(read_), count, into.begin());
  read_ += count;
  if (read_ == early_.size()) std::string().swap(early_);
  return {io::Attempt::moved, count};
}

bool PeekedStream::ready_now(io::Direction direction) {
  return (direction == io::Direction::read && !early_.empty()) || below_->ready_now(direction);
}

void PeekedStream::close() {
  std::string().swap(early_);
  below_->close();
}

}  // namespace berth::edge
