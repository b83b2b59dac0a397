#include "edge/cache_store.h"

#include <algorithm>

#include "edge/cache_key.h"

namespace berth::edge {
namespace {

constexpr std::size_t kShardBytes = 64u << 20;
constexpr std::size_t kMostShards = 16;

bool is_wanted(const CachePurge& purge, std::string_view key, const CacheObject& reply) {
  switch (purge.by) {
    case CachePurge::By::url:
      return key == purge.what;
    case CachePurge::By::prefix:
      return key.starts_with(purge.what);
    case CachePurge::By::tag:
      return std::ranges::find(reply.tags, purge.what) != reply.tags.end();
    case CachePurge::By::all:
      return true;
  }
  return false;
}

}  // namespace

CacheStore::CacheStore(std::size_t capacity, std::uint64_t seed) : capacity_(capacity), seed_(seed) {
  const std::size_t count = std::clamp<std::size_t>(capacity / kShardBytes, 1, kMostShards);
  for (std::size_t i = 0; i < count; ++i) shards_.push_back(std::make_unique<Locked>(capacity / count));
}

std::uint64_t CacheStore::hash(std::string_view key) const {
  return cache_hash(key, seed_);
}

CacheFound CacheStore::find(std::string_view key, std::uint64_t hash) {
  Locked& at = locked(hash);
  const std::lock_guard lock(at.mutex);
  return at.shard.find(key, hash);
}

CacheStore::Ticket CacheStore::ticket(std::uint64_t hash) {
  Locked& at = locked(hash);
  const std::lock_guard lock(at.mutex);
  return {.purges = purges_.load(), .erasures = at.erasures};
}

bool CacheStore::is_void(const Locked& at, std::uint64_t hash, const Ticket& ticket) const {
  const std::uint64_t since = at.erasures - ticket.erasures;
  if (ticket.purges != purges_.load() || since > at.erased.size()) return true;
  for (std::uint64_t i = 0; i < since; ++i) {
    if (at.erased[(ticket.erasures + i) % at.erased.size()] == hash) return true;
  }
  return false;
}

bool CacheStore::is_current(std::uint64_t hash, const Ticket& ticket) {
  Locked& at = locked(hash);
  const std::lock_guard lock(at.mutex);
  return !is_void(at, hash, ticket);
}

bool CacheStore::put(std::string_view key, std::uint64_t hash, StoredReply reply, const Ticket& ticket) {
  CacheShard::Garbage garbage;  // destroyed after the lock
  Locked& at = locked(hash);
  const std::lock_guard lock(at.mutex);
  const bool kept = !is_void(at, hash, ticket) && at.shard.put(key, hash, std::move(reply), garbage);
  count(kept ? CacheCount::stored : CacheCount::refused);
  return kept;
}

bool CacheStore::replace(std::string_view key, std::uint64_t hash, const StoredReply& old, StoredReply reply,
                         const Ticket& ticket) {
  CacheShard::Garbage garbage;
  Locked& at = locked(hash);
  const std::lock_guard lock(at.mutex);
  return !is_void(at, hash, ticket) && at.shard.replace(key, hash, old, std::move(reply), garbage);
}

void CacheStore::pass(std::string_view key, std::uint64_t hash, std::int64_t until) {
  CacheShard::Garbage garbage;
  Locked& at = locked(hash);
  const std::lock_guard lock(at.mutex);
  at.shard.pass(key, hash, until, garbage);
}

std::size_t CacheStore::erase(std::string_view key) {
  const std::uint64_t code = hash(key);
  CacheShard::Garbage garbage;
  Locked& at = locked(code);
  const std::lock_guard lock(at.mutex);
  at.erased[at.erasures++ % at.erased.size()] = code;
  return at.shard.erase(key, code, garbage);
}

std::size_t CacheStore::purge(const CachePurge& purge) {
  std::size_t dropped = 0;
  if (purge.by == CachePurge::By::url) {
    dropped = erase(purge.what);
    count(CacheCount::purged, dropped);
    return dropped;
  }
  // First: what is fetched now was asked for before the purge, and is not stored any more.
  purges_.fetch_add(1);
  const auto matches = [&](std::string_view key, const CacheObject& reply) { return is_wanted(purge, key, reply); };
  for (const auto& at : shards_) {
    bool more = true;
    for (std::size_t place = 0; more;) {
      CacheShard::Garbage garbage;
      const std::lock_guard lock(at->mutex);
      more = at->shard.sweep(place, matches, dropped, garbage);
    }
  }
  count(CacheCount::purged, dropped);
  return dropped;
}

bool CacheStore::reserve(std::size_t bytes) {
  const std::size_t before = incoming_.fetch_add(bytes, std::memory_order_relaxed);
  if (before + bytes <= capacity_ / 4) return true;
  release(bytes);
  return false;
}

CacheStore::Totals CacheStore::totals() const {
  Totals totals{.capacity = capacity_, .incoming = incoming_.load(std::memory_order_relaxed)};
  for (const auto& at : shards_) {
    const std::lock_guard lock(at->mutex);
    totals.bytes += at->shard.bytes();
    totals.keys += at->shard.keys();
    totals.evicted += at->shard.evicted();
  }
  for (std::size_t i = 0; i < counts_.size(); ++i) totals.counts[i] = counts_[i].load(std::memory_order_relaxed);
  return totals;
}

Json CacheStore::describe() const {
  const Totals now = totals();
  const auto number = [](std::uint64_t value) { return Json(static_cast<std::int64_t>(value)); };
  Json json = Json::object({{"capacity", number(now.capacity)},
                            {"bytes", number(now.bytes)},
                            {"incoming", number(now.incoming)},
                            {"urls", number(now.keys)},
                            {"evicted", number(now.evicted)}});
  for (std::size_t i = 0; i < now.counts.size(); ++i) json.set(kCacheCounts[i], number(now.counts[i]));
  return json;
}

}  // namespace berth::edge
