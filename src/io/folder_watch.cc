#include "io/folder_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "io/edge_wait.h"

namespace berth::io {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kEvents =
    IN_CREATE | IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO;

}  // namespace

Result<std::unique_ptr<FolderWatch>> FolderWatch::open(Loop& loop, std::function<bool(const std::string&)> skip) {
  std::unique_ptr<FolderWatch> watch(new FolderWatch(loop, std::move(skip)));
  watch->descriptor_.fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (watch->descriptor_.fd < 0)
    return fail(Code::unavailable, std::string("cannot watch files: ") + std::strerror(errno) +
                                       "; fs.inotify.max_user_instances may be too small");
  TRY(loop.poller().add(watch->descriptor_));
  return watch;
}

FolderWatch::~FolderWatch() {
  if (descriptor_.fd < 0) return;
  loop_.poller().remove(descriptor_);
  ::close(descriptor_.fd);
}

Result<void> FolderWatch::add(const std::string& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status)) return fail(Code::not_found, path + " does not exist");
  if (fs::is_directory(status)) return add_below(path, nullptr);
  return add_one(fs::path(path).parent_path().string(), false);
}

Result<void> FolderWatch::add_one(const std::string& folder, bool below) {
  const int id = ::inotify_add_watch(descriptor_.fd, folder.empty() ? "." : folder.c_str(), kEvents);
  if (id < 0 && errno == ENOENT) return {};  // gone again
  if (id < 0 && errno == ENOSPC)
    return fail(Code::unavailable, "cannot watch " + folder +
                                       ": the kernel allows no more watches; leave folders out with `ignore`, or raise "
                                       "fs.inotify.max_user_watches");
  if (id < 0) return fail(Code::denied, "cannot watch " + folder + ": " + std::strerror(errno));
  auto& watched = watched_[id];
  watched.folder = folder;
  watched.below = watched.below || below;
  return {};
}

Result<void> FolderWatch::add_below(const std::string& folder, FolderChanges* found) {
  std::vector<std::string> waiting = {folder};
  while (!waiting.empty()) {
    const auto next = std::move(waiting.back());
    waiting.pop_back();
    if (skip_ && skip_(next)) continue;
    // Watched before it is listed, so that nothing comes in between.
    TRY(add_one(next, true));
    std::error_code error;
    for (fs::directory_iterator entry(next, error), end; !error && entry != end; entry.increment(error)) {
      const auto path = entry->path().string();
      if (found) found->paths.push_back(path);
      if (fs::is_directory(entry->symlink_status(error))) waiting.push_back(path);
    }
  }
  return {};
}

void FolderWatch::take(const char* bytes, std::size_t size, FolderChanges& out) {
  for (std::size_t at = 0; at + sizeof(inotify_event) <= size;) {
    inotify_event event;
    std::memcpy(&event, bytes + at, sizeof event);
    const char* name = bytes + at + sizeof event;
    at += sizeof event + event.len;
    if (event.mask & IN_Q_OVERFLOW) out.lost = true;
    const auto watched = watched_.find(event.wd);
    if (watched == watched_.end()) continue;
    if (event.mask & IN_IGNORED) {
      watched_.erase(watched);
      continue;
    }
    if (event.len == 0) continue;
    const auto path = (fs::path(watched->second.folder) / std::string(name, ::strnlen(name, event.len))).string();
    const bool came = (event.mask & (IN_CREATE | IN_MOVED_TO)) != 0;
    const bool folder = (event.mask & IN_ISDIR) != 0;
    if (folder && came && watched->second.below && !add_below(path, &out)) out.lost = true;
    // A folder's own attributes say nothing.
    if (!folder || came || (event.mask & (IN_DELETE | IN_MOVED_FROM)) != 0) out.paths.push_back(path);
  }
}

Task<Result<FolderChanges>> FolderWatch::next() {
  alignas(inotify_event) char buffer[16384];
  FolderChanges out;
  for (;;) {
    const auto count = ::read(descriptor_.fd, buffer, sizeof buffer);
    if (count > 0) {
      take(buffer, static_cast<std::size_t>(count), out);
      continue;
    }
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EAGAIN)
      co_return fail(Code::internal, std::string("cannot read file changes: ") + std::strerror(errno));
    if (!out.paths.empty() || out.lost) break;
    descriptor_.readable = false;
    CO_TRY(co_await EdgeWait(descriptor_.readers, descriptor_.readable));
  }
  std::ranges::sort(out.paths);
  out.paths.erase(std::unique(out.paths.begin(), out.paths.end()), out.paths.end());
  co_return out;
}

}  // namespace berth::io
