#include "store/backup.h"

#include "io/scope.h"
#include "store/postgres.h"
#include "store/sqlite.h"

namespace berth::store {

io::Task<Result<void>> copy_store(std::string where, std::string to) {
  if (is_postgres(where)) co_return co_await dump_postgres(std::move(where), std::move(to));
  Result<void> done;
  co_await io::on_pool([&] { done = copy_sqlite(where, to); });
  co_return done;
}

io::Task<Result<void>> restore_store(std::string where, std::string from) {
  if (is_postgres(where)) co_return co_await undump_postgres(std::move(where), std::move(from));
  Result<void> done;
  co_await io::on_pool([&] { done = replace_sqlite(where, from); });
  co_return done;
}

}  // namespace berth::store
