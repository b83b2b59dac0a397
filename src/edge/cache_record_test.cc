#include "edge/cache_record.h"

#include <gtest/gtest.h>

namespace berth::edge {
namespace {

constexpr CacheMoment kNow{.wall = 1'767'225'600, .ticks = 5'000'000};

std::shared_ptr<CacheObject> reply_of(const std::string& body, std::vector<std::string> tags = {}) {
  auto object = std::make_shared<CacheObject>();
  object->route = "r";
  object->origin = "service";
  object->status = 203;
  object->text = "X-Apart\xff";
  object->fields = {{std::string_view(object->text).substr(0, 7), std::string_view(object->text).substr(6)}};
  object->vary = "accept-encoding";
  object->selecting = "gzip\n";
  object->tags = std::move(tags);
  object->for_all = true;
  object->freshness = {.lifetime = 60,
                       .initial_age = 7,
                       .received = kNow.ticks - 2'500,
                       .stale_while_revalidate = 1,
                       .stale_if_error = 2,
                       .stale_if_unreachable = 3,
                       .never_stale = true};
  object->body = std::make_shared<CacheBody>(std::nullopt);
  object->body->append(body);
  object->body->complete();
  return object;
}

std::string whole_body(const CacheObject& reply) {
  std::string all;
  while (all.size() < reply.body->size()) all += reply.body->piece(all.size());
  return all;
}

TEST(CacheRecord, GivesBackWhatWentIn) {
  const std::string large(300'000, 'x');
  const std::string bytes = encode_record("https://a.test/", {reply_of(""), reply_of(large, {"t", "u"})}, kNow);
  const auto record = decode_record(bytes, kNow);
  ASSERT_TRUE(record) << record.error().text();
  EXPECT_EQ(record->key, "https://a.test/");
  ASSERT_EQ(record->variants->size(), 2u);
  EXPECT_EQ(record->variants->front()->body->size(), 0u);
  const CacheObject& second = *record->variants->back();
  EXPECT_EQ(whole_body(second), large);
  EXPECT_TRUE(second.body->is_complete());
  EXPECT_EQ(second.route, "r");
  EXPECT_EQ(second.origin, "service");
  EXPECT_EQ(second.status, 203);
  ASSERT_EQ(second.fields.size(), 1u);
  EXPECT_EQ(second.get("x-apart"), "t\xff");
  EXPECT_EQ(second.vary, "accept-encoding");
  EXPECT_EQ(second.selecting, "gzip\n");
  EXPECT_EQ(second.tags, (std::vector<std::string>{"t", "u"}));
  EXPECT_TRUE(second.for_all);
  const Freshness& fresh = second.freshness;
  EXPECT_EQ(fresh.lifetime, 60);
  EXPECT_EQ(fresh.initial_age, 7);
  EXPECT_EQ(fresh.received, kNow.ticks - 2'500);
  EXPECT_EQ(fresh.stale_while_revalidate + 10 * fresh.stale_if_error + 100 * fresh.stale_if_unreachable, 321);
  EXPECT_FALSE(fresh.validate_always);
  EXPECT_TRUE(fresh.never_stale);

  const auto head = decode_record_head(std::string_view(bytes).substr(0, 1000));
  ASSERT_TRUE(head) << head.error().text();
  EXPECT_EQ(head->key, "https://a.test/");
  EXPECT_EQ(head->tags, (std::vector<std::string>{"t", "u"}));
  EXPECT_EQ(head->size, bytes.size());
}

TEST(CacheRecord, AgesWhileNobodyRuns) {
  const std::string bytes = encode_record("k", {reply_of("x")}, kNow);
  const auto age = [&](std::int64_t wall) {
    // Another start of the machine: its ticks say nothing about those of before.
    return decode_record(bytes, {.wall = wall, .ticks = 100})->variants->front()->freshness.age(100);
  };
  EXPECT_EQ(age(kNow.wall), 9);
  EXPECT_EQ(age(kNow.wall + 3600), 3609);
  EXPECT_EQ(age(kNow.wall - 3600), 9) << "a clock that was put back makes nothing younger";
}

TEST(CacheRecord, RefusesWhatIsDamaged) {
  const std::string bytes = encode_record("k", {reply_of("body", {"t"})}, kNow);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string wrong = bytes;
    wrong[at] = static_cast<char>(wrong[at] ^ 1);
    EXPECT_FALSE(decode_record(wrong, kNow)) << "bit " << at;
    EXPECT_FALSE(decode_record(bytes.substr(0, at), kNow)) << "cut at " << at;
  }
  EXPECT_FALSE(decode_record(bytes + "x", kNow));
  EXPECT_FALSE(decode_record_head(bytes.substr(0, 20)));
}

}  // namespace
}  // namespace berth::edge
