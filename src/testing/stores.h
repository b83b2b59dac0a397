// Empty stores of each kind: a test that keeps something runs once with SQLite and once with a real PostgreSQL.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "io/temporary.h"
#include "store/database.h"

namespace berth::testing {

/// An empty store, gone with this. The PostgreSQL server is started at the first use, as a user without rights, in a
/// temporary folder on a unix socket, and ends with the process.
class EmptyStore {
 public:
  /// "sqlite" or "postgres". A server that does not start fails the test.
  explicit EmptyStore(const std::string& kind);
  ~EmptyStore();
  const std::string& where() const { return where_; }
  const std::string& folder() const { return folder_.path(); }

 private:
  io::TemporaryFolder folder_;
  std::string where_;
};

/// A fixture for INSTANTIATE_TEST_SUITE_P(Stores, X, testing::stores(), testing::store_name).
class StoreTest : public ::testing::TestWithParam<std::string> {
 protected:
  io::Loop loop;
  EmptyStore store{GetParam()};

  Result<std::unique_ptr<store::Database>> open(std::span<const store::Migration> migrations) {
    return loop.run(store::Database::open(store.where(), {.migrations = migrations}));
  }
  template <class T>
  Result<T> write(store::Database& database, std::function<Result<T>(store::Transaction&)> work) {
    return loop.run(database.write<T>(std::move(work)));
  }
  template <class T>
  Result<T> read(store::Database& database, std::function<Result<T>(store::Transaction&)> work) {
    return loop.run(database.read<T>(std::move(work)));
  }
  Result<store::Rows> ask(store::Database& database, const std::string& sql, const store::Values& parameters = {}) {
    return read<store::Rows>(database, [=](store::Transaction& t) { return t.query(sql, parameters); });
  }
  Result<std::int64_t> change(store::Database& database, const std::string& sql, const store::Values& parameters = {}) {
    return write<std::int64_t>(database, [=](store::Transaction& t) { return t.run(sql, parameters); });
  }
};

inline auto stores() {
  return ::testing::Values("sqlite", "postgres");
}
inline std::string store_name(const ::testing::TestParamInfo<std::string>& info) {
  return info.param;
}

}  // namespace berth::testing
