#include "edge/cache_disk.h"

#include <charconv>

namespace berth::edge {
namespace {

constexpr std::size_t kFrontBytes = 64u << 10;  // enough for a head with its tags
constexpr std::size_t kEntryBytes = 192;
constexpr std::size_t kMostChanged = 100'000;
constexpr std::size_t kMostBytes = 1u << 30;

std::optional<std::uint64_t> number_of(const std::string& name) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number, 16);
  if (error != std::errc() || end != name.data() + name.size() || number == 0) return std::nullopt;
  return number;
}

}  // namespace

std::string CacheDisk::path_of(File file) const {
  char digits[17] = {};
  std::to_chars(digits, digits + sizeof digits - 1, file, 16);
  const std::string name = digits;
  return folder_ + "/" + std::string(name.size() < 16 ? 16 - name.size() : 0, '0') + name;
}

Result<void> CacheDisk::open(const Hash& hash) {
  TRY(io::make_folder(folder_, 0700));
  auto lock = TRY(io::FileLock::take(folder_ + "/lock"));
  const auto names = TRY(io::list_folder(folder_));
  Gone gone;
  for (const std::string& name : names) {
    const auto file = number_of(name);  // sorted by name, which is by age
    if (!file) continue;
    const auto front = io::read_front(path_of(*file), kFrontBytes);
    auto head = front ? decode_record_head(*front) : Result<RecordHead>(fail(front.error()));
    const std::lock_guard guard(mutex_);
    next_ = std::max(next_, *file + 1);
    if (!head || wipe_) {
      gone.push_back(*file);
      continue;
    }
    const std::uint64_t code = hash(head->key);
    if (changed_.contains(code))
      gone.push_back(*file);
    else
      index(std::move(*head), code, *file, gone);
  }
  {
    const std::lock_guard guard(mutex_);
    lock_ = std::move(lock);
    // What changed while the files were looked at.
    for (const std::uint64_t code : changed_) {
      if (const auto at = entries_.find(code); at != entries_.end()) take_out(at, gone);
    }
    while (wipe_ && !entries_.empty()) take_out(entries_.begin(), gone);
    changed_.clear();
    wipe_ = false;
    open_ = true;
  }
  remove(gone);
  return {};
}

CacheDisk::File CacheDisk::find(std::string_view key, std::uint64_t hash) {
  const std::lock_guard guard(mutex_);
  const auto at = open_ ? entries_.find(hash) : entries_.end();
  if (at == entries_.end() || at->second.key != key) return 0;
  at->second.used = true;
  return at->second.file;
}

bool CacheDisk::is_at(std::string_view key, std::uint64_t hash, File file) const {
  const std::lock_guard guard(mutex_);
  const auto at = entries_.find(hash);
  return open_ && at != entries_.end() && at->second.file == file && at->second.key == key;
}

Result<CacheRecord> CacheDisk::read(std::uint64_t hash, File file, CacheMoment now) {
  const auto bytes = io::read_file(path_of(file), kMostBytes);
  auto record = bytes ? decode_record(*bytes, now) : Result<CacheRecord>(fail(bytes.error()));
  if (record) return record;
  Gone gone;
  {
    const std::lock_guard guard(mutex_);
    if (const auto at = entries_.find(hash); at != entries_.end() && at->second.file == file) take_out(at, gone);
  }
  remove(gone);
  return record;
}

Result<CacheDisk::File> CacheDisk::write(std::string_view record) {
  File file = 0;
  {
    const std::lock_guard guard(mutex_);
    if (!open_ || record.size() > limits_.bytes / 4) return fail(Code::unavailable, "there is no room on the disk");
    file = next_++;
  }
  if (auto written = io::write_new_file(path_of(file), record); !written) {
    remove({file});
    return fail(std::move(written).error());
  }
  return file;
}

CacheDisk::Gone CacheDisk::keep(RecordHead head, std::uint64_t hash, File file) {
  Gone gone;
  const std::lock_guard guard(mutex_);
  index(std::move(head), hash, file, gone);
  return gone;
}

CacheDisk::Gone CacheDisk::drop(std::uint64_t hash) {
  Gone gone;
  const std::lock_guard guard(mutex_);
  if (!open_) {
    wipe_ = wipe_ || changed_.size() >= kMostChanged;
    if (!wipe_) changed_.insert(hash);
  }
  if (const auto at = entries_.find(hash); at != entries_.end()) take_out(at, gone);
  return gone;
}

void CacheDisk::remove(const Gone& gone) {
  // What cannot be removed is found at the next start.
  for (const File file : gone) static_cast<void>(io::remove_file(path_of(file)));
}

std::size_t CacheDisk::purge(const Match& matches) {
  Gone gone;
  {
    const std::lock_guard guard(mutex_);
    wipe_ = wipe_ || !open_;
    for (auto at = entries_.begin(); at != entries_.end();) {
      const auto next = std::next(at);
      if (matches(at->second.key, at->second.tags)) take_out(at, gone);
      at = next;
    }
  }
  remove(gone);
  if (!gone.empty()) static_cast<void>(io::sync_folder(folder_));
  return gone.size();
}

CacheDisk::Totals CacheDisk::totals() const {
  const std::lock_guard guard(mutex_);
  return {.capacity = limits_.bytes, .bytes = bytes_, .files = entries_.size()};
}

void CacheDisk::index(RecordHead head, std::uint64_t hash, File file, Gone& gone) {
  if (const auto old = entries_.find(hash); old != entries_.end()) take_out(old, gone);
  Entry entry{.file = file, .key = std::move(head.key), .tags = std::move(head.tags), .size = head.size, .place = {}};
  entry.memory = kEntryBytes + entry.key.size();
  for (const std::string& tag : entry.tags) entry.memory += sizeof(std::string) + tag.size();
  entry.place = order_.insert(order_.end(), hash);
  bytes_ += entry.size;
  memory_ += entry.memory;
  entries_.emplace(hash, std::move(entry));
  make_room(gone);
}

void CacheDisk::take_out(std::unordered_map<std::uint64_t, Entry>::iterator at, Gone& gone) {
  gone.push_back(at->second.file);
  bytes_ -= at->second.size;
  memory_ -= at->second.memory;
  order_.erase(at->second.place);
  entries_.erase(at);
}

void CacheDisk::make_room(Gone& gone) {
  while (!order_.empty() && (bytes_ > limits_.bytes || memory_ > limits_.index)) {
    const auto at = entries_.find(order_.front());
    if (at->second.used && order_.size() > 1) {
      at->second.used = false;
      order_.splice(order_.end(), order_, order_.begin());
      continue;
    }
    take_out(at, gone);
  }
}

}  // namespace berth::edge
