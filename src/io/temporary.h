// A folder of our own that is gone with its owner.
#pragma once

#include <string>
#include <utility>

#include "base/error.h"

namespace berth::io {

/// Only its creator can look into it. Making and removing block.
class TemporaryFolder {
 public:
  /// `parent`/`name`-XXXXXX. Code::denied or not_found when `parent` does not allow it.
  static Result<TemporaryFolder> make(const std::string& parent, const std::string& name);
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&& other) noexcept;
  ~TemporaryFolder();
  const std::string& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// Removes what lies at `path`, whatever it is; blocking. Nothing there is fine.
void remove_tree(const std::string& path);
/// Whether `path`, with symbolic links followed, lies in `folder`. Blocking.
bool lies_in(const std::string& folder, const std::string& path);

}  // namespace berth::io
