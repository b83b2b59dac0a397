#include "store/database.h"

#include <filesystem>
#include <mutex>

#include "base/hash.h"
#include "io/file.h"
#include "io/seal.h"
#include "store/backup.h"
#include "store/migrate.h"
#include "store/postgres.h"
#include "store/sqlite.h"

namespace berth::store {
namespace {

template <class T>
const T* holds(const Values& values, std::size_t column) {
  return column < values.size() ? std::get_if<T>(&values[column]) : nullptr;
}

using Connect = std::function<Result<std::unique_ptr<Connection>>(bool writes)>;

// Connections of one kind, made when they are needed. Thread: the loop's.
class Lines {
 public:
  Lines(Connect connect, bool writes, std::size_t most) : connect_(std::move(connect)), writes_(writes), free_(most) {}

  io::Task<Result<void>> transact(Kind kind, const Work& work) {
    CO_TRY(co_await free_.acquire());
    auto done = co_await attempts(kind, work);
    free_.release();
    co_return done;
  }
  void give(std::unique_ptr<Connection> connection) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(connection));
  }

 private:
  static constexpr int kAttempts = 10;

  // What was in the way needs a moment to be gone; the pauses are of different lengths in different programs.
  io::Task<Result<void>> attempts(Kind kind, const Work& work) {
    for (int attempt = 1;; ++attempt) {
      bool again = false;
      Result<void> done;
      co_await io::on_pool([&] { done = attempt_once(kind, work, again); });
      if (done || !again || attempt == kAttempts) co_return done;
      const auto jitter = reinterpret_cast<std::uintptr_t>(this) / 64 % 16;
      CO_TRY(co_await io::sleep_for(std::chrono::milliseconds((jitter + 4) * static_cast<unsigned>(attempt))));
    }
  }

  // On the pool; whoever has a permit has at most one connection, and only the loop's thread is here otherwise.
  Result<void> attempt_once(Kind kind, const Work& work, bool& again) {
    auto connection = take();
    if (!connection) connection = TRY(connect_(writes_));
    auto done = connection->transact(kind, work);
    again = connection->again() == Again::anew;
    give(std::move(connection));
    return done;
  }

  std::unique_ptr<Connection> take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return nullptr;
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    return connection;
  }

  Connect connect_;
  bool writes_;
  io::Semaphore free_;
  std::mutex mutex_;  // guards idle_
  std::vector<std::unique_ptr<Connection>> idle_;
};

class Opened final : public Database {
 public:
  Opened(std::string where, std::size_t readers)
      : where_(std::move(where)), writer_(connector(), true, 1), readers_(connector(), false, readers) {}

  Result<void> set_up(const Options& options) {
    if (where_.contains("://") && !is_postgres(where_))
      return fail(Code::invalid, "store: a URL begins with postgresql://");  // it is not named: it may hold a password
    if (!options.migrate && !is_postgres(where_) && !io::exists(where_))
      return fail(Code::not_found, where_ + ": there is no store; berth serve or berth migrate makes it");
    auto connection = TRY(connector()(true));
    const Progress so_far = TRY(progress(*connection, options.migrations));
    if (so_far.missing > 0 && !options.migrate)
      return fail(Code::conflict, "store: it is older than this berth: start berth serve, or run berth migrate");
    if (so_far.missing > 0 && so_far.applied > 0 && !is_postgres(where_)) TRY(keep_copy());
    (void)TRY(migrate(*connection, options.migrations));
    writer_.give(std::move(connection));
    return {};
  }

  io::Task<Result<void>> back_up(std::string path) override { co_return co_await copy_store(where_, std::move(path)); }

 protected:
  io::Task<Result<void>> transact(bool writes, Work work) override {
    co_return co_await (writes ? writer_.transact(Kind::write, work) : readers_.transact(Kind::read, work));
  }

 private:
  // What a newer program changes, the older one cannot take back.
  Result<void> keep_copy() {
    const std::string kept = where_ + ".before-migration", made = kept + "." + to_hex(io::random_bytes(8));
    TRY(copy_sqlite(where_, made));
    std::error_code failure;
    std::filesystem::rename(made, kept, failure);
    if (failure) return fail(Code::denied, kept + ": " + failure.message());
    return {};
  }

  Connect connector() const {
    return [where = where_](bool writes) {
      return is_postgres(where) ? connect_postgres(where) : connect_sqlite(where, writes);
    };
  }

  std::string where_;
  Lines writer_, readers_;
};

}  // namespace

bool Row::is_null(std::size_t column) const {
  return column >= values_.size() || std::holds_alternative<std::monostate>(values_[column]);
}

std::int64_t Row::integer(std::size_t column, std::int64_t fallback) const {
  const auto* value = holds<std::int64_t>(values_, column);
  return value ? *value : fallback;
}

double Row::number(std::size_t column, double fallback) const {
  if (const auto* whole = holds<std::int64_t>(values_, column)) return static_cast<double>(*whole);
  const auto* value = holds<double>(values_, column);
  return value ? *value : fallback;
}

std::string Row::text(std::size_t column) const {
  const auto* value = holds<std::string>(values_, column);
  return value ? *value : std::string();
}

std::string Row::bytes(std::size_t column) const {
  const auto* value = holds<Blob>(values_, column);
  return value ? value->bytes : std::string();
}

Result<std::optional<Row>> Transaction::first(std::string_view sql, const Values& parameters) {
  auto rows = TRY(query(sql, parameters));
  if (rows.empty()) return std::optional<Row>();
  return std::optional<Row>(std::move(rows.front()));
}

io::Task<Result<std::unique_ptr<Database>>> Database::open(std::string where, Options options) {
  auto database = std::make_unique<Opened>(std::move(where), options.readers);
  Result<void> done;
  co_await io::on_pool([&] { done = database->set_up(options); });
  if (!done) co_return fail(std::move(done.error()));
  co_return std::unique_ptr<Database>(std::move(database));
}

}  // namespace berth::store
