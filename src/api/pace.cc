#include "api/pace.h"

#include <algorithm>
#include <cmath>

namespace berth::api {
namespace {

constexpr std::size_t kMostBuckets = 10'000;
constexpr std::string_view kShared = "others";

}  // namespace

void Pace::refill(Bucket& bucket, Instant now) const {
  const double passed = std::chrono::duration<double>(now - bucket.at).count();
  bucket.left = std::min(allowance_.burst, bucket.left + passed * allowance_.per_second);
  bucket.at = now;
}

void Pace::forget_full(Instant now) {
  if (now < next_look_) return;
  next_look_ = now + std::chrono::seconds(1);
  for (auto at = buckets_.begin(); at != buckets_.end();) {
    refill(at->second, now);
    at = at->second.left >= allowance_.burst ? buckets_.erase(at) : std::next(at);
  }
}

std::chrono::seconds Pace::take(std::string_view key, Instant now) {
  auto at = buckets_.find(key);
  if (at == buckets_.end()) {
    if (buckets_.size() >= kMostBuckets) forget_full(now);
    const std::string_view used = buckets_.size() >= kMostBuckets ? kShared : key;
    at = buckets_.try_emplace(std::string(used), Bucket{.left = allowance_.burst, .at = now}).first;
  }
  Bucket& bucket = at->second;
  refill(bucket, now);
  if (bucket.left >= 1) {
    bucket.left -= 1;
    return std::chrono::seconds(0);
  }
  return std::chrono::seconds(std::max(1, static_cast<int>(std::ceil((1 - bucket.left) / allowance_.per_second))));
}

}  // namespace berth::api
