// The memory store of a process: shards behind short locks, shared by all loops.
//
// One store, not one per loop: a reply is kept once however many loops there are, and is found by each. A lock is held
// for one look-up or one insertion, never over the destruction of what was evicted and never across a wait; a purge by
// prefix or tag walks a shard in steps of 64 buckets.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "edge/cache_claims.h"
#include "edge/cache_command.h"
#include "edge/cache_disk.h"
#include "edge/cache_shard.h"

namespace berth::edge {

/// Counters since the start. Of requests but for the last six.
enum class CacheCount {
  hit,
  stale,
  stand_in,
  miss,
  revalidated,
  collapsed,
  passed,
  stored,
  refused,
  purged,
  saved,
  loaded
};
inline constexpr std::array<std::string_view, 12> kCacheCounts = {"hit",         "stale",     "stand_in", "miss",
                                                                  "revalidated", "collapsed", "passed",   "stored",
                                                                  "refused",     "purged",    "saved",    "loaded"};

/// Any thread.
class CacheStore {
 public:
  /// `capacity` in bytes, of what is stored and of the bodies on their way in. `seed` is random.
  CacheStore(std::size_t capacity, std::uint64_t seed);

  /// A second home for what is asked for again; before any other use.
  void use_disk(std::unique_ptr<CacheDisk> disk) { disk_ = std::move(disk); }
  CacheDisk* disk() { return disk_.get(); }

  std::uint64_t hash(std::string_view key) const;
  CacheFound find(std::string_view key, std::uint64_t hash);

  /// What was valid when a request went out. A reply to it must not be stored when the key was purged meanwhile.
  struct Ticket {
    std::uint64_t purges = 0, erasures = 0;
  };
  Ticket ticket(std::uint64_t hash);
  /// Whether nothing was purged meanwhile.
  bool is_current(std::uint64_t hash, const Ticket& ticket);
  /// False when it is not kept: purged meanwhile, or too large.
  bool put(std::string_view key, std::uint64_t hash, StoredReply reply, const Ticket& ticket);
  bool replace(std::string_view key, std::uint64_t hash, const StoredReply& old, StoredReply reply,
               const Ticket& ticket);
  void pass(std::string_view key, std::uint64_t hash, std::int64_t until);
  std::size_t erase(std::string_view key);
  /// The number of replies that went. When it returns no later look-up finds one.
  std::size_t purge(const CachePurge& purge);

  // What the disk keeps is what the memory had last: a newer reply, a purge or a failure to store one takes it away.

  bool is_on_disk(std::string_view key, std::uint64_t hash) { return disk_ && disk_->find(key, hash) != 0; }
  /// Blocking. From the disk into the memory; false: it is not there any more.
  bool load(std::string_view key, std::uint64_t hash, CacheMoment now);
  /// Blocking. To the disk, if it is still what the memory has. Nothing while too much is on its way there already.
  void save(std::string_view key, std::uint64_t hash, const SharedVariants& variants, CacheMoment now);

  /// Room for a body on its way in: false when those together would take more than a quarter of the capacity.
  bool reserve(std::size_t bytes);
  void release(std::size_t bytes) { incoming_.fetch_sub(bytes, std::memory_order_relaxed); }
  /// The largest reply that could be kept.
  std::size_t largest() const { return capacity_ / shards_.size() / 4; }

  /// By the names of flights.
  CacheClaims& claims() { return claims_; }

  void count(CacheCount what, std::uint64_t times = 1) {
    counts_[static_cast<std::size_t>(what)].fetch_add(times, std::memory_order_relaxed);
  }
  struct Totals {
    std::size_t capacity = 0, bytes = 0, incoming = 0, keys = 0;
    std::uint64_t evicted = 0;
    CacheDisk::Totals disk{};
    std::array<std::uint64_t, kCacheCounts.size()> counts{};
  };
  Totals totals() const;
  /// The totals by name, for people.
  Json describe() const;

 private:
  struct Locked {
    explicit Locked(std::size_t capacity) : shard(capacity) {}
    mutable std::mutex mutex;
    CacheShard shard;
    std::array<std::uint64_t, 256> erased{};  ///< hashes, a ring
    std::uint64_t erasures = 0;
  };
  Locked& locked(std::uint64_t hash) const { return *shards_[(hash >> 40) % shards_.size()]; }
  bool is_void(const Locked& locked, std::uint64_t hash, const Ticket& ticket) const;
  /// Takes a key off the disk: the index while the shard is locked, the file when that ends.
  class Dropped;

  std::size_t capacity_;
  std::uint64_t seed_;
  std::vector<std::unique_ptr<Locked>> shards_;
  CacheClaims claims_;
  std::unique_ptr<CacheDisk> disk_;
  std::atomic<std::uint64_t> purges_{0}, purging_{0};  ///< begun, under way: but those of one URL
  std::atomic<std::size_t> saving_{0};
  std::atomic<std::size_t> incoming_{0};
  std::array<std::atomic<std::uint64_t>, kCacheCounts.size()> counts_{};
};

}  // namespace berth::edge
