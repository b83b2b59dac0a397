// What is SQLite's alone: its file, and what becomes of it when the disk fails.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <cstring>

#include "io/file.h"
#include "testing/stores.h"

namespace berth::store {
namespace {

constexpr Migration kTable[] = {
    {.number = 1,
     .name = "pairs",
     .sql =
         "CREATE TABLE pairs (id {integer} PRIMARY KEY, twin {integer} NOT NULL); CREATE TABLE other (id {integer})"},
};

struct File : ::testing::Test {
  io::Loop loop;
  berth::testing::EmptyStore store{"sqlite"};
  Result<std::unique_ptr<Database>> open(const std::string& path) {
    return loop.run(Database::open(path, {.migrations = kTable}));
  }
};

unsigned mode_of(const std::string& path) {
  struct stat state{};
  return ::stat(path.c_str(), &state) == 0 ? state.st_mode & 0777 : 0;
}

TEST_F(File, IsItsOwnersAlone) {
  const auto database = open(store.where());
  ASSERT_TRUE(database);
  for (const char* end : {"", "-wal", "-shm"}) EXPECT_EQ(mode_of(store.where() + end), 0600u) << end;
}

TEST_F(File, ThatIsNoneIsRefusedAndLeft) {
  ASSERT_TRUE(io::write_file(store.where(),
                             "no database, but long enough to have a header of one hundred bytes....."
                             "............................................................."));
  EXPECT_EQ(open(store.where()).error().code, Code::invalid);
  EXPECT_TRUE(io::read_file(store.where())->starts_with("no database"));
  EXPECT_FALSE(open(store.folder() + "/none/berth.db"));
  ASSERT_TRUE(io::make_folder(store.folder() + "/folder"));
  EXPECT_FALSE(open(store.folder() + "/folder"));
}

// A file system whose calls that change something fail from the n-th on, or the n-th alone.
struct Faults {
  int until = -1;     // calls that still succeed; -1: all
  bool once = false;  // the calls after the failing one succeed again
  bool fails() {
    if (until < 0) return false;
    if (until > 0) return --until, false;
    if (once) until = -1;
    return true;
  }
} faults;

sqlite3_vfs* real = nullptr;
struct FaultyFile {
  sqlite3_file base;
  sqlite3_file* real;  // behind this one
};
sqlite3_file* under(sqlite3_file* file) {
  return reinterpret_cast<FaultyFile*>(file)->real;
}

int write_or_fail(sqlite3_file* file, const void* data, int size, sqlite3_int64 at) {
  return faults.fails() ? SQLITE_IOERR_WRITE : under(file)->pMethods->xWrite(under(file), data, size, at);
}
int sync_or_fail(sqlite3_file* file, int flags) {
  return faults.fails() ? SQLITE_IOERR_FSYNC : under(file)->pMethods->xSync(under(file), flags);
}
int truncate_or_fail(sqlite3_file* file, sqlite3_int64 size) {
  return faults.fails() ? SQLITE_FULL : under(file)->pMethods->xTruncate(under(file), size);
}
int map_or_fail(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
  if (extend && faults.fails()) return SQLITE_IOERR_SHMMAP;
  return under(file)->pMethods->xShmMap(under(file), page, size, extend, out);
}

// Everything else goes through as it is.
const sqlite3_io_methods kMethods = {
    .iVersion = 2,
    .xClose = [](sqlite3_file* file) { return under(file)->pMethods->xClose(under(file)); },
    .xRead = [](sqlite3_file* file, void* data, int size,
                sqlite3_int64 at) { return under(file)->pMethods->xRead(under(file), data, size, at); },
    .xWrite = write_or_fail,
    .xTruncate = truncate_or_fail,
    .xSync = sync_or_fail,
    .xFileSize = [](sqlite3_file* file,
                    sqlite3_int64* size) { return under(file)->pMethods->xFileSize(under(file), size); },
    .xLock = [](sqlite3_file* file, int lock) { return under(file)->pMethods->xLock(under(file), lock); },
    .xUnlock = [](sqlite3_file* file, int lock) { return under(file)->pMethods->xUnlock(under(file), lock); },
    .xCheckReservedLock = [](sqlite3_file* file,
                             int* out) { return under(file)->pMethods->xCheckReservedLock(under(file), out); },
    .xFileControl = [](sqlite3_file* file, int what,
                       void* data) { return under(file)->pMethods->xFileControl(under(file), what, data); },
    .xSectorSize = [](sqlite3_file* file) { return under(file)->pMethods->xSectorSize(under(file)); },
    .xDeviceCharacteristics =
        [](sqlite3_file* file) { return under(file)->pMethods->xDeviceCharacteristics(under(file)); },
    .xShmMap = map_or_fail,
    .xShmLock = [](sqlite3_file* file, int from, int count,
                   int flags) { return under(file)->pMethods->xShmLock(under(file), from, count, flags); },
    .xShmBarrier = [](sqlite3_file* file) { under(file)->pMethods->xShmBarrier(under(file)); },
    .xShmUnmap = [](sqlite3_file* file, int remove) { return under(file)->pMethods->xShmUnmap(under(file), remove); },
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

int open_under(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
  auto* faulty = reinterpret_cast<FaultyFile*>(file);
  faulty->base.pMethods = nullptr;
  faulty->real = reinterpret_cast<sqlite3_file*>(faulty + 1);
  const int status = real->xOpen(real, name, faulty->real, flags, out);
  if (status == SQLITE_OK) faulty->base.pMethods = &kMethods;
  return status;
}

// The default file system while it lives.
struct FaultyDisk {
  sqlite3_vfs vfs;
  FaultyDisk() {
    sqlite3_initialize();
    real = sqlite3_vfs_find(nullptr);
    vfs = *real;
    vfs.pNext = nullptr;
    vfs.zName = "faulty";
    vfs.szOsFile = static_cast<int>(sizeof(FaultyFile)) + real->szOsFile;
    vfs.xOpen = open_under;
    sqlite3_vfs_register(&vfs, 1);
  }
  ~FaultyDisk() {
    faults = {};
    sqlite3_vfs_unregister(&vfs);
    sqlite3_vfs_register(real, 1);
  }
};

struct Disk : File {
  FaultyDisk disk;

  Result<void> add_pairs(Database& database, std::int64_t first) {
    return loop.run(database.write<void>([first](Transaction& t) -> Result<void> {
      for (std::int64_t id = first; id < first + 50; ++id)
        (void)TRY(t.run("INSERT INTO pairs (id, twin) VALUES (?, ?)", {id, id + 1}));
      (void)TRY(t.run("INSERT INTO other (id) VALUES (?)", {first}));
      return {};
    }));
  }
  std::int64_t count(Database& database, const std::string& table) {
    auto row = loop.run(database.read<std::optional<Row>>(
        [&](Transaction& t) { return t.first("SELECT count(*) FROM " + table, {}); }));
    EXPECT_TRUE(row) << row.error().text();
    return row && *row ? (**row).integer(0) : -1;
  }
};

// A transaction that fails at its n-th call of the disk changes nothing, for every n until it succeeds; and what did
// succeed before is there.
TEST_F(Disk, ThatFailsAtAnyCallOfATransactionChangesNothing) {
  int failures = 0;
  for (const bool once : {false, true}) {
    auto database = open(store.where());
    ASSERT_TRUE(database) << database.error().text();
    for (int call = 0;; ++call) {
      const std::int64_t before = count(**database, "other");
      faults = {.until = call, .once = once};
      const auto done = add_pairs(**database, before * 50);
      faults = {};
      const std::int64_t after = count(**database, "other");
      EXPECT_EQ(after, before + (done ? 1 : 0));
      EXPECT_EQ(count(**database, "pairs"), after * 50);
      if (done) break;
      ++failures;
      if (call % 3 == 0) database = open(store.where());  // another one looks: the log is read again
    }
  }
  EXPECT_GE(failures, 6);
  std::printf("%d failures of the disk in transactions, nothing half done\n", failures);
}

// The same for a store that is made: whatever call fails, the next start has all of it.
TEST_F(Disk, ThatFailsAtAnyCallOfAMigrationLeavesNothingHalf) {
  int failures = 0;
  for (int call = 0;; ++call) {
    const std::string path = store.folder() + "/" + std::to_string(call) + ".db";
    faults = {.until = call};
    const bool made = open(path).has_value();
    faults = {};
    const auto database = open(path);
    ASSERT_TRUE(database) << call << ": " << database.error().text();
    EXPECT_EQ(count(**database, "pairs"), 0);
    EXPECT_EQ(count(**database, "berth_migrations"), 1);
    if (made) break;
    ++failures;
  }
  EXPECT_GE(failures, 10);
  std::printf("%d failures of the disk in migrations, nothing half done\n", failures);
}

}  // namespace
}  // namespace berth::store
