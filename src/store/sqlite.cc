#include "store/sqlite.h"

#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <unordered_map>

#include "base/hash.h"
#include "io/file.h"
#include "io/seal.h"

namespace berth::store {
namespace {

constexpr int kBusyMilliseconds = 10'000, kPauseMilliseconds = 20;
constexpr std::size_t kStatements = 200;  // kept prepared; features have fewer

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  void operator()(sqlite3_backup* backup) const { sqlite3_backup_finish(backup); }
};
using Handle = std::unique_ptr<sqlite3, Close>;
using Prepared = std::unique_ptr<sqlite3_stmt, Close>;

Code code_of(int status) {
  switch (status & 0xFF) {
    case SQLITE_CONSTRAINT:
      return Code::conflict;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
      return Code::unavailable;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
      return Code::denied;
    case SQLITE_CORRUPT:
      return Code::internal;
    default:
      return Code::invalid;
  }
}

std::string_view advice(int status) {
  switch (status & 0xFF) {
    case SQLITE_BUSY:
      return ": another process writes";
    case SQLITE_FULL:
      return ": make room on the disk";
    case SQLITE_CORRUPT:
      return ": the file is damaged: restore a backup";
    default:
      return "";
  }
}

std::unexpected<Error> trouble(sqlite3* database, int status) {
  const char* text = database ? sqlite3_errmsg(database) : sqlite3_errstr(status);
  return fail(code_of(status), "store: " + std::string(text) + std::string(advice(status)));
}

int bind(sqlite3_stmt* statement, int at, const Value& value) {
  struct Bind {
    sqlite3_stmt* statement;
    int at;
    int operator()(std::monostate) const { return sqlite3_bind_null(statement, at); }
    int operator()(std::int64_t number) const { return sqlite3_bind_int64(statement, at, number); }
    int operator()(double number) const { return sqlite3_bind_double(statement, at, number); }
    int operator()(const std::string& text) const {
      return sqlite3_bind_text64(statement, at, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
    }
    int operator()(const Blob& blob) const {
      return sqlite3_bind_blob64(statement, at, blob.bytes.data(), blob.bytes.size(), SQLITE_STATIC);
    }
  };
  return std::visit(Bind{statement, at}, value);
}

Value column(sqlite3_stmt* statement, int at) {
  const auto bytes = [&](const void* data) {
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, at));
    return size == 0 ? std::string() : std::string(static_cast<const char*>(data), size);
  };
  switch (sqlite3_column_type(statement, at)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(statement, at)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, at);
    case SQLITE_TEXT:
      return bytes(sqlite3_column_text(statement, at));
    case SQLITE_BLOB:
      return Blob{bytes(sqlite3_column_blob(statement, at))};
    default:
      return std::monostate{};
  }
}

Row row_of(sqlite3_stmt* statement) {
  Values values;
  const int count = sqlite3_column_count(statement);
  values.reserve(static_cast<std::size_t>(count));
  for (int at = 0; at < count; ++at) values.push_back(column(statement, at));
  return Row(std::move(values));
}

class Sqlite final : public Connection {
 public:
  explicit Sqlite(Handle database) : database_(std::move(database)) {}
  Dialect dialect() const override { return Dialect::sqlite; }

  Result<void> set_up(bool writes) {
    sqlite3_extended_result_codes(database_.get(), 1);
    sqlite3_busy_timeout(database_.get(), kBusyMilliseconds);
    TRY(use_log());
    for (const char* sql :
         {"PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON", "PRAGMA trusted_schema=OFF",
          "PRAGMA case_sensitive_like=ON", "PRAGMA journal_size_limit=67108864", "PRAGMA cache_size=-512"})
      TRY(plain(sql));
    return writes ? Result<void>{} : plain("PRAGMA query_only=ON");
  }

 protected:
  Result<void> begin(Kind kind) override { return plain(kind == Kind::read ? "BEGIN" : "BEGIN IMMEDIATE"); }
  Result<void> commit() override { return plain("COMMIT"); }
  // After some failures SQLite did it by itself.
  void roll_back() override {
    if (!sqlite3_get_autocommit(database_.get())) (void)plain("ROLLBACK");
  }

  Result<Answer> execute(std::string_view sql, const Values& parameters) override {
    sqlite3_stmt* statement = TRY(prepared(sql));
    auto answer = step_through(statement, parameters);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return answer;
  }

 private:
  Result<void> plain(const char* sql) {
    const int status = sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr);
    if (status != SQLITE_OK) return trouble(database_.get(), status);
    return {};
  }

  // Of two that change the mode of a new file at once one is told "busy" without any waiting.
  Result<void> use_log() {
    for (int waited = 0;; waited += kPauseMilliseconds) {
      auto done = plain("PRAGMA journal_mode=WAL");
      if (done || waited >= kBusyMilliseconds || (sqlite3_errcode(database_.get()) & 0xFF) != SQLITE_BUSY) return done;
      sqlite3_sleep(kPauseMilliseconds);
    }
  }

  Result<sqlite3_stmt*> prepared(std::string_view sql) {
    const auto found = statements_.find(std::string(sql));
    if (found != statements_.end()) return found->second.get();
    if (statements_.size() >= kStatements) statements_.clear();
    sqlite3_stmt* made = nullptr;
    const char* rest = nullptr;
    const int status = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                          SQLITE_PREPARE_PERSISTENT, &made, &rest);
    Prepared statement(made);
    if (status != SQLITE_OK) return trouble(database_.get(), status);
    if (!made) return fail(Code::invalid, "store: an empty statement");
    if (!split_statements({rest, sql.data() + sql.size()}).empty())
      return fail(Code::invalid, "store: two statements where one belongs");
    return (statements_[std::string(sql)] = std::move(statement)).get();
  }

  Result<Answer> step_through(sqlite3_stmt* statement, const Values& parameters) {
    if (static_cast<std::size_t>(sqlite3_bind_parameter_count(statement)) != parameters.size())
      return fail(Code::invalid, "store: a statement has another number of parameters than it was given");
    for (std::size_t at = 0; at < parameters.size(); ++at)
      if (const int status = bind(statement, static_cast<int>(at) + 1, parameters[at]); status != SQLITE_OK)
        return trouble(database_.get(), status);
    Answer answer;
    const auto before = sqlite3_total_changes64(database_.get());
    int status = 0;
    while ((status = sqlite3_step(statement)) == SQLITE_ROW) {
      if (answer.rows.size() == kMostRows) return too_many_rows();
      answer.rows.push_back(row_of(statement));
    }
    if (status != SQLITE_DONE) return trouble(database_.get(), status);
    if (sqlite3_total_changes64(database_.get()) != before) answer.changed = sqlite3_changes64(database_.get());
    return answer;
  }

  Handle database_;
  std::unordered_map<std::string, Prepared> statements_;  // by text; gone before database_
};

// The file is made beside and linked to its name, since closing it under that name would drop the locks that SQLite
// holds on it elsewhere in this process (POSIX locks belong to process and file).
Result<void> make_file(const std::string& path) {
  if (io::exists(path)) return {};
  const std::string own = path + "." + to_hex(io::random_bytes(8));
  TRY(io::write_new_file(own, "", 0600));
  const int failure = ::link(own.c_str(), path.c_str()) == 0 ? 0 : errno;
  TRY(io::remove_file(own));
  if (failure != 0 && failure != EEXIST)
    return fail(Code::denied, path + ": the store cannot be made here: " + std::strerror(failure));
  return {};
}

Result<Handle> open_file(const std::string& path, int flags) {
  sqlite3* made = nullptr;
  const int status = sqlite3_open_v2(path.c_str(), &made, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Handle database(made);
  if (status != SQLITE_OK) return fail(std::move(trouble(made, status).error()).within(path));
  return database;
}

Result<void> copy_all(sqlite3* from, sqlite3* to) {
  const std::unique_ptr<sqlite3_backup, Close> backup(sqlite3_backup_init(to, "main", from, "main"));
  if (!backup) return trouble(to, sqlite3_errcode(to));
  // All pages in one step: with a write-ahead log readers and writers go on, and the copy is of one moment.
  const int status = sqlite3_backup_step(backup.get(), -1);
  if (status != SQLITE_DONE) return trouble(nullptr, status);
  return {};
}

Result<std::string> first_text(sqlite3* database, const char* sql) {
  sqlite3_stmt* made = nullptr;
  const int status = sqlite3_prepare_v2(database, sql, -1, &made, nullptr);
  const Prepared statement(made);
  if (status != SQLITE_OK) return trouble(database, status);
  if (const int stepped = sqlite3_step(made); stepped != SQLITE_ROW && stepped != SQLITE_DONE)
    return trouble(database, stepped);
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(made, 0));
  return std::string(text ? text : "");
}

Result<void> look_through(sqlite3* database, const std::string& path) {
  const auto whole = first_text(database, "PRAGMA integrity_check(1)");
  if (!whole || *whole != "ok") return fail(Code::invalid, path + ": it is damaged or no backup of a store");
  const auto ours = first_text(database, "SELECT name FROM sqlite_master WHERE name = 'berth_migrations'");
  if (!ours || ours->empty()) return fail(Code::invalid, path + ": it is no store of berth's");
  return {};
}

}  // namespace

Result<std::unique_ptr<Connection>> connect_sqlite(const std::string& path, bool writes) {
  TRY(make_file(path));
  auto connection = std::make_unique<Sqlite>(TRY(open_file(path, SQLITE_OPEN_READWRITE)));
  if (auto done = connection->set_up(writes); !done) return fail(std::move(done.error()).within(path));
  return connection;
}

Result<void> copy_sqlite(const std::string& path, const std::string& to) {
  const Handle from = TRY(open_file(path, SQLITE_OPEN_READWRITE));
  TRY(io::write_new_file(to, "", 0600));
  const auto copied = [&]() -> Result<void> {
    const Handle target = TRY(open_file(to, SQLITE_OPEN_READWRITE));
    return copy_all(from.get(), target.get());
  }();
  if (!copied) (void)io::remove_file(to);
  return copied;
}

Result<void> replace_sqlite(const std::string& path, const std::string& from) {
  if (!io::exists(from)) return fail(Code::not_found, from + ": no such file");
  const Handle source = TRY(open_file(from, SQLITE_OPEN_READONLY));
  TRY(look_through(source.get(), from));
  TRY(make_file(path));
  const Handle target = TRY(open_file(path, SQLITE_OPEN_READWRITE));
  sqlite3_busy_timeout(target.get(), kBusyMilliseconds);
  return copy_all(source.get(), target.get());
}

}  // namespace berth::store
