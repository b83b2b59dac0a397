// `berth migrate` and `berth store backup|restore`.
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "app/store_verb.h"
#include "app/verbs.h"
#include "cli/exit_status.h"
#include "io/file.h"
#include "io/wall.h"
#include "store/backup.h"

namespace berth::app {
namespace {

constexpr std::string_view kMigrateHelp =
    "Usage: berth migrate [FLAGS]\n\n"
    "Brings the store to the schema of this program, as berth serve does at its start; run twice it changes nothing. "
    "A\n"
    "store that a newer berth changed is refused. Of a file a copy is kept before: berth.db.before-migration.\n\n"
    "Flags:\n"
    "  --data DIR       data folder of berth serve (default /var/lib/berth)\n"
    "  --store URL      the store itself (default: BERTH_STORE, else what berth serve used last in DIR)\n"
    "  --format FORMAT  table or json (default table)\n";

constexpr std::string_view kStoreHelp =
    "Usage: berth store backup FILE [FLAGS]\n"
    "       berth store restore FILE [FLAGS]\n\n"
    "backup copies the store as of one moment into the new file FILE while berth serve works. restore puts such a copy "
    "in\n"
    "place of all that is in the store, and first keeps that as a file of its own. It refuses while a berth serve "
    "runs.\n"
    "What is sealed opens with DATA/keys/store.key alone, which no copy holds: keep that file too.\n\n"
    "Flags:\n"
    "  --data DIR       data folder of berth serve (default /var/lib/berth)\n"
    "  --store URL      the store itself (default: BERTH_STORE, else what berth serve used last in DIR)\n"
    "  -y, --yes        restore: do not ask\n"
    "  --format FORMAT  table or json (default table)\n";

Result<StoreFlags> parse(const std::vector<std::string>& words, std::string_view verb) {
  StoreFlags flags;
  Arguments arguments(words);
  while (arguments.next()) TRY(take_store_flag(arguments, flags, verb));
  return flags;
}

bool is_url(const std::string& where) {
  return where.contains("://");
}

/// Nobody may serve the data folder meanwhile.
Result<io::FileLock> take_data(const std::string& data) {
  TRY(io::make_folder(data, 0700));
  auto lock = io::FileLock::take(data + "/lock");
  if (!lock) return fail(std::move(lock.error()).within("a berth serve uses this store: stop it first"));
  TRY(lock->describe("process " + std::to_string(::getpid())));
  return lock;
}

struct Migrated {
  std::int64_t all = 0, now = 0;
};

Result<Migrated> count(store::Transaction& transaction, std::int64_t began) {
  const auto row = TRY(transaction.first(
      "SELECT count(*), COALESCE(sum(CASE WHEN applied_at >= ? THEN 1 ELSE 0 END), 0) FROM berth_migrations", {began}));
  return Migrated{.all = row->integer(0), .now = row->integer(1)};
}

io::Task<Result<Migrated>> migrate(std::string where) {
  const std::int64_t began = io::wall_time();
  const auto database = CO_TRY(co_await open_store(std::move(where), true));
  co_return co_await database->read<Migrated>([began](store::Transaction& t) { return count(t, began); });
}

Result<Migrated> run_migrations(const StoreFlags& flags, const Environment& environment) {
  const std::string where = TRY(store_of(flags, environment));
  std::optional<io::FileLock> lock;
  if (!is_url(where)) lock = TRY(take_data(flags.data));
  io::Loop loop;
  return loop.run(migrate(where));
}

Result<void> ask(const StoreFlags& flags, const std::string& where) {
  if (flags.yes) return {};
  const std::string what = is_url(where) ? "the PostgreSQL store" : where;
  if (!io::is_terminal(STDIN_FILENO))
    return fail(Code::denied,
                "restore replaces all users, jobs, settings and the audit log in " + what + ": say --yes");
  if (agreed("Replace all users, jobs, settings and the audit log in " + what + " by " + flags.words[1] + "? [y/N] "))
    return {};
  return fail(Code::cancelled, "nothing was changed");
}

/// A name that no earlier restore took.
std::string kept_file(const std::string& data) {
  return data + "/store.before-restore-" + std::to_string(io::wall_time() / 1'000'000);
}

io::Task<Result<Json>> put_back(std::string where, std::string file, std::string kept) {
  if (!io::exists(file)) co_return fail(Code::not_found, file + ": no such file");
  Json result = Json::object({{"restored", file}});
  if (is_url(where) || io::exists(where)) {
    CO_TRY(co_await store::copy_store(where, kept));
    result.set("before", kept);
  }
  CO_TRY(co_await store::restore_store(where, std::move(file)));
  (void)CO_TRY(co_await open_store(std::move(where), true));
  co_return result;
}

Result<Json> restore(const StoreFlags& flags, const Environment& environment) {
  const std::string where = TRY(store_of(flags, environment));
  const auto lock = TRY(take_data(flags.data));
  TRY(ask(flags, where));
  io::Loop loop;
  return loop.run(put_back(where, flags.words[1], kept_file(flags.data)));
}

Result<Json> back_up(const StoreFlags& flags, const Environment& environment) {
  const std::string where = TRY(store_of(flags, environment));
  if (!is_url(where) && !io::exists(where)) return fail(Code::not_found, where + ": there is no store");
  io::Loop loop;
  TRY(loop.run(store::copy_store(where, flags.words[1])));
  return Json::object({{"file", flags.words[1]}});
}

void print(const Json& result, bool json) {
  if (json) {
    std::printf("%s\n", result.dump(2).c_str());
    return;
  }
  for (const auto& [name, value] : result.members())
    std::printf("%-9s %s\n", name.c_str(), std::string(value.text()).c_str());
}

int misused(std::string_view verb, const std::string& why) {
  std::fprintf(stderr, "berth %s: %s\n", std::string(verb).c_str(), why.c_str());
  return cli::kBadUsage;
}

}  // namespace

int run_migrate(const std::vector<std::string>& arguments, const Environment& environment) {
  const auto flags = parse(arguments, "migrate");
  if (!flags) return misused("migrate", flags.error().message);
  if (flags->help) return std::fputs(std::string(kMigrateHelp).c_str(), stdout) < 0;
  if (!flags->words.empty()) return misused("migrate", "\"" + flags->words[0] + "\" is one word too many");
  const auto done = run_migrations(*flags, environment);
  if (!done) return complain("migrate", done.error());
  if (flags->json)
    std::printf("%s\n", Json::object({{"ran", done->now}, {"migrations", done->all}}).dump(2).c_str());
  else
    std::printf("%lld migrations ran, the store has %lld\n", static_cast<long long>(done->now),
                static_cast<long long>(done->all));
  return cli::kDone;
}

int run_store(const std::vector<std::string>& arguments, const Environment& environment) {
  const auto flags = parse(arguments, "store");
  if (!flags) return misused("store", flags.error().message);
  if (flags->help || flags->words.empty()) return std::fputs(std::string(kStoreHelp).c_str(), stdout) < 0;
  const std::string& verb = flags->words[0];
  if (verb != "backup" && verb != "restore")
    return misused("store", "\"" + verb + "\" is not known here; berth store --help shows what is");
  if (flags->words.size() != 2) return misused("store", "say which file: berth store " + verb + " FILE");
  const auto done = verb == "backup" ? back_up(*flags, environment) : restore(*flags, environment);
  if (!done) return complain("store", done.error());
  print(*done, flags->json);
  return cli::kDone;
}

}  // namespace berth::app
