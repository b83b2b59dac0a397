// The memory store: what stays, what goes, what a purge reaches.
#include "edge/cache_store.h"

#include <gtest/gtest.h>

#include <thread>

namespace berth::edge {
namespace {

StoredReply reply_of(std::size_t size, std::string selecting = {}, std::string tag = {}) {
  auto object = std::make_shared<CacheObject>();
  object->route = "r";
  object->selecting = std::move(selecting);
  if (!tag.empty()) object->tags.push_back(tag);
  object->body = std::make_shared<CacheBody>(size);
  object->body->append(std::string(size, 'x'));
  object->body->complete();
  return object;
}

class Shard {
 public:
  explicit Shard(std::size_t capacity) : shard(capacity) {}
  bool put(const std::string& key, StoredReply reply) { return shard.put(key, hash(key), std::move(reply), garbage); }
  bool has(const std::string& key) { return shard.find(key, hash(key)).variants != nullptr; }
  static std::uint64_t hash(const std::string& key) { return std::hash<std::string>()(key); }
  CacheShard shard;
  CacheShard::Garbage garbage;
};

TEST(CacheShard, StaysWithinItsBytes) {
  Shard shard(1u << 20);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(shard.put("k" + std::to_string(i), reply_of(static_cast<std::size_t>(1000 + i * 37 % 9000))));
    EXPECT_LE(shard.shard.bytes(), 1u << 20);
    if (i % 3 == 0) shard.has("k" + std::to_string(i / 2));
  }
  EXPECT_GT(shard.shard.bytes(), (1u << 20) * 3 / 4);
  EXPECT_EQ(shard.shard.keys() + shard.shard.evicted(), 1000u);
  EXPECT_FALSE(shard.put("large", reply_of(1u << 19)));
}

TEST(CacheShard, AScanLeavesWhatIsUsed) {
  Shard shard(1u << 20);
  for (int i = 0; i < 100; ++i) shard.put("hot" + std::to_string(i), reply_of(4000));
  for (int round = 0; round < 3; ++round)
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(shard.has("hot" + std::to_string(i)));
  for (int i = 0; i < 5000; ++i) shard.put("scan" + std::to_string(i), reply_of(4000));
  int left = 0;
  for (int i = 0; i < 100; ++i) left += shard.has("hot" + std::to_string(i)) ? 1 : 0;
  EXPECT_EQ(left, 100);
}

TEST(CacheShard, WhatComesBackSoonGoesToTheMainQueue) {
  Shard shard(100u << 10);
  shard.put("back", reply_of(2000));
  for (int i = 0; i < 60; ++i) shard.put("a" + std::to_string(i), reply_of(2000));
  EXPECT_FALSE(shard.has("back"));
  shard.put("back", reply_of(2000));
  for (int i = 0; i < 20; ++i) shard.put("b" + std::to_string(i), reply_of(2000));
  EXPECT_TRUE(shard.has("back"));
}

TEST(CacheShard, KeepsVariantsApartAndBounded) {
  Shard shard(1u << 20);
  shard.put("k", reply_of(10, "=1\n"));
  shard.put("k", reply_of(10, "=2\n"));
  shard.put("k", reply_of(20, "=1\n"));
  const auto found = shard.shard.find("k", Shard::hash("k")).variants;
  ASSERT_EQ(found->size(), 2u);
  EXPECT_EQ(found->front()->selecting, "=2\n");
  EXPECT_EQ(found->back()->body->size(), 20u);
  for (int i = 0; i < 100; ++i) shard.put("k", reply_of(10, "=" + std::to_string(i)));
  EXPECT_EQ(shard.shard.find("k", Shard::hash("k")).variants->size(), 32u);
}

TEST(CacheShard, ReplacesOnlyWhatIsThere) {
  Shard shard(1u << 20);
  const auto old = reply_of(10), fresh = reply_of(10);
  EXPECT_FALSE(shard.shard.replace("k", Shard::hash("k"), old, fresh, shard.garbage));
  shard.put("k", old);
  EXPECT_TRUE(shard.shard.replace("k", Shard::hash("k"), old, fresh, shard.garbage));
  EXPECT_EQ(shard.shard.find("k", Shard::hash("k")).variants->front(), fresh);
  EXPECT_FALSE(shard.shard.replace("k", Shard::hash("k"), old, fresh, shard.garbage));
}

TEST(CacheStore, PurgesByUrlPrefixTagAndAll) {
  CacheStore store(8u << 20, 7);
  const auto put = [&](std::string_view key, std::string tag) {
    const auto hash = store.hash(key);
    return store.put(key, hash, reply_of(100, {}, std::move(tag)), store.ticket(hash));
  };
  const auto has = [&](std::string_view key) { return store.find(key, store.hash(key)).variants != nullptr; };
  for (int i = 0; i < 500; ++i) put("https://a/x/" + std::to_string(i), i % 2 ? "odd" : "even");
  EXPECT_EQ(store.purge({CachePurge::By::url, "https://a/x/7"}), 1u);
  EXPECT_FALSE(has("https://a/x/7"));
  EXPECT_EQ(store.purge({CachePurge::By::tag, "odd"}), 249u);
  EXPECT_FALSE(has("https://a/x/9"));
  EXPECT_TRUE(has("https://a/x/8"));
  EXPECT_EQ(store.purge({CachePurge::By::prefix, "https://a/x/1"}), 55u);
  EXPECT_EQ(store.purge({CachePurge::By::all, ""}), 195u);
  EXPECT_EQ(store.totals().keys, 0u);
  EXPECT_EQ(store.totals().bytes, 0u);
}

TEST(CacheStore, AReplyThatWasAskedForBeforeAPurgeIsNotKept) {
  CacheStore store(8u << 20, 7);
  const auto hash = store.hash("k"), other = store.hash("other");
  auto ticket = store.ticket(hash);
  store.erase("other");
  EXPECT_TRUE(store.put("k", hash, reply_of(1), ticket));
  ticket = store.ticket(hash);
  store.erase("k");
  EXPECT_FALSE(store.put("k", hash, reply_of(1), ticket));
  ticket = store.ticket(other);
  store.purge({CachePurge::By::tag, "t"});
  EXPECT_FALSE(store.is_current(other, ticket));
  EXPECT_FALSE(store.put("other", other, reply_of(1), ticket));
}

TEST(CacheStore, BoundsWhatIsOnItsWayIn) {
  CacheStore store(4000, 7);
  EXPECT_TRUE(store.reserve(900));
  EXPECT_FALSE(store.reserve(200));
  store.release(900);
  EXPECT_TRUE(store.reserve(1000));
}

TEST(CacheStore, IsUsedByManyLoopsAtOnce) {
  CacheStore store(1u << 20, 7);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&store, t] {
      for (int i = 0; i < 2000; ++i) {
        const std::string key = "k" + std::to_string((i * 7 + t) % 300);
        const auto hash = store.hash(key);
        if (!store.find(key, hash).variants) store.put(key, hash, reply_of(3000), store.ticket(hash));
        if (i % 500 == 0) store.purge({CachePurge::By::prefix, "k1"});
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_LE(store.totals().bytes, 1u << 20);
}

}  // namespace
}  // namespace berth::edge
