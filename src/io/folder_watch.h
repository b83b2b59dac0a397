// Changes of files below folders, by inotify.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/loop.h"

namespace berth::io {

/// What changed: absolute paths of files and folders that came, went or got another content, each once, sorted.
struct FolderChanges {
  std::vector<std::string> paths{};
  bool lost = false;  ///< the kernel dropped events: what else changed is not known
};

/// Thread: its loop's. Symbolic links to folders are not followed below a folder that was added.
class FolderWatch {
 public:
  /// `skip` says of a folder's absolute path that nothing in it matters.
  static Result<std::unique_ptr<FolderWatch>> open(Loop& loop, std::function<bool(const std::string&)> skip = {});
  ~FolderWatch();
  /// A folder with all below it, or one file. Code::not_found when it does not exist, Code::unavailable with what to do
  /// when the kernel allows no more watches.
  Result<void> add(const std::string& path);
  /// The next changes. What a folder that came holds by then is among them.
  Task<Result<FolderChanges>> next();

 private:
  FolderWatch(Loop& loop, std::function<bool(const std::string&)> skip) : loop_(loop), skip_(std::move(skip)) {}
  Result<void> add_below(const std::string& folder, FolderChanges* found);
  Result<void> add_one(const std::string& folder, bool below);
  void take(const char* bytes, std::size_t size, FolderChanges& out);

  struct Watched {
    std::string folder;
    bool below = false;  ///< new folders in it are watched too
  };
  Loop& loop_;
  std::function<bool(const std::string&)> skip_;
  Descriptor descriptor_;
  std::map<int, Watched> watched_;
};

}  // namespace berth::io
