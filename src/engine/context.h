// The folder of a build as a tar stream, without what .dockerignore names.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "engine/ignore.h"
#include "engine/tar.h"
#include "io/socket.h"
#include "io/task.h"

namespace berth::engine {

struct ContextFolder {
  std::string folder{};  ///< absolute
  IgnorePatterns ignored{};
  std::vector<std::string> always{};  ///< relative paths that are sent although they are ignored
  /// Files that exist only in the tar, in place of those on disk: path and text.
  std::vector<std::pair<std::string, std::string>> injected{};
};

/// A scanned folder that is read while it is sent: memory is bounded by the number of names, not by their content.
/// Files are sent as owned by root, folders before what they hold, names in order, so that equal folders give equal
/// bytes. Sockets and devices are left out. Thread: one at a time.
class BuildContext {
 public:
  /// Blocking. Code::not_found when the folder is missing; Code::denied names a file or folder that cannot be read.
  static Result<BuildContext> scan(ContextFolder folder);
  /// Appends the next pieces of the tar, about 256 KiB; nothing at its end. Blocking. Code::invalid when a file changed
  /// its size meanwhile.
  Result<void> read(std::string& out);
  /// read() on the pool, as an http::Source.
  io::Task<Result<std::string_view>> next();
  std::size_t entries() const { return entries_.size(); }

 private:
  Result<void> walk(const std::string& relative);
  Result<void> visit(const std::string& relative);
  Result<void> open_entry(std::string& out);
  Result<void> read_file(std::string& out);
  std::string absolute(const std::string& relative) const;

  ContextFolder folder_;
  std::deque<TarEntry> entries_;  // still to be sent
  io::Fd file_;                   // of the entry at the front, while it is sent
  std::uint64_t left_ = 0;
  bool ended_ = false;
  std::string piece_;
};

/// Blocking. The patterns of `dockerfile`.dockerignore, else of .dockerignore in the folder, else none.
Result<IgnorePatterns> read_ignore_file(const std::string& folder, const std::string& dockerfile);

}  // namespace berth::engine
