// A database behind one seam: SQLite in a file, or PostgreSQL by URL. It knows no table; SQL stays in the features.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "io/scope.h"
#include "store/migration.h"

namespace berth::store {

/// Bytes, as apart from text.
struct Blob {
  std::string bytes{};
  friend bool operator==(const Blob&, const Blob&) = default;
};
/// What a statement takes and gives; monostate is NULL. Truth values are 0 and 1.
using Value = std::variant<std::monostate, std::int64_t, double, std::string, Blob>;
using Values = std::vector<Value>;

/// One row of a result, by position. The accessors are total: NULL or another type reads as the fallback.
class Row {
 public:
  explicit Row(Values values) : values_(std::move(values)) {}
  std::size_t size() const { return values_.size(); }
  bool is_null(std::size_t column) const;
  std::int64_t integer(std::size_t column, std::int64_t fallback = 0) const;
  double number(std::size_t column, double fallback = 0) const;
  std::string text(std::size_t column) const;
  std::string bytes(std::size_t column) const;

 private:
  Values values_;
};
using Rows = std::vector<Row>;

/// One transaction while Database::write or read runs it. Statements are written once for both databases: `?` marks a
/// parameter, INSERT ... ON CONFLICT and RETURNING are there, times are integers (microseconds since 1970, UTC).
/// Errors: Code::conflict for a violated UNIQUE, CHECK or REFERENCES, invalid for a wrong statement or a text that is
/// not UTF-8 or holds a NUL, unavailable for a database that does not answer. A failed statement dooms its transaction:
/// all after it fail and nothing is kept, so ask with ON CONFLICT instead of trying. Thread: the pool's that runs it.
class Transaction {
 public:
  Transaction() = default;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  virtual ~Transaction() = default;
  /// All rows; Code::invalid beyond 100,000 of them: page.
  virtual Result<Rows> query(std::string_view sql, const Values& parameters) = 0;
  /// Count of changed rows.
  virtual Result<std::int64_t> run(std::string_view sql, const Values& parameters) = 0;
  /// The first row, or nothing.
  Result<std::optional<Row>> first(std::string_view sql, const Values& parameters);
};

/// Thread: its loop's; the work itself runs on the pool of threads, so it may touch nothing of the loop's but what it
/// holds by value or what waits with it.
class Database {
 public:
  struct Options {
    std::span<const Migration> migrations{};  ///< run at open(), each exactly once
    std::size_t readers = 4;                  ///< connections for read()
    /// False: nothing is made or changed; Code::not_found without a file, conflict where a migration is missing.
    bool migrate = true;
  };
  /// `where`: "/var/lib/berth/berth.db" or "postgresql://...". Runs what of the migrations is missing; Code::conflict
  /// for a store that a newer program has changed, unavailable for a database that does not answer, invalid for a file
  /// that is none. A failed migration changes nothing.
  static io::Task<Result<std::unique_ptr<Database>>> open(std::string where, Options options);
  virtual ~Database() = default;

  /// `work` in one transaction that is committed when it returns a value, rolled back when it fails. One writer at a
  /// time. PostgreSQL may have it run again after a serialization failure: it may have no other effect.
  template <class T>
  io::Task<Result<T>> write(std::function<Result<T>(Transaction&)> work) {
    std::optional<Result<T>> result;
    auto done = co_await transact(true, keep(result, work));
    co_return settle<T>(std::move(done), std::move(result));
  }
  /// The same for reading: one consistent view, beside other readers and the writer.
  template <class T>
  io::Task<Result<T>> read(std::function<Result<T>(Transaction&)> work) {
    std::optional<Result<T>> result;
    auto done = co_await transact(false, keep(result, work));
    co_return settle<T>(std::move(done), std::move(result));
  }

  /// A copy of the whole store as of one moment, without stopping anyone, in the new file `path` (0600).
  virtual io::Task<Result<void>> back_up(std::string path) = 0;

 protected:
  /// `work` fails: roll back and return its error.
  virtual io::Task<Result<void>> transact(bool writes, std::function<Result<void>(Transaction&)> work) = 0;

 private:
  template <class T>
  static std::function<Result<void>(Transaction&)> keep(std::optional<Result<T>>& result,
                                                        std::function<Result<T>(Transaction&)>& work) {
    return [&result, &work](Transaction& transaction) -> Result<void> {
      result = work(transaction);
      if (!*result) return fail(result->error());
      return {};
    };
  }
  template <class T>
  static Result<T> settle(Result<void> done, std::optional<Result<T>> result) {
    if (!done) return fail(std::move(done.error()));
    return std::move(*result);
  }
};

}  // namespace berth::store
