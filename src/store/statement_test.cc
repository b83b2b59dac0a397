#include "store/statement.h"

#include <gtest/gtest.h>

namespace berth::store {
namespace {

TEST(Statement, NumbersParametersOutsideOfQuotes) {
  EXPECT_EQ(number_parameters("SELECT ? WHERE a = '?' AND \"b?\" = ? -- ?\n AND c = ? /* ? */").sql,
            "SELECT $1 WHERE a = '?' AND \"b?\" = $2 -- ?\n AND c = $3 /* ? */");
  EXPECT_EQ(number_parameters("'it''s ?' ?").sql, "'it''s ?' $1");
  EXPECT_EQ(number_parameters("? '?' ?").count, 2u);
  EXPECT_EQ(number_parameters("'open ?").sql, "'open ?");
}

TEST(Statement, DividesAtSemicolons) {
  EXPECT_EQ(split_statements("a; b 'x;y';; -- c;\n d /* ; */;\n"), (std::vector<std::string>{"a", "b 'x;y'", "d"}));
  EXPECT_TRUE(split_statements(" ;\n -- only a comment").empty());
}

TEST(Statement, WritesTypesForEachDatabase) {
  EXPECT_EQ(
      with_types("id {serial}, a {text}, b {blob}, c {integer}, d {number} CHECK (x <> '{other}')", Dialect::sqlite),
      "id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT, b BLOB, c INTEGER, d REAL CHECK (x <> '{other}')");
  EXPECT_EQ(with_types("a {text}, b {blob}, c {integer}, d {number}", Dialect::postgres),
            "a TEXT COLLATE \"C\", b BYTEA, c BIGINT, d DOUBLE PRECISION");
}

}  // namespace
}  // namespace berth::store
