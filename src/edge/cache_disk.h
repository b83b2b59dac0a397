// Where replies that were asked for again are kept beside the memory: one file for each URL, in a folder of its own.
//
// A file never changes: a newer record is another file. What is not in the index is not there, whatever lies in the
// folder. Files go in the order in which they came, but one that was read meanwhile gets another round.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "edge/cache_record.h"
#include "io/file.h"

namespace berth::edge {

/// Any thread. What is marked as blocking belongs on the pool.
class CacheDisk {
 public:
  struct Limits {
    std::uint64_t bytes = 0;  ///< of files
    std::size_t index = 0;    ///< bytes of memory for the index; what does not fit goes as if the files were too large
  };
  using Hash = std::function<std::uint64_t(std::string_view key)>;
  using File = std::uint64_t;      ///< a number, never used twice; 0: none
  using Gone = std::vector<File>;  ///< not in the index any more: for remove(), when no lock is held

  CacheDisk(std::string folder, Limits limits) : folder_(std::move(folder)), limits_(limits) {}

  /// Blocking. Takes the folder and makes an index of what lies there; until then nothing is found or kept.
  /// Code::busy while another process has it, which is no reason not to ask again.
  Result<void> open(const Hash& hash);

  /// Counts as a use.
  File find(std::string_view key, std::uint64_t hash);
  bool is_at(std::string_view key, std::uint64_t hash, File file) const;
  /// Blocking. What is damaged goes.
  Result<CacheRecord> read(std::uint64_t hash, File file, CacheMoment now);
  /// Blocking. A file that is in no index yet, for keep() or remove().
  Result<File> write(std::string_view record);
  /// Into the index, in the place of what was there.
  [[nodiscard]] Gone keep(RecordHead head, std::uint64_t hash, File file);
  [[nodiscard]] Gone drop(std::uint64_t hash);
  void remove(const Gone& gone);
  using Match = std::function<bool(const std::string& key, const std::vector<std::string>& tags)>;
  /// Blocking. How many went; they are gone after a power loss too.
  std::size_t purge(const Match& matches);

  struct Totals {
    std::uint64_t capacity = 0, bytes = 0, files = 0;
  };
  Totals totals() const;

 private:
  struct Entry {
    File file = 0;
    std::string key;
    std::vector<std::string> tags;
    std::uint64_t size = 0;
    std::size_t memory = 0;
    bool used = false;
    std::list<std::uint64_t>::iterator place;
  };
  std::string path_of(File file) const;
  // With the mutex held.
  void index(RecordHead head, std::uint64_t hash, File file, Gone& gone);
  void take_out(std::unordered_map<std::uint64_t, Entry>::iterator at, Gone& gone);
  void make_room(Gone& gone);

  const std::string folder_;
  const Limits limits_;
  mutable std::mutex mutex_;
  std::optional<io::FileLock> lock_;
  bool open_ = false;
  bool wipe_ = false;                          ///< purged before it was open: start empty
  std::unordered_set<std::uint64_t> changed_;  ///< before it was open
  std::unordered_map<std::uint64_t, Entry> entries_;
  std::list<std::uint64_t> order_;  ///< hashes, the next to go first
  std::uint64_t bytes_ = 0;
  std::size_t memory_ = 0;
  File next_ = 1;
};

}  // namespace berth::edge
