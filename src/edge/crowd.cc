#include "edge/crowd.h"

#include <algorithm>

namespace berth::edge {
namespace {

constexpr std::size_t kOthers = 256;  // descriptors for listeners, files, the channel to core and the loops
constexpr std::size_t kMostOfOne = 10'000;

}  // namespace

Ip client_of(const Ip& ip) {
  Ip client = ip;
  if (!ip.is_v4()) std::fill(client.bytes.begin() + 8, client.bytes.end(), std::uint8_t{0});
  return client;
}

Crowd::Most Crowd::fitting(std::size_t descriptors) {
  // Where there are few, all else has to do with a quarter.
  const std::size_t others = std::min(kOthers, descriptors / 4);
  const std::size_t all = std::max<std::size_t>((descriptors - others) / 2, 1);
  return {.all = all, .each = std::clamp<std::size_t>(all / 8, 1, kMostOfOne)};
}

bool Crowd::Seat::name(const Ip& ip, std::size_t most) {
  client_ = client_of(ip);
  const std::lock_guard lock(crowd_->mutex_);
  std::uint32_t& count = crowd_->clients_[client_];  // never left at 0: `most` is at least 1
  if (count >= most) return false;
  ++count;
  named_ = true;
  return true;
}

Crowd::Seat::~Seat() {
  if (!crowd_) return;
  crowd_->open_.fetch_sub(1, std::memory_order_relaxed);
  if (!named_) return;
  const std::lock_guard lock(crowd_->mutex_);
  const auto found = crowd_->clients_.find(client_);
  if (--found->second == 0) crowd_->clients_.erase(found);
}

}  // namespace berth::edge
