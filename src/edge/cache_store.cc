#include "edge/cache_store.h"

#include <algorithm>

#include "edge/cache_key.h"

namespace berth::edge {
namespace {

constexpr std::size_t kShardBytes = 64u << 20;
constexpr std::size_t kMostShards = 16;

constexpr std::size_t kMostSaving = 32u << 20;  // bytes of replies on their way to the disk

bool is_wanted(const CachePurge& purge, std::string_view key, const std::vector<std::string>& tags) {
  switch (purge.by) {
    case CachePurge::By::url:
      return key == purge.what;
    case CachePurge::By::prefix:
      return key.starts_with(purge.what);
    case CachePurge::By::tag:
      return std::ranges::find(tags, purge.what) != tags.end();
    case CachePurge::By::all:
      return true;
  }
  return false;
}

}  // namespace

/// Declared before the lock, so that the files go after it.
class CacheStore::Dropped {
 public:
  explicit Dropped(CacheDisk* disk) : disk_(disk) {}
  Dropped(const Dropped&) = delete;
  ~Dropped() {
    if (!gone_.empty()) disk_->remove(gone_);
  }
  void take(std::uint64_t hash) {
    if (disk_) gone_ = disk_->drop(hash);
  }
  void take(CacheDisk::Gone gone) { gone_ = std::move(gone); }

 private:
  CacheDisk* disk_;
  CacheDisk::Gone gone_;
};

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
  Dropped dropped(disk_.get());
  Locked& at = locked(hash);
  const std::lock_guard lock(at.mutex);
  const bool kept = !is_void(at, hash, ticket) && at.shard.put(key, hash, std::move(reply), garbage);
  dropped.take(hash);
  count(kept ? CacheCount::stored : CacheCount::refused);
  return kept;
}

bool CacheStore::replace(std::string_view key, std::uint64_t hash, const StoredReply& old, StoredReply reply,
                         const Ticket& ticket) {
  CacheShard::Garbage garbage;
  Dropped dropped(disk_.get());
  Locked& at = locked(hash);
  const std::lock_guard lock(at.mutex);
  dropped.take(hash);
  return !is_void(at, hash, ticket) && at.shard.replace(key, hash, old, std::move(reply), garbage);
}

void CacheStore::pass(std::string_view key, std::uint64_t hash, std::int64_t until) {
  CacheShard::Garbage garbage;
  Dropped dropped(disk_.get());
  Locked& at = locked(hash);
  const std::lock_guard lock(at.mutex);
  dropped.take(hash);
  at.shard.pass(key, hash, until, garbage);
}

std::size_t CacheStore::erase(std::string_view key) {
  const std::uint64_t code = hash(key);
  CacheShard::Garbage garbage;
  Dropped dropped(disk_.get());
  Locked& at = locked(code);
  const std::lock_guard lock(at.mutex);
  dropped.take(code);
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
  // First: what is fetched now was asked for before the purge, and is not stored any more. Until the end nothing goes
  // from the memory to the disk or back.
  purging_.fetch_add(1);
  purges_.fetch_add(1);
  const auto matches = [&](std::string_view key, const CacheObject& reply) {
    return is_wanted(purge, key, reply.tags);
  };
  for (const auto& at : shards_) {
    bool more = true;
    for (std::size_t place = 0; more;) {
      CacheShard::Garbage garbage;
      const std::lock_guard lock(at->mutex);
      more = at->shard.sweep(place, matches, dropped, garbage);
    }
  }
  if (disk_) disk_->purge([&](std::string_view key, const auto& tags) { return is_wanted(purge, key, tags); });
  purging_.fetch_sub(1);
  count(CacheCount::purged, dropped);
  return dropped;
}

bool CacheStore::load(std::string_view key, std::uint64_t hash, CacheMoment now) {
  const Ticket begun = ticket(hash);
  const CacheDisk::File file = disk_ ? disk_->find(key, hash) : 0;
  if (file == 0) return false;
  auto record = disk_->read(hash, file, now);
  if (!record || record->key != key) return false;
  CacheShard::Garbage garbage;
  Locked& at = locked(hash);
  const std::lock_guard lock(at.mutex);
  if (purging_.load() > 0 || is_void(at, hash, begun) || !disk_->is_at(key, hash, file)) return false;
  if (!at.shard.admit(key, hash, std::move(record->variants), garbage)) return false;
  count(CacheCount::loaded);
  return true;
}

void CacheStore::save(std::string_view key, std::uint64_t hash, const SharedVariants& variants, CacheMoment now) {
  if (!disk_) return;
  std::size_t bytes = 0;
  for (const StoredReply& each : *variants) bytes += each->footprint();
  if (saving_.fetch_add(bytes) + bytes <= kMostSaving) {
    const Ticket begun = ticket(hash);
    const std::string record = encode_record(key, *variants, now);
    auto head = decode_record_head(record);
    const auto file = head ? disk_->write(record) : Result<CacheDisk::File>(fail(head.error()));
    if (file) {
      Dropped dropped(disk_.get());
      Locked& at = locked(hash);
      const std::lock_guard lock(at.mutex);
      const bool moved = purging_.load() > 0 || is_void(at, hash, begun) || !at.shard.is_current(key, hash, variants);
      dropped.take(moved ? CacheDisk::Gone{*file} : disk_->keep(std::move(*head), hash, *file));
      if (!moved) count(CacheCount::saved);
    }
  }
  saving_.fetch_sub(bytes);
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
  if (disk_) totals.disk = disk_->totals();
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
  if (disk_) {
    json.set("disk_capacity", number(now.disk.capacity));
    json.set("disk_bytes", number(now.disk.bytes));
    json.set("disk_urls", number(now.disk.files));
  }
  for (std::size_t i = 0; i < now.counts.size(); ++i) json.set(kCacheCounts[i], number(now.counts[i]));
  return json;
}

}  // namespace berth::edge
