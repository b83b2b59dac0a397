#include "store/backup.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "io/file.h"
#include "testing/stores.h"

namespace berth::store {
namespace {

constexpr Migration kTable[] = {
    {.number = 1, .name = "pairs", .sql = "CREATE TABLE pairs (id {integer} PRIMARY KEY, twin {integer} NOT NULL)"}};

struct Backups : berth::testing::StoreTest {
  std::string copy = store.folder() + "/copy";
  Result<std::unique_ptr<Database>> database = open(kTable);

  std::vector<std::int64_t> pairs(Database& of) {
    std::vector<std::int64_t> out;
    const auto rows = ask(of, "SELECT id, twin FROM pairs ORDER BY id");
    for (const Row& row : *rows) {
      EXPECT_EQ(row.integer(0) + 1000, row.integer(1));
      out.push_back(row.integer(0));
    }
    return out;
  }
};
INSTANTIATE_TEST_SUITE_P(Each, Backups, berth::testing::stores(), berth::testing::store_name);

// Two rows a transaction: a copy that has one of them is of no one moment.
io::Task<void> write_pairs(Database& database, bool& stop, std::int64_t& next) {
  while (!stop) {
    auto done = co_await database.write<void>([next](Transaction& t) -> Result<void> {
      for (const std::int64_t id : {next, next + 1})
        (void)TRY(t.run("INSERT INTO pairs (id, twin) VALUES (?, ?)", {id, id + 1000}));
      return {};
    });
    EXPECT_TRUE(done);
    next += 2;
  }
}
io::Task<Result<void>> back_up_while_writing(Database& database, std::string copy, std::int64_t& next) {
  io::Scope scope(co_await io::here());
  bool stop = false;
  scope.spawn(write_pairs(database, stop, next));
  while (next < 20) (void)co_await io::sleep_for(std::chrono::milliseconds(1));
  auto done = co_await database.back_up(std::move(copy));
  stop = true;
  co_await scope.join();
  co_return done;
}

TEST_P(Backups, AreOfOneMomentAndComeBack) {
  ASSERT_TRUE(database) << database.error().text();
  std::int64_t next = 0;
  const auto done = loop.run(back_up_while_writing(**database, copy, next));
  ASSERT_TRUE(done) << done.error().text();
  struct stat state{};
  ASSERT_EQ(::stat(copy.c_str(), &state), 0);
  EXPECT_EQ(state.st_mode & 0777, 0600u);
  const auto later = pairs(**database);
  ASSERT_TRUE(change(**database, "DELETE FROM pairs WHERE id < 10"));
  database = fail(Code::cancelled, "closed");
  const auto restored = loop.run(restore_store(store.where(), copy));
  ASSERT_TRUE(restored) << restored.error().text();
  database = open(kTable);
  const auto now = pairs(**database);
  EXPECT_EQ(now.size() % 2, 0u);
  EXPECT_GE(now.size(), 20u);
  EXPECT_LE(now.size(), later.size());
  EXPECT_EQ(now.front(), 0);
}

TEST_P(Backups, DoNotReplaceAFile) {
  ASSERT_TRUE(io::write_file(copy, "mine"));
  EXPECT_EQ(loop.run((*database)->back_up(copy)).error().code, Code::conflict);
  EXPECT_EQ(*io::read_file(copy), "mine");
}

TEST_P(Backups, ThatAreDamagedOrNoneAreRefused) {
  ASSERT_TRUE(change(**database, "INSERT INTO pairs (id, twin) VALUES (1, 1001)"));
  ASSERT_TRUE(loop.run((*database)->back_up(copy)));
  database = fail(Code::cancelled, "closed");
  EXPECT_EQ(loop.run(restore_store(store.where(), copy + ".none")).error().code, Code::not_found);
  std::string bytes = *io::read_file(copy);
  for (const std::string& wrong :
       {std::string("SQLite format 3"), std::string(), std::string(10000, 'x'), bytes.substr(0, bytes.size() / 2)}) {
    ASSERT_TRUE(io::write_file(copy, wrong));
    const auto refused = loop.run(restore_store(store.where(), copy));
    EXPECT_FALSE(refused) << wrong.size();
  }
  database = open(kTable);
  EXPECT_EQ(pairs(**database), std::vector<std::int64_t>{1});
}

}  // namespace
}  // namespace berth::store
