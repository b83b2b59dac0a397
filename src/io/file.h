// Files: small ones read whole, written so that a crash leaves the old or the new one; locks. Blocking, for small
// files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/socket.h"

namespace berth::io {

/// Code::not_found, Code::denied, or Code::invalid above `limit` bytes.
Result<std::string> read_file(const std::string& path, std::size_t limit = 64u << 20);
/// All that is left to read of an open file; `path` is for errors.
Result<std::string> read_all(int fd, const std::string& path, std::size_t limit);
Result<void> write_fully(int fd, std::string_view text, const std::string& path);
/// At most its first `most` bytes.
Result<std::string> read_front(const std::string& path, std::size_t most);
/// A file that was not there (Code::conflict), not waited for: a power loss may tear it.
Result<void> write_new_file(const std::string& path, std::string_view text, int mode = 0600);
/// What was made and removed in the folder is so after a power loss too.
Result<void> sync_folder(const std::string& path);
/// Temporary file beside it, fsync, rename, fsync of the folder: after a crash there is the old or the new text.
Result<void> write_file(const std::string& path, std::string_view text, int mode = 0644);
/// Temporary files of write_file for `path` that a kill left; those of the last minute may belong to a writer.
void remove_leftovers(const std::string& path);
/// With its parents; an existing one is fine.
Result<void> make_folder(const std::string& path, int mode = 0755);
Result<void> remove_file(const std::string& path);
bool exists(const std::string& path);
/// Names without "." and "..", sorted.
Result<std::vector<std::string>> list_folder(const std::string& path);

/// An exclusive flock(2) on a file, made when missing; held until destroyed. Code::busy when someone holds it.
class FileLock {
 public:
  static Result<FileLock> take(const std::string& path, int mode = 0600);
  /// Replaces what the file says (about the owner).
  Result<void> describe(std::string_view text);
  /// The open file that holds it, for another program in this process's place (io::become).
  int descriptor() const { return fd_.get(); }
  static FileLock adopt(Fd fd) { return FileLock(std::move(fd)); }

 private:
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

/// A log: whole texts are added at the end, also when several processes or threads write (O_APPEND). One an object.
class AppendFile {
 public:
  /// Code::denied, Code::not_found for a missing folder.
  static Result<AppendFile> open(const std::string& path, int mode = 0640);
  Result<void> write(std::string_view text);
  /// A descriptor that open() of another process made.
  static AppendFile on(Fd fd, std::string path) { return AppendFile(std::move(path), std::move(fd)); }
  int descriptor() const { return fd_.get(); }

 private:
  AppendFile(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::string path_;
  Fd fd_;
};

/// The absolute path of this program; what lies there may be newer than what runs.
std::string own_program();
/// A path by which what runs can be started again, also when its file was replaced.
std::string running_program();

}  // namespace berth::io
