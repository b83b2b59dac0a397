// One part of the memory store: stored replies by key, S3-FIFO eviction, byte accounting. Pure.
//
// S3-FIFO: what is new waits in a small queue (a tenth of the bytes) and is thrown out when nobody asked again; only
// what was asked for twice reaches the main queue, where each further use buys one more round. A scan of a million URLs
// passes through the small queue and leaves the main one alone. What was thrown out of the small queue is remembered
// for a while by its hash alone (the ghosts): it goes straight to the main queue when it comes again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "edge/cache_object.h"

namespace berth::edge {

/// The replies of one URL that differ by route and Vary, the newest last.
using Variants = std::vector<StoredReply>;
using SharedVariants = std::shared_ptr<const Variants>;

/// What a look-up finds.
struct CacheFound {
  SharedVariants variants{};      ///< null: none
  std::int64_t passed_until = 0;  ///< ticks; until then requests for this key are not collapsed (hit-for-miss)
  bool again = false;             ///< the first look-up since they were put: they are worth to be kept elsewhere too
};

/// Thread: one at a time. What is dropped goes into `garbage`, for the caller to destroy when it holds no lock.
class CacheShard {
 public:
  using Garbage = std::vector<SharedVariants>;

  explicit CacheShard(std::size_t capacity);
  CacheShard(const CacheShard&) = delete;
  ~CacheShard();

  /// A look-up counts as a use.
  CacheFound find(std::string_view key, std::uint64_t hash);
  /// Adds a reply, in the place of the one that answers the same requests. False when it is larger than a quarter of
  /// the capacity.
  bool put(std::string_view key, std::uint64_t hash, StoredReply reply, Garbage& garbage);
  /// Puts `reply` in the place of `old` if that is still there; false otherwise.
  bool replace(std::string_view key, std::uint64_t hash, const StoredReply& old, StoredReply reply, Garbage& garbage);
  /// Puts back what was kept elsewhere. False when there is something by now, or it is too large.
  bool admit(std::string_view key, std::uint64_t hash, SharedVariants variants, Garbage& garbage);
  /// Whether these are what is there; no use.
  bool is_current(std::string_view key, std::uint64_t hash, const SharedVariants& variants);
  /// Remembers that the answers for the key cannot be stored.
  void pass(std::string_view key, std::uint64_t hash, std::int64_t until, Garbage& garbage);
  /// The number of replies that went.
  std::size_t erase(std::string_view key, std::uint64_t hash, Garbage& garbage);

  /// Goes through some keys and drops the replies that `matches` wants gone. `place` is where the walk is: 0 at its
  /// begin; false when it came round.
  using Match = std::function<bool(std::string_view key, const CacheObject& reply)>;
  bool sweep(std::size_t& place, const Match& matches, std::size_t& dropped, Garbage& garbage);

  std::size_t bytes() const { return small_.bytes + main_.bytes; }
  std::size_t keys() const { return nodes_.size(); }
  std::uint64_t evicted() const { return evicted_; }

 private:
  struct Node;
  struct Queue {
    Node *first = nullptr, *last = nullptr;  ///< in at the end, out at the front
    std::size_t bytes = 0;
  };
  Node* lookup(std::string_view key, std::uint64_t hash);
  Node& node_for(std::string_view key, std::uint64_t hash, Garbage& garbage);
  void link(Queue& queue, Node& node);
  void unlink(Node& node);
  void remove(Node& node, Garbage& garbage);
  void set_variants(Node& node, SharedVariants variants, Garbage& garbage);
  void make_room(const Node* keep, Garbage& garbage);
  bool evict_small(const Node* keep, Garbage& garbage);
  void evict_main(const Node* keep, Garbage& garbage);
  bool was_ghost(std::uint64_t hash);

  std::size_t capacity_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Node>> nodes_;
  Queue small_, main_;
  std::vector<std::uint32_t> ghosts_;  ///< by hash; a newer one takes an older one's place
  std::uint64_t evicted_ = 0;
  std::size_t swept_ = 0;  ///< buckets that there were when the walk began
};

}  // namespace berth::edge
