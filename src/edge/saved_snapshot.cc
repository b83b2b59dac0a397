#include "edge/saved_snapshot.h"

#include <algorithm>

#include "base/text.h"
#include "io/file.h"

namespace berth::edge {
namespace {

constexpr std::size_t kLeast = 64u << 10;  // of changes, before the file is written anew

}  // namespace

Result<std::shared_ptr<const Live>> SavedSnapshot::load() const {
  const std::string text = TRY(io::read_file(path_));
  std::optional<Snapshot> snapshot;
  for (const std::string_view line : split(text, '\n')) {
    auto update = decode_update(line);
    if (!snapshot) {
      auto first = TRY(std::move(update));
      if (!std::holds_alternative<Snapshot>(first))
        return fail(Code::invalid, "snapshot: the file begins with a change");
      snapshot = std::move(std::get<Snapshot>(first));
      continue;
    }
    auto* patch = update ? std::get_if<SnapshotPatch>(&*update) : nullptr;
    if (!patch) break;
    auto next = patched(*snapshot, std::move(*patch));
    if (!next) break;
    snapshot = std::move(*next);
  }
  return Live::make(std::move(*snapshot));
}

void SavedSnapshot::remove_leftovers() const {
  io::remove_leftovers(path_);
}

Result<void> SavedSnapshot::save(std::string_view payload, const Live& live, bool whole) {
  if (whole) return rewrite(std::string(payload));
  if (first_ == 0 || changes_ + payload.size() > std::max(first_, kLeast))
    return rewrite(encode_snapshot(live.snapshot()));
  std::string line = "\n" + std::string(payload);
  std::ranges::replace(line.begin() + 1, line.end(), '\n', ' ');
  auto file = TRY(io::AppendFile::open(path_, 0600));
  changes_ += line.size();
  auto written = file.write(line);
  if (!written) first_ = 0;  // a part of the line may be there
  return written;
}

Result<void> SavedSnapshot::rewrite(std::string text) {
  std::ranges::replace(text, '\n', ' ');  // only where it means nothing: texts have none
  first_ = 0;
  TRY(io::write_file(path_, text, 0600));
  first_ = text.size();
  changes_ = 0;
  return {};
}

}  // namespace berth::edge
