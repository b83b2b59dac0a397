#include "edge/limits.h"

namespace berth::edge {

bool Limits::allow(const RateLimit& limit, std::string_view name, const Ip& source, Time now) {
  const std::lock_guard lock(mutex_);
  return rates_.allow(limit, name, source, now);
}

bool Limits::begin(std::string_view name, const Ip& source, std::uint64_t most) {
  const std::lock_guard lock(mutex_);
  const auto at = running_.try_emplace(SourceKey::of(name, source), 0).first;
  if (at->second >= most) return false;
  ++at->second;
  return true;
}

void Limits::end(std::string_view name, const Ip& source) {
  const std::lock_guard lock(mutex_);
  const auto at = running_.find(SourceKey::of(name, source));
  if (at != running_.end() && --at->second == 0) running_.erase(at);
}

}  // namespace berth::edge
