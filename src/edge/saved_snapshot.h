// The file with the edge's last good snapshot: the snapshot on the first line, each change since on one of its own.
#pragma once

#include <string>
#include <string_view>

#include "edge/live.h"

namespace berth::edge {

/// Thread: one at a time.
class SavedSnapshot {
 public:
  /// Nothing is read or written yet. The file's mode is 0600: keys are in it.
  explicit SavedSnapshot(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }

  /// Code::not_found when there is no file; else as decode_update() and Live::make() say. Changes behind one that does
  /// not fit, as after a torn write, are not taken.
  Result<std::shared_ptr<const Live>> load() const;
  /// What a kill amid save() left beside the file.
  void remove_leftovers() const;
  /// `payload`: the update that led to `live`. A change is appended, until changes take more room than a snapshot.
  Result<void> save(std::string_view payload, const Live& live, bool whole);

 private:
  Result<void> rewrite(std::string text);
  std::string path_;
  std::size_t first_ = 0;    ///< bytes of the first line; 0: the file must be written anew
  std::size_t changes_ = 0;  ///< bytes of the others
};

}  // namespace berth::edge
