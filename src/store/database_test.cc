// What every room may rely on, the same with each database.
#include "store/database.h"

#include <gtest/gtest.h>

#include <thread>

#include "testing/stores.h"

namespace berth::store {
namespace {

constexpr Migration kNotes[] = {
    {.number = 1,
     .name = "notes",
     .sql = "CREATE TABLE notes (id {serial}, title {text} NOT NULL UNIQUE, body {blob}, weight {number}, "
            "parent {integer} REFERENCES notes (id), CHECK (title <> 'never'));"
            "CREATE TABLE counter (id {integer} PRIMARY KEY, value {integer} NOT NULL);"
            "INSERT INTO counter (id, value) VALUES (1, 0)"},
};

struct Stores : berth::testing::StoreTest {
  std::unique_ptr<Database> database = must(open(kNotes));

  static std::unique_ptr<Database> must(Result<std::unique_ptr<Database>> opened) {
    EXPECT_TRUE(opened) << opened.error().text();
    return opened ? std::move(*opened) : nullptr;
  }
  std::int64_t count(const std::string& sql = "SELECT count(*) FROM notes") {
    const auto rows = ask(*database, sql);
    return rows && !rows->empty() ? rows->front().integer(0, -1) : -1;
  }
  Code code_of(const std::string& sql, const Values& parameters = {}) {
    const auto done = change(*database, sql, parameters);
    return done ? Code::moved : done.error().code;
  }
};
INSTANTIATE_TEST_SUITE_P(Each, Stores, berth::testing::stores(), berth::testing::store_name);

TEST_P(Stores, KeepsEveryKindOfValue) {
  const std::string bytes("\0\xff\x80'\n", 5);
  ASSERT_EQ(*change(*database, "INSERT INTO notes (title, body, weight) VALUES (?, ?, ?)",
                    {"h\u00e4user ? 'quoted'", Blob{bytes}, 0.1}),
            1);
  const auto rows =
      ask(*database, "SELECT id, title, body, weight, parent, title = '?' FROM notes -- why?\nWHERE title = ?",
          {"h\u00e4user ? 'quoted'"});
  ASSERT_TRUE(rows) << rows.error().text();
  ASSERT_EQ(rows->size(), 1u);
  const Row& row = rows->front();
  EXPECT_EQ(row.size(), 6u);
  EXPECT_EQ(row.integer(0), 1);
  EXPECT_EQ(row.text(1), "h\u00e4user ? 'quoted'");
  EXPECT_EQ(row.bytes(2), bytes);
  EXPECT_EQ(row.number(3), 0.1);
  EXPECT_TRUE(row.is_null(4));
  EXPECT_EQ(row.integer(5, 7), 0);
  EXPECT_EQ(row.text(0), "");
  EXPECT_EQ(row.integer(99, 3), 3);
}

TEST_P(Stores, KeepsTheLimitsOfNumbersAndEmptyValues) {
  ASSERT_TRUE(change(*database, "INSERT INTO notes (title, body, weight) VALUES (?, ?, ?)", {"", Blob{}, -0.0}));
  ASSERT_TRUE(change(*database, "UPDATE counter SET value = ?", {INT64_MIN}));
  EXPECT_EQ(count("SELECT value FROM counter"), INT64_MIN);
  ASSERT_TRUE(change(*database, "UPDATE counter SET value = ?", {INT64_MAX}));
  EXPECT_EQ(count("SELECT value FROM counter"), INT64_MAX);
  const auto row = ask(*database, "SELECT title, body FROM notes")->front();
  EXPECT_FALSE(row.is_null(0));
  EXPECT_FALSE(row.is_null(1));
}

TEST_P(Stores, AnswersWithTheSameTypes) {
  ASSERT_TRUE(change(*database, "INSERT INTO notes (title, weight) VALUES ('a', 1.5), ('b', 2), ('B', NULL)"));
  const auto row = ask(*database, "SELECT count(*), sum(id), max(weight), min(title) FROM notes")->front();
  EXPECT_EQ(row.integer(0), 3);
  EXPECT_EQ(row.integer(1), 6);
  EXPECT_EQ(row.number(2), 2.0);
  EXPECT_EQ(row.text(3), "B");  // by bytes
  EXPECT_EQ(count("SELECT count(*) FROM notes WHERE title LIKE 'B%'"), 1);
  const auto returned = write<Rows>(*database, [](Transaction& t) {
    return t.query(
        "INSERT INTO notes (title) VALUES (?) ON CONFLICT (title) DO UPDATE SET weight = 9 RETURNING id, weight",
        {"a"});
  });
  ASSERT_TRUE(returned) << returned.error().text();
  EXPECT_EQ(returned->front().number(1), 9.0);
}

TEST_P(Stores, KeepsNothingOfWorkThatFails) {
  const auto done = write<int>(*database, [](Transaction& t) -> Result<int> {
    (void)TRY(t.run("INSERT INTO notes (title) VALUES ('a')", {}));
    return fail(Code::denied, "not today");
  });
  EXPECT_EQ(done.error().code, Code::denied);
  EXPECT_EQ(done.error().message, "not today");
  EXPECT_EQ(count(), 0);
}

TEST_P(Stores, DoomsATransactionWhoseStatementFailed) {
  const auto done = write<int>(*database, [](Transaction& t) -> Result<int> {
    (void)TRY(t.run("INSERT INTO notes (title) VALUES ('a')", {}));
    const auto twice = t.run("INSERT INTO notes (title) VALUES ('a')", {});
    EXPECT_EQ(twice.error().code, Code::conflict);
    EXPECT_FALSE(t.query("SELECT 1", {}));
    return 1;  // as if nothing had happened
  });
  EXPECT_EQ(done.error().code, Code::conflict);
  EXPECT_EQ(count(), 0);
}

TEST_P(Stores, TellsWhatIsWrong) {
  EXPECT_EQ(code_of("INSERT INTO notes (title) VALUES ('never')"), Code::conflict);
  EXPECT_EQ(code_of("INSERT INTO notes (title) VALUES (NULL)"), Code::conflict);
  EXPECT_EQ(code_of("INSERT INTO notes (title, parent) VALUES ('a', 99)"), Code::conflict);
  EXPECT_EQ(code_of("INSERT INTO nothing (title) VALUES ('a')"), Code::invalid);
  EXPECT_EQ(code_of("INSERT INTO notes (title) VALUES (?)"), Code::invalid);
  EXPECT_EQ(code_of("INSERT INTO notes (title) VALUES (?)", {"a", "b"}), Code::invalid);
  EXPECT_EQ(code_of("DELETE FROM notes; DELETE FROM notes"), Code::invalid);
  EXPECT_EQ(code_of(""), Code::invalid);
  EXPECT_EQ(code_of("INSERT INTO notes (title) VALUES (?)", {std::string("a\0b", 3)}), Code::invalid);
  EXPECT_EQ(code_of("INSERT INTO notes (title) VALUES (?)", {"\xff"}), Code::invalid);
  EXPECT_EQ(ask(*database, "DELETE FROM notes").error().code, Code::denied);
  EXPECT_EQ(code_of("INSERT INTO notes (title) VALUES ('a')"), Code::moved);  // none of that broke it
}

TEST_P(Stores, RefusesResultsWithoutEnd) {
  const std::string sql =
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i FROM n";
  EXPECT_EQ(ask(*database, sql, {std::int64_t{100'000}})->size(), 100'000u);
  EXPECT_EQ(ask(*database, sql, {std::int64_t{100'001}}).error().code, Code::invalid);
}

TEST_P(Stores, RunsMoreDifferentStatementsThanItKeepsPrepared) {
  for (int i = 0; i < 500; ++i) ASSERT_EQ(count("SELECT " + std::to_string(i)), i);
}

// A reader between two reads of its own is not moved by what a writer commits.
TEST_P(Stores, ReadsOneMoment) {
  Database& both = *database;
  static std::function<void()> change_meanwhile;
  change_meanwhile = [&] {
    std::thread([&] {
      io::Loop other;
      auto second = other.run(Database::open(store.where(), {.migrations = kNotes}));
      ASSERT_TRUE(other.run((*second)->write<std::int64_t>(
          [](Transaction& t) { return t.run("UPDATE counter SET value = value + 1", {}); })));
    }).join();
  };
  const auto seen = read<std::int64_t>(both, [](Transaction& t) -> Result<std::int64_t> {
    const auto before = TRY(t.first("SELECT value FROM counter", {}));
    change_meanwhile();
    return TRY(t.first("SELECT value FROM counter", {}))->integer(0) - before->integer(0);
  });
  ASSERT_TRUE(seen) << seen.error().text();
  EXPECT_EQ(*seen, 0);
  EXPECT_EQ(count("SELECT value FROM counter"), 1);
}

io::Task<void> count_up(Database& database, int times, int& failed) {
  for (int i = 0; i < times; ++i) {
    auto done = co_await database.write<std::int64_t>([](Transaction& t) -> Result<std::int64_t> {
      const auto row = TRY(t.first("SELECT value FROM counter WHERE id = 1", {}));
      return t.run("UPDATE counter SET value = ? WHERE id = 1", {row->integer(0) + 1});
    });
    failed += done ? 0 : 1;
  }
}
io::Task<void> count_up_together(Database& database, int tasks, int times, int& failed) {
  io::Scope scope(co_await io::here());
  for (int i = 0; i < tasks; ++i) scope.spawn(count_up(database, times, failed));
  co_await scope.join();
}

// Read, then write what follows from it: the tasks of one core wait for each other, cores run into each other.
TEST_P(Stores, LosesNoUpdateOfTasksAndCores) {
  int failed_here = 0, failed_there = 0;
  std::thread other([&] {
    io::Loop its;
    auto second = its.run(Database::open(store.where(), {.migrations = kNotes}));
    ASSERT_TRUE(second);
    its.run(count_up_together(**second, 3, 10, failed_there));
  });
  loop.run(count_up_together(*database, 3, 10, failed_here));
  other.join();
  EXPECT_EQ(count("SELECT value FROM counter"), 60 - failed_here - failed_there);
  EXPECT_EQ(failed_here + failed_there, 0);
}

TEST_P(Stores, GivesUpWaitingWhenCancelled) {
  const auto cancelled = loop.run([](Database& each) -> io::Task<Result<int>> {
    io::Cancel cancel;
    cancel.request();
    co_return co_await each.write<int>([](Transaction&) -> Result<int> { return 1; }).under(cancel);
  }(*database));
  EXPECT_TRUE(cancelled || cancelled.error().code == Code::cancelled);
  EXPECT_EQ(*write<int>(*database, [](Transaction&) -> Result<int> { return 2; }), 2);
}

}  // namespace
}  // namespace berth::store
