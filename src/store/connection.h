// One connection to a database: what SQLite and PostgreSQL do differently. Within this room.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "store/database.h"
#include "store/statement.h"

namespace berth::store {

/// What a transaction is for, which says how it is isolated.
enum class Kind {
  read,     ///< one view, nothing is changed
  write,    ///< as if transactions ran one after the other
  migrate,  ///< alone among all programs that migrate this store; sees what the one before it did
};

/// What may be done about the last transaction that failed.
enum class Again {
  no,    ///< it would fail the same way, or it is not known whether it was kept
  anew,  ///< nothing was kept: others were in the way, or the connection was lost before the commit
};

using Work = std::function<Result<void>(Transaction&)>;

/// Blocks. Thread: one at a time.
///
/// A failed statement dooms its transaction: everything after it fails with the same error, and it is rolled back. So
/// does PostgreSQL; for SQLite it is done here, so that what works with one works with the other.
class Connection : public Transaction {
 public:
  Result<Rows> query(std::string_view sql, const Values& parameters) final;
  Result<std::int64_t> run(std::string_view sql, const Values& parameters) final;

  /// `work` in a transaction: commits when it returns a value and no statement failed.
  Result<void> transact(Kind kind, const Work& work);
  Again again() const { return again_; }
  virtual Dialect dialect() const = 0;

 protected:
  struct Answer {
    Rows rows{};
    std::int64_t changed = 0;
  };
  virtual Result<void> begin(Kind kind) = 0;
  virtual Result<void> commit() = 0;
  virtual void roll_back() = 0;
  virtual Result<Answer> execute(std::string_view sql, const Values& parameters) = 0;

  Again again_ = Again::no;  // set by begin(), commit() and execute() where they fail

 private:
  Result<Answer> execute_or_doom(std::string_view sql, const Values& parameters);
  std::optional<Error> doom_;
};

/// Rows of one result at most.
constexpr std::size_t kMostRows = 100'000;
std::unexpected<Error> too_many_rows();

}  // namespace berth::store
