#include <gtest/gtest.h>

#include <thread>

#include "io/file.h"
#include "testing/stores.h"

namespace berth::store {
namespace {

constexpr Migration kFirst{.number = 1, .name = "users", .sql = "CREATE TABLE users (id {text} PRIMARY KEY)"};
constexpr Migration kSecond{.number = 200, .name = "tokens", .sql = "CREATE TABLE tokens (id {text} PRIMARY KEY)"};
// Another room's, with a number between.
constexpr Migration kBetween{
    .number = 100,
    .name = "audit",
    .sql =
        "CREATE TABLE audit (id {serial}, what {text}); -- ; not here\nINSERT INTO audit (what) VALUES ('it''s; one')"};
constexpr Migration kBroken{.number = 201,
                            .name = "broken",
                            .sql =
                                "CREATE TABLE half (id {integer}); INSERT INTO half VALUES (1); DROP TABLE users; "
                                "INSERT INTO nothing VALUES (1)"};

struct Migrations : berth::testing::StoreTest {
  Result<std::unique_ptr<Database>> with(std::vector<Migration> migrations) { return open(migrations); }
  std::vector<std::int64_t> numbers(Database& database) {
    std::vector<std::int64_t> out;
    const auto rows = ask(database, "SELECT number FROM berth_migrations ORDER BY number");
    for (const Row& row : *rows) out.push_back(row.integer(0));
    return out;
  }
};
INSTANTIATE_TEST_SUITE_P(Each, Migrations, berth::testing::stores(), berth::testing::store_name);

TEST_P(Migrations, RunOnceAndByNumber) {
  ASSERT_TRUE(with({kSecond, kFirst}));
  auto database = with({kFirst, kBetween, kSecond});
  ASSERT_TRUE(database) << database.error().text();
  database = with({kFirst, kBetween, kSecond});
  ASSERT_TRUE(database) << database.error().text();
  EXPECT_EQ(numbers(**database), (std::vector<std::int64_t>{1, 100, 200}));
  EXPECT_EQ(ask(**database, "SELECT what FROM audit")->size(), 1u);
}

TEST_P(Migrations, ThatFailChangeNothing) {
  ASSERT_TRUE(with({kFirst}));
  const auto failed = with({kFirst, kSecond, kBroken});
  ASSERT_FALSE(failed);
  EXPECT_TRUE(failed.error().message.starts_with("migration 201 (broken): ")) << failed.error().message;
  auto database = with({kFirst, kSecond});  // those before it stay
  ASSERT_TRUE(database) << database.error().text();
  EXPECT_EQ(numbers(**database), (std::vector<std::int64_t>{1, 200}));
  EXPECT_TRUE(ask(**database, "SELECT * FROM users"));
  EXPECT_FALSE(ask(**database, "SELECT * FROM half"));
}

TEST_P(Migrations, OfANewerProgramAreRefused) {
  ASSERT_TRUE(with({kFirst, kSecond}));
  const auto older = with({kFirst, kBetween});
  ASSERT_FALSE(older);
  EXPECT_EQ(older.error().code, Code::conflict);
  EXPECT_TRUE(older.error().message.contains("newer berth (migration 200, tokens)")) << older.error().message;
  auto database = with({kFirst, kSecond});
  EXPECT_EQ(numbers(**database), (std::vector<std::int64_t>{1, 200}));  // the older one did not run what it lacks
}

TEST_P(Migrations, WhoseTextChangedAreRefused) {
  ASSERT_TRUE(with({kFirst}));
  Migration changed = kFirst;
  changed.sql = "CREATE TABLE users (id {text} PRIMARY KEY, name {text})";
  const auto refused = with({changed, kSecond});
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_TRUE(refused.error().message.contains("migration 1 (users)"));
}

TEST_P(Migrations, OfWhichTwoHaveANumberAreOurFault) {
  Migration same = kSecond;
  same.number = 1;
  EXPECT_EQ(with({kFirst, same}).error().code, Code::internal);
}

TEST_P(Migrations, RunOnceWhenManyCoresStartTogether) {
  constexpr int kCores = 6;
  std::vector<std::thread> cores;
  std::atomic<int> waiting = kCores, failed = 0;
  for (int core = 0; core < kCores; ++core)
    cores.emplace_back([&] {
      io::Loop its;
      const std::vector<Migration> migrations{kFirst, kBetween, kSecond};
      --waiting;
      while (waiting > 0) std::this_thread::yield();
      if (!its.run(Database::open(store.where(), {.migrations = migrations}))) ++failed;
    });
  for (auto& core : cores) core.join();
  EXPECT_EQ(failed, 0);
  auto database = with({kFirst, kBetween, kSecond});
  EXPECT_EQ(ask(**database, "SELECT what FROM audit")->size(), 1u);
}

TEST(MigrationsOfAFile, LeaveACopyOfItBefore) {
  const berth::testing::EmptyStore store("sqlite");
  io::Loop loop;
  const std::vector<Migration> first{kFirst}, both{kFirst, kSecond};
  const auto with = [&](const std::string& path, const std::vector<Migration>& migrations) {
    return loop.run(Database::open(path, {.migrations = migrations}));
  };
  const std::string kept = store.where() + ".before-migration";
  ASSERT_TRUE(with(store.where(), first));
  EXPECT_FALSE(io::exists(kept));
  ASSERT_TRUE(with(store.where(), both));
  EXPECT_EQ(with(kept, {}).error().code, Code::conflict);  // it is the store of a program that has kFirst
  const auto before = with(kept, first);
  ASSERT_TRUE(before) << before.error().text();
  const auto count = loop.run((*before)->read<std::optional<Row>>([](Transaction& t) {
    return t.first("SELECT count(*) FROM sqlite_master WHERE name IN ('users', 'tokens')", {});
  }));
  EXPECT_EQ((*count)->integer(0), 1);
}

}  // namespace
}  // namespace berth::store
