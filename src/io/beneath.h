// One folder whose files are reached beneath it only: a path that leaves it, or leads over a symbolic link, is refused
// by the kernel (openat2), whoever changes the folder meanwhile.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/socket.h"

namespace berth::io {

/// Blocking; any thread. Paths are relative: "html/index.html". Names that begin with kOwnPrefix are ours, for files
/// that are being written: they are never listed, and taken away by clean().
class Beneath {
 public:
  static constexpr std::string_view kOwnPrefix = ".berth-";

  struct Entry {
    std::string path{};
    std::uint64_t size = 0;
    std::int64_t changed_at = 0;  ///< milliseconds since 1970
  };

  /// Code::not_found, denied.
  static Result<Beneath> open(const std::string& folder);

  /// Code::not_found, invalid for what is no regular file or exceeds `limit` bytes, denied for what leads out.
  Result<std::string> read(const std::string& path, std::size_t limit) const;
  /// Regular files at any depth, by path; symbolic links and what is in hidden git folders are left out. Code::invalid
  /// for more than `most`.
  Result<std::vector<Entry>> list(std::size_t most) const;
  /// The old or the new text after a crash, with its parents made; Code::denied for what leads out.
  Result<void> write(const std::string& path, std::string_view text, int mode) const;
  /// A regular file or link, with parents that became empty.
  Result<void> remove(const std::string& path) const;
  /// Removes what writers that were killed left behind.
  Result<void> clean() const;

 private:
  explicit Beneath(Fd fd) : fd_(std::move(fd)) {}
  Result<Fd> open_at(const std::string& path, int flags) const;
  Result<Fd> parent_of(const std::string& path, bool make) const;

  Fd fd_;
};

/// Renames a folder or file to a name that must be free: Code::conflict when it is taken. Both parents are synced.
Result<void> rename_to_free(const std::string& from, const std::string& to);

}  // namespace berth::io
