#include "edge/rate.h"

#include <algorithm>

namespace berth::edge {
namespace {

constexpr std::size_t kMostClients = 65536;

}  // namespace

std::size_t SourceKey::Hash::operator()(const SourceKey& key) const {
  const std::string_view bytes(reinterpret_cast<const char*>(key.source.bytes.data()), key.source.bytes.size());
  return key.name * 31 + std::hash<std::string_view>()(bytes);
}

bool RateLimiter::allow(const RateLimit& limit, std::string_view name, const Ip& source, Time now) {
  if (limit.average == 0) return true;
  const auto interval = std::chrono::nanoseconds(limit.period) / limit.average;
  if (next_.size() >= kMostClients) {
    std::erase_if(next_, [&](const auto& each) { return each.second <= now; });
    if (next_.size() >= kMostClients) next_.clear();
  }
  Time& next = next_.try_emplace(SourceKey::of(name, source), now).first->second;
  if (next > now + interval * (limit.burst - 1)) return false;
  next = std::max(next, now) + interval;
  return true;
}

}  // namespace berth::edge
