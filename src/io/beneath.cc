#include "io/beneath.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "io/file.h"

namespace berth::io {
namespace {

constexpr std::size_t kDepth = 16;

Error error_of(std::string_view what, const std::string& path, int error) {
  Code code = Code::internal;
  if (error == ENOENT || error == ENOTDIR) code = Code::not_found;
  if (error == EACCES || error == EPERM || error == EROFS) code = Code::denied;
  if (error == EXDEV || error == ELOOP)
    return {Code::denied, std::string(what) + " " + path + ": it leads out of its folder or over a symbolic link"};
  if (error == EEXIST || error == ENOTEMPTY) code = Code::conflict;
  if (error == EISDIR || error == EINVAL || error == ENAMETOOLONG) code = Code::invalid;
  return {code, std::string(what) + " " + path + ": " + std::strerror(error)};
}

int open_beneath(int folder, const char* path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, folder, path, &how, sizeof how));
}

std::string parent_path(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}
std::string last_name(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

Result<void> write_and_sync(int fd, std::string_view text, const std::string& path) {
  TRY(write_fully(fd, text, path));
  if (::fsync(fd) < 0) return fail(error_of("cannot write", path, errno));
  return {};
}

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};
using Dir = std::unique_ptr<DIR, CloseDir>;

// One walk over a tree; `fd` of a folder is handed to fdopendir.
class Walk {
 public:
  Walk(std::size_t most, bool leftovers) : most_(most), leftovers_(leftovers) {}

  Result<void> folder(int fd, const std::string& prefix, std::size_t depth) {
    const Dir dir(::fdopendir(fd));
    if (!dir) {
      ::close(fd);
      return fail(error_of("cannot list", prefix, errno));
    }
    while (const dirent* entry = ::readdir(dir.get())) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") TRY(take(::dirfd(dir.get()), name, prefix, depth));
    }
    return {};
  }

  std::vector<Beneath::Entry> found;

 private:
  Result<void> take(int folder_fd, const std::string& name, const std::string& prefix, std::size_t depth) {
    struct stat status{};
    // What vanished meanwhile is not there.
    if (::fstatat(folder_fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) < 0) return {};
    const bool own = name.starts_with(Beneath::kOwnPrefix);
    const std::string path = prefix.empty() ? name : prefix + '/' + name;
    if (S_ISDIR(status.st_mode)) {
      if (own || name == ".git" || depth == 0) return {};
      const int inner = open_beneath(folder_fd, name.c_str(), O_RDONLY | O_DIRECTORY);
      return inner < 0 ? Result<void>() : folder(inner, path, depth - 1);
    }
    if (!S_ISREG(status.st_mode) || own != leftovers_) return {};
    if (found.size() == most_)
      return fail(Code::invalid, "there are more than " + std::to_string(most_) + " files; keep data in volumes");
    found.push_back({.path = path,
                     .size = static_cast<std::uint64_t>(status.st_size),
                     .changed_at = status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1'000'000});
    return {};
  }

  std::size_t most_;
  bool leftovers_;
};

}  // namespace

Result<Beneath> Beneath::open(const std::string& folder) {
  Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return fail(error_of("cannot open the folder", folder, errno));
  return Beneath(std::move(fd));
}

Result<Fd> Beneath::open_at(const std::string& path, int flags) const {
  Fd fd(open_beneath(fd_.get(), path.empty() ? "." : path.c_str(), flags));
  if (!fd) return fail(error_of("cannot open", path, errno));
  return fd;
}

Result<std::string> Beneath::read(const std::string& path, std::size_t limit) const {
  // O_NONBLOCK: a fifo must not hold us up.
  const Fd fd = TRY(open_at(path, O_RDONLY | O_NONBLOCK));
  struct stat status{};
  if (::fstat(fd.get(), &status) < 0) return fail(error_of("cannot read", path, errno));
  if (!S_ISREG(status.st_mode)) return fail(Code::invalid, path + " is no regular file");
  return read_all(fd.get(), path, limit);
}

Result<std::vector<Beneath::Entry>> Beneath::list(std::size_t most) const {
  Walk walk(most, false);
  Fd fd = TRY(open_at("", O_RDONLY | O_DIRECTORY));
  TRY(walk.folder(fd.release(), "", kDepth));
  std::ranges::sort(walk.found, {}, &Entry::path);
  return std::move(walk.found);
}

Result<void> Beneath::clean() const {
  Walk walk(10'000, true);
  Fd fd = TRY(open_at("", O_RDONLY | O_DIRECTORY));
  TRY(walk.folder(fd.release(), "", kDepth));
  for (const auto& entry : walk.found) {
    const Fd parent = TRY(parent_of(entry.path, false));
    ::unlinkat(parent.get(), last_name(entry.path).c_str(), 0);
  }
  return {};
}

// Each step is opened beneath the one before: a link put in its place is refused.
Result<Fd> Beneath::parent_of(const std::string& path, bool make) const {
  const std::string parent = parent_path(path);
  auto opened = open_at(parent, O_RDONLY | O_DIRECTORY);
  if (opened || !make || opened.error().code != Code::not_found) return opened;
  const Fd above = TRY(parent_of(parent, true));
  if (::mkdirat(above.get(), last_name(parent).c_str(), 0755) < 0 && errno != EEXIST)
    return fail(error_of("cannot make the folder", parent, errno));
  if (::fsync(above.get()) < 0) return fail(error_of("cannot make the folder", parent, errno));
  return open_at(parent, O_RDONLY | O_DIRECTORY);
}

Result<void> Beneath::write(const std::string& path, std::string_view text, int mode) const {
  const Fd parent = TRY(parent_of(path, true));
  const std::string name = last_name(path);
  struct stat status{};
  if (::fstatat(parent.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(status.st_mode))
    return fail(Code::denied, "cannot write " + path + ": there is something else than a regular file");
  static std::atomic<unsigned> count{0};
  const std::string temporary =
      std::string(kOwnPrefix) + std::to_string(::getpid()) + '-' + std::to_string(count.fetch_add(1));
  ::unlinkat(parent.get(), temporary.c_str(), 0);
  const Fd fd(::openat(parent.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!fd) return fail(error_of("cannot write", path, errno));
  auto written = write_and_sync(fd.get(), text, path);
  if (written && ::renameat(parent.get(), temporary.c_str(), parent.get(), name.c_str()) < 0)
    written = fail(error_of("cannot write", path, errno));
  if (!written) {
    ::unlinkat(parent.get(), temporary.c_str(), 0);
    return written;
  }
  if (::fsync(parent.get()) < 0) return fail(error_of("cannot write", path, errno));
  return {};
}

Result<void> Beneath::remove(const std::string& path) const {
  std::optional<Fd> parent = TRY(parent_of(path, false));
  if (::unlinkat(parent->get(), last_name(path).c_str(), 0) < 0) return fail(error_of("cannot remove", path, errno));
  if (::fsync(parent->get()) < 0) return fail(error_of("cannot remove", path, errno));
  for (std::string folder = parent_path(path); !folder.empty(); folder = parent_path(folder)) {
    const Fd above = TRY(parent_of(folder, false));
    if (::unlinkat(above.get(), last_name(folder).c_str(), AT_REMOVEDIR) < 0) break;
  }
  return {};
}

Result<void> rename_to_free(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) < 0)
    return fail(error_of("cannot rename " + from + " to", to, errno));
  TRY(sync_folder(parent_path(from)));
  return sync_folder(parent_path(to));
}

}  // namespace berth::io
