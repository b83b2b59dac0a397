#include "store/postgres.h"

#include <array>
#include <charconv>
#include <unordered_map>

#include "base/text.h"
#include "io/file.h"
#include "io/process.h"
#include "store/libpq.h"

namespace berth::store {
namespace {

constexpr std::size_t kStatements = 200;  // kept prepared
constexpr int kOldestServer = 130000;
// Any number: what all programs that migrate a store lock ("berth" in ASCII).
constexpr std::string_view kMigrationLock = "SELECT pg_advisory_xact_lock(422508917864)";
// What hangs is given up. A migration may take its time.
constexpr const char* kSettings =
    "SET client_encoding = 'UTF8'; SET standard_conforming_strings = on; SET client_min_messages = warning; "
    "SET bytea_output = 'hex'; SET extra_float_digits = 1; SET statement_timeout = '30s'; SET lock_timeout = '15s'; "
    "SET idle_in_transaction_session_timeout = '60s'";

// Oids of types (pg_type.dat), which never change.
enum Type : Oid {
  kBool = 16,
  kBytea = 17,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kText = 25,
  kOid = 26,
  kFloat4 = 700,
  kFloat8 = 701,
  kNumeric = 1700
};

struct Close {
  const Libpq* pq = nullptr;
  void operator()(PGconn* connection) const { pq->finish(connection); }
  void operator()(PGresult* result) const { pq->clear(result); }
};
using Handle = std::unique_ptr<PGconn, Close>;
using Outcome = std::unique_ptr<PGresult, Close>;

struct Parameters {
  std::vector<Oid> types;
  std::vector<std::string> texts;
  std::vector<const char*> values;
  std::vector<int> lengths, formats;
  std::string signature;  // of the types

  explicit Parameters(const Values& given) {
    texts.reserve(given.size());
    for (const Value& each : given) std::visit(*this, each);
    for (const Oid type : types) signature += std::to_string(type) + ' ';
  }
  void operator()(std::monostate) { add(0, "", nullptr); }
  void operator()(std::int64_t number) { add(kInt8, std::to_string(number)); }
  void operator()(double number) {
    std::array<char, 40> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
    add(kFloat8, std::string(buffer.data(), end.ptr));
  }
  void operator()(const std::string& text) { add(kText, text); }
  void operator()(const Blob& blob) { add(kBytea, blob.bytes); }

 private:
  void add(Oid type, std::string text) {
    texts.push_back(std::move(text));
    add(type, "", texts.back().c_str());
  }
  void add(Oid type, std::string_view, const char* value) {
    types.push_back(type);
    values.push_back(value);
    lengths.push_back(value ? static_cast<int>(texts.back().size()) : 0);
    formats.push_back(type == kBytea ? 1 : 0);
  }
};

template <class T>
Value number_of(std::string_view text) {
  T number{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() ? Value(number) : Value(std::string(text));
}

std::string from_hex(std::string_view text) {  // "\x0aff"
  std::string out;
  for (std::size_t at = 2; at + 1 < text.size(); at += 2) {
    unsigned byte = 0;
    std::from_chars(text.data() + at, text.data() + at + 2, byte, 16);
    out += static_cast<char>(byte);
  }
  return out;
}

Value value_of(Oid type, std::string_view text) {
  switch (type) {
    case kBool:
      return std::int64_t{text == "t"};
    case kInt2:
    case kInt4:
    case kInt8:
    case kOid:
      return number_of<std::int64_t>(text);
    case kFloat4:
    case kFloat8:
      return number_of<double>(text);
    case kNumeric:  // the sum of integers is one
      return text.contains('.') ? number_of<double>(text) : number_of<std::int64_t>(text);
    case kBytea:
      return Blob{from_hex(text)};
    default:
      return std::string(text);
  }
}

Code code_of(std::string_view state) {
  if (state == "08P01") return Code::invalid;
  const auto group = state.substr(0, 2);
  if (group == "23") return Code::conflict;
  if (group == "08" || group == "53" || group == "57" || group == "58" || group == "55" || group == "40")
    return Code::unavailable;
  if (group == "28" || state == "42501" || state == "25006") return Code::denied;
  if (group == "XX") return Code::internal;
  return Code::invalid;
}

class Postgres final : public Connection {
 public:
  Postgres(const Libpq& pq, std::string url) : pq_(pq), url_(std::move(url)) {}
  Dialect dialect() const override { return Dialect::postgres; }

  Result<void> connect() {
    statements_.clear();
    // What the URL says comes after these and wins.
    const std::array<const char*, 8> names{
        "connect_timeout",  "application_name", "keepalives_idle", "keepalives_interval",
        "keepalives_count", "tcp_user_timeout", "dbname",          nullptr};
    const std::array<const char*, 8> values{"10", "berth", "30", "10", "3", "30000", url_.c_str(), nullptr};
    connection_ = Handle(pq_.connectdbParams(names.data(), values.data(), 1), Close{&pq_});
    if (pq_.status(connection_.get()) != CONNECTION_OK) return refused();
    pq_.setNoticeProcessor(connection_.get(), [](void*, const char*) {}, nullptr);
    if (pq_.serverVersion(connection_.get()) < kOldestServer)
      return fail(Code::unavailable, "store: the PostgreSQL server is older than 13: update it");
    return plain(kSettings);
  }

 protected:
  Result<void> begin(Kind kind) override {
    if (!connection_ || pq_.status(connection_.get()) != CONNECTION_OK) TRY(connect());
    committing_ = false;
    switch (kind) {
      case Kind::read:
        return plain("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
      case Kind::write:
        return plain("BEGIN ISOLATION LEVEL SERIALIZABLE");
      case Kind::migrate:  // each statement has to see what others committed while it waited for the lock
        TRY(plain("BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0"));
        return plain(std::string(kMigrationLock).c_str());
    }
    return {};
  }

  Result<void> commit() override {
    committing_ = true;
    auto done = plain("COMMIT");
    if (!done && pq_.status(connection_.get()) != CONNECTION_OK)
      return fail(Code::unavailable,
                  "store: the connection to PostgreSQL broke while a change was committed: it is not known whether it "
                  "was kept");
    return done;
  }

  void roll_back() override {
    const Again again = again_;
    if (pq_.status(connection_.get()) == CONNECTION_OK && pq_.transactionStatus(connection_.get()) != PQTRANS_IDLE)
      (void)plain("ROLLBACK");
    again_ = again;
  }

  Result<Answer> execute(std::string_view sql, const Values& given) override {
    const Parameters parameters(given);
    const std::string name = TRY(prepared(sql, parameters));
    const Outcome outcome(
        pq_.execPrepared(connection_.get(), name.c_str(), static_cast<int>(given.size()), parameters.values.data(),
                         parameters.lengths.data(), parameters.formats.data(), 0),
        Close{&pq_});
    TRY(check(outcome.get()));
    return read(outcome.get());
  }

 private:
  // libpq's text names host, port and user at most.
  std::unexpected<Error> refused() {
    std::string text(trim(pq_.errorMessage(connection_.get())));
    const bool login =
        text.contains("authentication failed") || text.contains("no password supplied") || text.contains("pg_hba.conf");
    connection_.reset();
    return fail(login ? Code::denied : Code::unavailable, "store: PostgreSQL: " + replace_all(text, "\n", " "));
  }

  Result<void> plain(const char* sql) {
    const Outcome outcome(pq_.exec(connection_.get(), sql), Close{&pq_});
    return check(outcome.get());
  }

  Result<void> check(const PGresult* result) {
    const auto status = pq_.resultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return {};
    const char* state = result ? pq_.resultErrorField(result, PG_DIAG_SQLSTATE) : nullptr;
    const char* text = result ? pq_.resultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : nullptr;
    const bool lost = pq_.status(connection_.get()) != CONNECTION_OK;
    const std::string_view code = state ? state : "";
    // Class 40: others were in the way. Of a connection that is lost before the commit nothing was kept.
    if (code.starts_with("40") || (lost && !committing_)) again_ = Again::anew;
    if (lost) return fail(Code::unavailable, "store: the connection to PostgreSQL is lost");
    return fail(code_of(code), "store: " + std::string(text ? text : "PostgreSQL gave no reason"));
  }

  Result<std::string> prepared(std::string_view sql, const Parameters& parameters) {
    const std::string key = parameters.signature + std::string(sql);
    if (const auto found = statements_.find(key); found != statements_.end()) return found->second;
    if (statements_.size() >= kStatements) {
      TRY(plain("DEALLOCATE ALL"));
      statements_.clear();
    }
    const Numbered numbered = number_parameters(sql);
    if (numbered.count != parameters.types.size())
      return fail(Code::invalid, "store: a statement has another number of parameters than it was given");
    const std::string name = "s" + std::to_string(++made_);
    const Outcome outcome(pq_.prepare(connection_.get(), name.c_str(), numbered.sql.c_str(),
                                      static_cast<int>(parameters.types.size()), parameters.types.data()),
                          Close{&pq_});
    TRY(check(outcome.get()));
    return statements_[key] = name;
  }

  Result<Answer> read(const PGresult* result) {
    Answer answer;
    const int rows = pq_.ntuples(result), columns = pq_.nfields(result);
    if (static_cast<std::size_t>(rows) > kMostRows) return too_many_rows();
    answer.rows.reserve(static_cast<std::size_t>(rows));
    for (int row = 0; row < rows; ++row) answer.rows.push_back(row_of(result, row, columns));
    const std::string_view changed = pq_.cmdTuples(const_cast<PGresult*>(result));
    std::from_chars(changed.data(), changed.data() + changed.size(), answer.changed);
    return answer;
  }

  Row row_of(const PGresult* result, int row, int columns) {
    Values values;
    values.reserve(static_cast<std::size_t>(columns));
    for (int at = 0; at < columns; ++at) {
      if (pq_.getisnull(result, row, at)) {
        values.emplace_back();
        continue;
      }
      const auto length = static_cast<std::size_t>(pq_.getlength(result, row, at));
      values.push_back(value_of(pq_.ftype(result, at), {pq_.getvalue(result, row, at), length}));
    }
    return Row(std::move(values));
  }

  const Libpq& pq_;
  std::string url_;
  Handle connection_;
  bool committing_ = false;
  std::uint64_t made_ = 0;
  std::unordered_map<std::string, std::string> statements_;  // types and text -> name at the server
};

struct Options {
  const Libpq& pq;
  PQconninfoOption* first = nullptr;
  char* complaint = nullptr;  // could hold the password

  Options(const Libpq& library, const std::string& url) : pq(library) {
    first = pq.conninfoParse(url.c_str(), &complaint);
  }
  Options(const Options&) = delete;
  ~Options() {
    pq.conninfoFree(first);
    pq.freemem(complaint);
  }
};

std::unexpected<Error> unreadable() {
  return fail(Code::invalid, "store: the PostgreSQL URL cannot be read: postgresql://user:password@host:5432/database");
}

// What is in the URL as variables: an argument would show the password to every user.
Result<std::vector<std::string>> environment_of(const std::string& url) {
  const Libpq* pq = TRY(libpq());
  const Options options(*pq, url);
  if (!options.first) return unreadable();
  std::vector<std::string> out{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "PGCONNECT_TIMEOUT=10"};
  for (const PQconninfoOption* each = options.first; each->keyword; ++each)
    if (each->envvar && each->val && *each->val) out.push_back(std::string(each->envvar) + "=" + each->val);
  return out;
}

constexpr std::string_view kDumpMark = "PGDMP";  // first bytes of pg_dump's custom format

Result<std::string> database_of(const std::string& url) {
  for (const std::string& each : TRY(environment_of(url)))
    if (each.starts_with("PGDATABASE=")) return each.substr(11);
  return fail(Code::invalid, "store: the PostgreSQL URL names no database");
}

// A program of PostgreSQL's on the database of `url`.
io::Task<Result<void>> run_client(std::vector<std::string> argv, std::string url) {
  const std::string name = argv[0];
  auto environment = CO_TRY(environment_of(url));
  auto done = co_await io::run_command(
      {.argv = std::move(argv), .environment = std::move(environment), .errors = io::Command::Pipe::pipe}, "");
  if (!done && done.error().code == Code::not_found)
    co_return fail(Code::unavailable, "store: " + name + " is missing: install the package postgresql-client");
  if (!done) co_return fail(std::move(done.error()));
  if (done->status != 0) co_return fail(Code::unavailable, "store: " + name + ": " + std::string(trim(done->err)));
  co_return Result<void>{};
}

}  // namespace

bool is_postgres(std::string_view where) {
  return where.starts_with("postgresql://") || where.starts_with("postgres://");
}

Result<std::unique_ptr<Connection>> connect_postgres(const std::string& url) {
  const Libpq* pq = TRY(libpq());
  if (!Options(*pq, url).first) return unreadable();
  auto connection = std::make_unique<Postgres>(*pq, url);
  TRY(connection->connect());
  return connection;
}

io::Task<Result<void>> dump_postgres(std::string url, std::string to) {
  CO_TRY(io::write_new_file(to, "", 0600));
  auto done = co_await run_client({"pg_dump", "--format=custom", "--no-password", "--file=" + to}, std::move(url));
  if (!done) (void)io::remove_file(to);
  co_return done;
}

io::Task<Result<void>> undump_postgres(std::string url, std::string from) {
  if (!io::exists(from)) co_return fail(Code::not_found, from + ": no such file");
  const auto front = CO_TRY(io::read_front(from, kDumpMark.size()));
  if (front != kDumpMark) co_return fail(Code::invalid, from + ": it is no dump of a PostgreSQL store");
  const std::string database = CO_TRY(database_of(url));
  co_return co_await run_client({"pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction",
                                 "--exit-on-error", "--no-password", "--dbname=" + database, std::move(from)},
                                std::move(url));
}

}  // namespace berth::store
