#include "edge/cache_shard.h"

#include <algorithm>
#include <utility>

namespace berth::edge {
namespace {

constexpr std::size_t kMostVariants = 32;
constexpr std::size_t kNodeBytes = 192;
constexpr std::size_t kGhosts = 4096;
constexpr std::size_t kSweep = 64;  // buckets at once: some microseconds
constexpr std::uint8_t kMostUses = 3;

std::uint32_t fingerprint(std::uint64_t hash) {
  return static_cast<std::uint32_t>(hash >> 32) | 1u;
}

}  // namespace

struct CacheShard::Node {
  std::string key;
  std::uint64_t hash = 0;
  SharedVariants variants;
  std::int64_t passed_until = 0;
  std::size_t bytes = 0;
  Queue* queue = nullptr;
  Node *previous = nullptr, *next = nullptr;
  std::uint8_t uses = 0;
  bool again = false;  ///< looked up since the variants came
};

CacheShard::CacheShard(std::size_t capacity) : capacity_(capacity), ghosts_(kGhosts) {}
CacheShard::~CacheShard() = default;

CacheShard::Node* CacheShard::lookup(std::string_view key, std::uint64_t hash) {
  const auto found = nodes_.find(hash);
  return found != nodes_.end() && found->second->key == key ? found->second.get() : nullptr;
}

CacheFound CacheShard::find(std::string_view key, std::uint64_t hash) {
  Node* node = lookup(key, hash);
  if (!node) return {};
  if (node->uses < kMostUses) ++node->uses;
  const bool first = node->variants && !std::exchange(node->again, true);
  return {.variants = node->variants, .passed_until = node->passed_until, .again = first};
}

bool CacheShard::admit(std::string_view key, std::uint64_t hash, SharedVariants variants, Garbage& garbage) {
  std::size_t bytes = kNodeBytes + key.size();
  for (const StoredReply& each : *variants) bytes += each->footprint();
  if (bytes > capacity_ / 4) return false;
  Node& node = node_for(key, hash, garbage);
  if (node.variants) return false;
  set_variants(node, std::move(variants), garbage);
  node.again = true;
  return true;
}

bool CacheShard::is_current(std::string_view key, std::uint64_t hash, const SharedVariants& variants) {
  const Node* node = lookup(key, hash);
  return node && node->variants == variants;
}

void CacheShard::link(Queue& queue, Node& node) {
  node.queue = &queue;
  node.previous = queue.last;
  node.next = nullptr;
  (queue.last ? queue.last->next : queue.first) = &node;
  queue.last = &node;
  queue.bytes += node.bytes;
}

void CacheShard::unlink(Node& node) {
  (node.previous ? node.previous->next : node.queue->first) = node.next;
  (node.next ? node.next->previous : node.queue->last) = node.previous;
  node.queue->bytes -= node.bytes;
}

void CacheShard::remove(Node& node, Garbage& garbage) {
  unlink(node);
  if (node.variants) garbage.push_back(std::move(node.variants));
  nodes_.erase(node.hash);
}

bool CacheShard::was_ghost(std::uint64_t hash) {
  std::uint32_t& ghost = ghosts_[hash % kGhosts];
  return ghost == fingerprint(hash) && (ghost = 0, true);
}

CacheShard::Node& CacheShard::node_for(std::string_view key, std::uint64_t hash, Garbage& garbage) {
  if (Node* node = lookup(key, hash)) return *node;
  // Another key of the same hash, which the seed makes as likely as a broken disk: it goes.
  if (const auto other = nodes_.find(hash); other != nodes_.end()) remove(*other->second, garbage);
  auto node = std::make_unique<Node>();
  node->key = key;
  node->hash = hash;
  node->bytes = kNodeBytes + key.size();
  link(was_ghost(hash) ? main_ : small_, *node);
  return *nodes_.emplace(hash, std::move(node)).first->second;
}

void CacheShard::set_variants(Node& node, SharedVariants variants, Garbage& garbage) {
  std::size_t bytes = kNodeBytes + node.key.size();
  for (const StoredReply& each : *variants) bytes += each->footprint();
  node.queue->bytes += bytes - node.bytes;
  node.bytes = bytes;
  if (node.variants) garbage.push_back(std::move(node.variants));
  node.variants = std::move(variants);
  node.again = false;
  make_room(&node, garbage);
}

bool CacheShard::put(std::string_view key, std::uint64_t hash, StoredReply reply, Garbage& garbage) {
  if (reply->footprint() + key.size() + kNodeBytes > capacity_ / 4) return false;
  Node& node = node_for(key, hash, garbage);
  node.passed_until = 0;
  auto variants = std::make_shared<Variants>();
  std::size_t bytes = reply->footprint();
  const auto is_replaced = [&](const StoredReply& old) {
    return old->route == reply->route && old->selecting == reply->selecting && old->vary == reply->vary;
  };
  if (node.variants) {
    // From the newest on: the oldest go when there are too many, or they are too large together.
    for (auto old = node.variants->rbegin(); old != node.variants->rend(); ++old) {
      bytes += (*old)->footprint();
      if (variants->size() + 1 == kMostVariants || bytes > capacity_ / 4) break;
      if (!is_replaced(*old)) variants->push_back(*old);
    }
    std::ranges::reverse(*variants);
  }
  variants->push_back(std::move(reply));
  set_variants(node, std::move(variants), garbage);
  return true;
}

bool CacheShard::replace(std::string_view key, std::uint64_t hash, const StoredReply& old, StoredReply reply,
                         Garbage& garbage) {
  Node* node = lookup(key, hash);
  if (!node || !node->variants) return false;
  const auto at = std::ranges::find(*node->variants, old);
  if (at == node->variants->end()) return false;
  auto variants = std::make_shared<Variants>(node->variants->begin(), at);
  variants->insert(variants->end(), std::next(at), node->variants->end());
  variants->push_back(std::move(reply));
  set_variants(*node, std::move(variants), garbage);
  return true;
}

void CacheShard::pass(std::string_view key, std::uint64_t hash, std::int64_t until, Garbage& garbage) {
  node_for(key, hash, garbage).passed_until = until;
  make_room(nullptr, garbage);
}

std::size_t CacheShard::erase(std::string_view key, std::uint64_t hash, Garbage& garbage) {
  Node* node = lookup(key, hash);
  if (!node) return 0;
  const std::size_t count = node->variants ? node->variants->size() : 0;
  remove(*node, garbage);
  return count;
}

bool CacheShard::sweep(std::size_t& place, const Match& matches, std::size_t& dropped, Garbage& garbage) {
  // A rehash may have brought keys to where the walk was already.
  if (place == 0 || nodes_.bucket_count() != swept_) place = 0;
  swept_ = nodes_.bucket_count();
  std::vector<Node*> gone;
  const std::size_t end = std::min(place + kSweep, nodes_.bucket_count());
  for (std::size_t bucket = place; bucket < end; ++bucket) {
    for (auto at = nodes_.begin(bucket); at != nodes_.end(bucket); ++at) {
      Node& node = *at->second;
      const std::size_t count = node.variants ? node.variants->size() : 0;
      const auto wanted = [&](const StoredReply& each) { return matches(node.key, *each); };
      if (count == 0 || std::ranges::none_of(*node.variants, wanted)) continue;
      dropped += static_cast<std::size_t>(std::ranges::count_if(*node.variants, wanted));
      // The others of the URL go too: they are asked for again, which is cheap and never wrong.
      gone.push_back(&node);
    }
  }
  for (Node* node : gone) remove(*node, garbage);
  place = end;
  return end < nodes_.bucket_count();
}

bool CacheShard::evict_small(const Node* keep, Garbage& garbage) {
  Node* node = small_.first;
  if (node == keep) {
    if (!node->next) return false;
    node = node->next;
  }
  if (node->uses > 1) {
    unlink(*node);
    node->uses = 0;
    link(main_, *node);
    return true;
  }
  ghosts_[node->hash % kGhosts] = fingerprint(node->hash);
  ++evicted_;
  remove(*node, garbage);
  return true;
}

void CacheShard::evict_main(const Node* keep, Garbage& garbage) {
  while (Node* node = main_.first) {
    if (node == keep && !node->next) return;
    if (node != keep && node->uses == 0) {
      ++evicted_;
      return remove(*node, garbage);
    }
    if (node->uses > 0) --node->uses;
    unlink(*node);
    link(main_, *node);
  }
}

// `keep` was just put: it is not thrown out at once.
void CacheShard::make_room(const Node* keep, Garbage& garbage) {
  while (bytes() > capacity_) {
    const std::size_t before = bytes(), count = nodes_.size();
    const bool small = small_.first && (small_.bytes > capacity_ / 10 || !main_.first);
    if ((!small || !evict_small(keep, garbage)) && main_.first) evict_main(keep, garbage);
    const bool stuck = bytes() == before && nodes_.size() == count && (!main_.first || !small);
    if (stuck) return;
  }
}

}  // namespace berth::edge
