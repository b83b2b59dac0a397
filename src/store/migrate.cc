#include "store/migrate.h"

#include <algorithm>

#include "base/hash.h"
#include "io/wall.h"

namespace berth::store {
namespace {

constexpr std::string_view kTable =
    "CREATE TABLE IF NOT EXISTS berth_migrations (number {integer} PRIMARY KEY, name {text} NOT NULL, "
    "sum {text} NOT NULL, applied_at {integer} NOT NULL)";

constexpr std::string_view kApplied = "SELECT number, name, sum FROM berth_migrations ORDER BY number";

Result<bool> has_table(Transaction& transaction, Dialect dialect) {
  const std::string_view sql = dialect == Dialect::sqlite
                                   ? "SELECT 1 FROM sqlite_master WHERE name = 'berth_migrations'"
                                   : "SELECT 1 WHERE to_regclass('berth_migrations') IS NOT NULL";
  return TRY(transaction.first(sql, {})).has_value();
}

std::string title(const Migration& migration) {
  return "migration " + std::to_string(migration.number) + " (" + std::string(migration.name) + ")";
}

/// Of the program: ordered, its numbers above 0 and unique.
Result<std::vector<Migration>> ordered(std::span<const Migration> migrations) {
  std::vector<Migration> out(migrations.begin(), migrations.end());
  std::ranges::sort(out, {}, &Migration::number);
  for (std::size_t at = 0; at < out.size(); ++at)
    if (out[at].number <= 0 || (at > 0 && out[at - 1].number == out[at].number))
      return fail(Code::internal, "store: " + title(out[at]) + " has a number that is none or another's");
  return out;
}

// Every one that the store has must be one of ours, unchanged.
Result<void> compare(const Rows& applied, const std::vector<Migration>& ours) {
  for (const Row& row : applied) {
    const auto found = std::ranges::find(ours, row.integer(0), &Migration::number);
    if (found == ours.end())
      return fail(Code::conflict, "store: it was changed by a newer berth (migration " +
                                      std::to_string(row.integer(0)) + ", " + row.text(1) +
                                      "): start that one, or restore a backup");
    if (sha256_hex(found->sql) != row.text(2))
      return fail(Code::conflict, "store: " + title(*found) + " ran with another text: this berth does not fit it");
  }
  return {};
}

Result<bool> is_missing(Transaction& transaction, const Migration& migration) {
  return !TRY(transaction.first("SELECT 1 FROM berth_migrations WHERE number = ?", {std::int64_t{migration.number}}));
}

Result<void> carry_out(Transaction& transaction, const Migration& migration, Dialect dialect) {
  for (const std::string& statement : split_statements(with_types(migration.sql, dialect)))
    (void)TRY(transaction.run(statement, {}));
  (void)TRY(transaction.run(
      "INSERT INTO berth_migrations (number, name, sum, applied_at) VALUES (?, ?, ?, ?)",
      {std::int64_t{migration.number}, std::string(migration.name), sha256_hex(migration.sql), io::wall_time()}));
  return {};
}

}  // namespace

Result<Progress> progress(Connection& connection, std::span<const Migration> migrations) {
  const auto ours = TRY(ordered(migrations));
  Progress out;
  TRY(connection.transact(Kind::read, [&](Transaction& transaction) -> Result<void> {
    if (!TRY(has_table(transaction, connection.dialect()))) return {};
    const auto applied = TRY(transaction.query(kApplied, {}));
    out.applied = applied.size();
    return compare(applied, ours);
  }));
  out.missing = ours.size() - out.applied;
  return out;
}

Result<std::size_t> migrate(Connection& connection, std::span<const Migration> migrations) {
  const auto ours = TRY(ordered(migrations));
  TRY(connection.transact(Kind::migrate, [&](Transaction& transaction) -> Result<void> {
    (void)TRY(transaction.run(with_types(kTable, connection.dialect()), {}));
    return compare(TRY(transaction.query(kApplied, {})), ours);
  }));
  std::size_t count = 0;
  for (const Migration& each : ours) {
    bool ran = false;
    const auto done = connection.transact(Kind::migrate, [&](Transaction& transaction) -> Result<void> {
      ran = TRY(is_missing(transaction, each));
      return ran ? carry_out(transaction, each, connection.dialect()) : Result<void>{};
    });
    if (!done) return fail(Error(done.error()).within(title(each)));
    count += ran ? 1 : 0;
  }
  return count;
}

}  // namespace berth::store
