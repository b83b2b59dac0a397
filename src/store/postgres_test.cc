// What is PostgreSQL's alone: a server that goes away, and URLs.
#include <gtest/gtest.h>

#include "testing/stores.h"

namespace berth::store {
namespace {

constexpr Migration kTable[] = {
    {.number = 1,
     .name = "counter",
     .sql = "CREATE TABLE counter (value {integer} NOT NULL); INSERT INTO counter VALUES (0)"}};

struct Server : ::testing::Test {
  io::Loop loop;
  berth::testing::EmptyStore store{"postgres"};
  Result<std::unique_ptr<Database>> open(const std::string& url) {
    return loop.run(Database::open(url, {.migrations = kTable}));
  }
  Result<std::int64_t> count_up(Database& database) {
    return loop.run(database.write<std::int64_t>([](Transaction& t) -> Result<std::int64_t> {
      return TRY(t.first("UPDATE counter SET value = value + 1 RETURNING value", {}))->integer(0);
    }));
  }
};

constexpr const char* kEndOthers =
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
    "pg_backend_pid()";

TEST_F(Server, ThatClosedItsConnectionsIsAskedAnew) {
  const auto database = open(store.where()), other = open(store.where());
  ASSERT_TRUE(database) << database.error().text();
  for (std::int64_t value = 1; value <= 5; ++value) {
    const auto ended = loop.run((*other)->read<Rows>([](Transaction& t) { return t.query(kEndOthers, {}); }));
    ASSERT_TRUE(ended) << ended.error().text();
    const auto counted = count_up(**database);
    ASSERT_TRUE(counted) << counted.error().text();
    EXPECT_EQ(*counted, value);
  }
}

// Its connection is ended from within a transaction: nothing was kept, so it is run again.
TEST_F(Server, ThatClosesItsConnectionInATransactionRunsItAgain) {
  const auto database = open(store.where());
  static int runs = 0;
  runs = 0;
  const auto done = loop.run((*database)->write<std::int64_t>([](Transaction& t) -> Result<std::int64_t> {
    const auto value = TRY(t.first("UPDATE counter SET value = value + 1 RETURNING value", {}));
    if (++runs == 1) (void)TRY(t.query("SELECT pg_terminate_backend(pg_backend_pid())", {}));
    return value->integer(0);
  }));
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(*done, 1);
  EXPECT_EQ(runs, 2);
}

TEST_F(Server, ThatDoesNotAnswerIsUnavailable) {
  EXPECT_EQ(open("postgresql:///x?host=" + store.folder()).error().code, Code::unavailable);
  EXPECT_EQ(open("postgresql://127.0.0.1:1/x").error().code, Code::unavailable);
}

TEST_F(Server, IsNamedWithoutItsPassword) {
  for (const std::string& url :
       {std::string("postgresql://ada:hunter2@127.0.0.1:1/x"), std::string("postgresql://ada:hunter2@127.0.0.1:port/x"),
        std::string("postgresql://ada:hunter2@[::1/x"), store.where() + "&password=hunter2&dbname=none",
        std::string("postgresql:///x?password=hunter2&nonsense=1"), std::string("mysql://ada:hunter2@127.0.0.1/x")}) {
    const auto failed = open(url);
    ASSERT_FALSE(failed);
    EXPECT_FALSE(failed.error().text().contains("hunter2")) << failed.error().text();
  }
}

}  // namespace
}  // namespace berth::store
