#include "store/sealed.h"

#include <gtest/gtest.h>

#include "io/file.h"
#include "testing/stores.h"

namespace berth::store {
namespace {

constexpr Migration kTable[] = {
    {.number = 1, .name = "logins", .sql = "CREATE TABLE logins (id {text} PRIMARY KEY, password {blob})"}};
constexpr std::string_view kSecret = "correct horse battery staple";

struct Sealed : berth::testing::StoreTest {
  std::unique_ptr<Database> database = std::move(*open(kTable));
  io::SealKey key = *io::SealKey::load_or_make(store.folder() + "/seal.key");

  static Cell cell(std::string_view id) { return {.table = "logins", .column = "password", .row = id}; }
  void keep(const std::string& id) {
    ASSERT_TRUE(
        change(*database, "INSERT INTO logins (id, password) VALUES (?, ?)", {id, seal(key, kSecret, cell(id))}));
  }
  Row row(const std::string& id) { return ask(*database, "SELECT password FROM logins WHERE id = ?", {id})->front(); }
};
INSTANTIATE_TEST_SUITE_P(Each, Sealed, berth::testing::stores(), berth::testing::store_name);

TEST_P(Sealed, OpenWhereTheyWereSealed) {
  keep("a");
  EXPECT_EQ(*unseal(key, row("a"), 0, cell("a")), kSecret);
  EXPECT_FALSE(row("a").bytes(0).contains("horse"));
}

TEST_P(Sealed, OpenNowhereElse) {
  keep("a");
  keep("b");
  ASSERT_TRUE(
      change(*database, "UPDATE logins SET password = (SELECT password FROM logins WHERE id = 'a') WHERE id = 'b'"));
  EXPECT_EQ(unseal(key, row("b"), 0, cell("b")).error().code, Code::invalid);
  EXPECT_EQ(unseal(key, row("a"), 0, {.table = "logins", .column = "token", .row = "a"}).error().code, Code::invalid);
  EXPECT_EQ(unseal(key, row("a"), 0, {.table = "loginspassword", .column = "", .row = "a"}).error().code,
            Code::invalid);
  const auto other = io::SealKey::load_or_make(store.folder() + "/other.key");
  EXPECT_EQ(unseal(*other, row("a"), 0, cell("a")).error().code, Code::invalid);
}

TEST_P(Sealed, TellNoneFromWrongOnes) {
  ASSERT_TRUE(change(*database, "INSERT INTO logins (id, password) VALUES ('n', NULL), ('e', ?), ('x', ?)",
                     {Blob{}, Blob{"\1plain"}}));
  EXPECT_EQ(unseal(key, row("n"), 0, cell("n")).error().code, Code::not_found);
  EXPECT_EQ(unseal(key, row("e"), 0, cell("e")).error().code, Code::invalid);
  EXPECT_EQ(unseal(key, row("x"), 0, cell("x")).error().code, Code::invalid);
}

TEST_P(Sealed, AreNotInACopyOfTheStore) {
  keep("a");
  ASSERT_TRUE(loop.run(database->back_up(store.folder() + "/copy")));
  EXPECT_FALSE(io::read_file(store.folder() + "/copy")->contains("horse"));
}

}  // namespace
}  // namespace berth::store
