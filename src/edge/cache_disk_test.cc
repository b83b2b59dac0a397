// The disk beside the memory: what is found again, what is gone, what never comes back.
#include "edge/cache_disk.h"

#include <gtest/gtest.h>

#include <thread>

#include "edge/cache_store.h"
#include "io/temporary.h"

namespace berth::edge {
namespace {

constexpr CacheMoment kNow{.wall = 1'767'225'600, .ticks = 5'000'000};

StoredReply reply_of(std::string_view body, std::string tag = {}) {
  auto object = std::make_shared<CacheObject>();
  object->route = "r";
  if (!tag.empty()) object->tags.push_back(std::move(tag));
  object->body = std::make_shared<CacheBody>(body.size());
  object->body->append(body);
  object->body->complete();
  return object;
}

/// A store with a disk, as one process has it.
class Process {
 public:
  explicit Process(const std::string& folder, std::uint64_t disk = 1u << 20, std::size_t memory = 8u << 20)
      : store(memory, 7) {
    store.use_disk(std::make_unique<CacheDisk>(folder, CacheDisk::Limits{.bytes = disk, .index = 1u << 20}));
  }
  Result<void> open() {
    return store.disk()->open([this](std::string_view key) { return store.hash(key); });
  }
  void put(const std::string& key, StoredReply reply) {
    const auto hash = store.hash(key);
    EXPECT_TRUE(store.put(key, hash, std::move(reply), store.ticket(hash)));
  }
  /// A second request.
  void ask_again(const std::string& key) {
    const auto hash = store.hash(key);
    const CacheFound found = store.find(key, hash);
    ASSERT_TRUE(found.variants && found.again);
    store.save(key, hash, found.variants, kNow);
    EXPECT_FALSE(store.find(key, hash).again) << "once is enough";
  }
  bool is_on_disk(const std::string& key) { return store.is_on_disk(key, store.hash(key)); }
  bool load(const std::string& key) { return store.load(key, store.hash(key), kNow); }
  /// "" when the memory does not have it.
  std::string body(const std::string& key) {
    const CacheFound found = store.find(key, store.hash(key));
    return found.variants ? std::string(found.variants->back()->body->piece(0)) : "";
  }
  CacheStore store;
};

class CacheDiskTest : public testing::Test {
 protected:
  std::size_t files() { return io::list_folder(folder_)->size() - 1; }  // without the lock
  io::TemporaryFolder temporary_ = *io::TemporaryFolder::make(testing::TempDir(), "cache");
  std::string folder_ = temporary_.path() + "/cache";
};

TEST_F(CacheDiskTest, KeepsOverARestart) {
  {
    Process first(folder_);
    ASSERT_TRUE(first.open());
    first.put("a", reply_of("one"));
    first.put("b", reply_of("two"));
    first.ask_again("a");
    EXPECT_TRUE(first.is_on_disk("a"));
    EXPECT_FALSE(first.is_on_disk("b")) << "nobody asked again";
  }
  Process second(folder_);
  EXPECT_FALSE(second.is_on_disk("a")) << "not open yet";
  ASSERT_TRUE(second.open());
  ASSERT_TRUE(second.is_on_disk("a"));
  EXPECT_EQ(second.body("a"), "");
  EXPECT_TRUE(second.load("a"));
  EXPECT_EQ(second.body("a"), "one");
  EXPECT_FALSE(second.store.find("a", second.store.hash("a")).again) << "it is on the disk already";
  EXPECT_EQ(second.store.totals().counts[static_cast<std::size_t>(CacheCount::loaded)], 1u);
}

TEST_F(CacheDiskTest, WhatIsNewerOrPurgedNeverComesBack) {
  const std::vector<std::function<void(Process&)>> changes = {
      [](Process& one) { one.put("a", reply_of("newer")); },
      [](Process& one) { one.store.erase("a"); },
      [](Process& one) { one.store.pass("a", one.store.hash("a"), 1); },
      [](Process& one) { one.store.purge({.by = CachePurge::By::tag, .what = "t"}); },
      [](Process& one) { one.store.purge({.by = CachePurge::By::url, .what = "a"}); },
      [](Process& one) { one.store.purge({.by = CachePurge::By::prefix, .what = "a"}); },
      [](Process& one) { one.store.purge({.by = CachePurge::By::all}); }};
  for (const auto& change : changes) {
    {
      Process first(folder_);
      ASSERT_TRUE(first.open());
      first.put("a", reply_of("one", "t"));
      first.ask_again("a");
      ASSERT_EQ(files(), 1u);
      change(first);
      EXPECT_FALSE(first.is_on_disk("a"));
      EXPECT_EQ(files(), 0u);
      first.put("a", reply_of("one", "t"));
      first.ask_again("a");
    }
    // Also when it happens before the files were looked at.
    Process second(folder_);
    change(second);
    ASSERT_TRUE(second.open());
    EXPECT_FALSE(second.is_on_disk("a"));
    EXPECT_EQ(files(), 0u);
  }
}

TEST_F(CacheDiskTest, OneProcessAtATime) {
  auto first = std::make_unique<Process>(folder_);
  Process second(folder_);
  ASSERT_TRUE(first->open());
  first->put("a", reply_of("one"));
  const auto opened = second.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::busy);
  second.put("b", reply_of("two"));
  const CacheFound found = second.store.find("b", second.store.hash("b"));
  second.store.save("b", second.store.hash("b"), found.variants, kNow);
  EXPECT_FALSE(second.is_on_disk("b"));
  EXPECT_EQ(files(), 0u);
  first->ask_again("a");
  first.reset();
  ASSERT_TRUE(second.open());
  EXPECT_TRUE(second.load("a"));
}

TEST_F(CacheDiskTest, StaysWithinItsBytes) {
  Process one(folder_, 100'000);
  ASSERT_TRUE(one.open());
  one.put("used", reply_of(std::string(5'000, 'x')));
  one.ask_again("used");
  for (int i = 0; i < 100; ++i) {
    const std::string key = "k" + std::to_string(i);
    one.put(key, reply_of(std::string(5'000, 'x')));
    one.ask_again(key);
    EXPECT_TRUE(one.is_on_disk("used")) << i;  // and is used by that
    EXPECT_LE(one.store.totals().disk.bytes, 100'000u);
  }
  EXPECT_EQ(files(), one.store.totals().disk.files);
  EXPECT_GT(files(), 15u);
  one.put("large", reply_of(std::string(50'000, 'x')));
  one.ask_again("large");
  EXPECT_FALSE(one.is_on_disk("large")) << "more than a quarter of all";
}

TEST_F(CacheDiskTest, ATornFileIsAsGoodAsNone) {
  {
    Process first(folder_);
    ASSERT_TRUE(first.open());
    for (const char* key : {"a", "b", "c"}) {
      first.put(key, reply_of("one"));
      first.ask_again(key);
    }
  }
  std::vector<std::string> paths;
  for (const std::string& name : *io::list_folder(folder_))
    if (name != "lock") paths.push_back(folder_ + "/" + name);
  ASSERT_EQ(paths.size(), 3u);
  const std::string whole = *io::read_file(paths[0]);
  ASSERT_TRUE(io::write_file(paths[0], whole.substr(0, whole.size() - 1)));
  ASSERT_TRUE(io::write_file(paths[1], whole.substr(0, 10)));
  Process second(folder_);
  ASSERT_TRUE(second.open());
  EXPECT_FALSE(second.is_on_disk("b"));
  EXPECT_FALSE(second.load("a"));
  EXPECT_FALSE(second.is_on_disk("a"));
  EXPECT_TRUE(second.load("c"));
  EXPECT_EQ(files(), 1u);
}

// What one thread purges is not brought back by another one that was just reading or writing it.
TEST_F(CacheDiskTest, PurgesHoldWhileOthersReadAndWrite) {
  Process one(folder_, 1u << 20, 64u << 10);
  ASSERT_TRUE(one.open());
  std::atomic<bool> over{false};
  std::vector<std::thread> others;
  for (int i = 0; i < 2; ++i) {
    others.emplace_back([&] {
      while (!over) {
        const auto hash = one.store.hash("a");
        if (const CacheFound found = one.store.find("a", hash); found.variants)
          one.store.save("a", hash, found.variants, kNow);
        else
          one.store.load("a", hash, kNow);
      }
    });
  }
  for (int round = 0; round < 300; ++round) {
    one.put("a", reply_of("one", "t"));
    std::this_thread::yield();
    if (round % 2 == 0)
      one.store.purge({.by = CachePurge::By::tag, .what = "t"});
    else
      one.store.erase("a");
    EXPECT_EQ(one.body("a"), "") << round;
    EXPECT_FALSE(one.is_on_disk("a")) << round;
  }
  over = true;
  for (auto& each : others) each.join();
}

}  // namespace
}  // namespace berth::edge
