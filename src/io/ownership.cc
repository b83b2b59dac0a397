#include "io/ownership.h"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>

#include "io/socket.h"

namespace berth::io {
namespace {

constexpr int kDeepest = 64;  // folders in folders: ours are few

struct Close {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

std::unexpected<Error> error_of(const std::string& what) {
  return fail(Code::denied, what + ": " + std::strerror(errno));
}

std::string name_of(uid_t user) {
  const passwd* found = ::getpwuid(user);
  return found ? found->pw_name : std::to_string(user);
}

/// Of a tree that is walked: whose it becomes, and where it lies.
struct Owner {
  uid_t user;
  gid_t group;
  dev_t device;
};

Fd open_folder(int at, const char* name, int follow) {
  return Fd(::openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | follow));
}

/// Gives the entry away where it is root's, by a descriptor of it alone. Its status; nothing when it is gone.
std::optional<struct stat> settle(int folder, const char* name, const Owner& owner) {
  const Fd entry(::openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status{};
  if (!entry || ::fstat(entry.get(), &status) != 0 || status.st_dev != owner.device) return std::nullopt;
  const bool alone = S_ISDIR(status.st_mode) || status.st_nlink == 1;
  if (status.st_uid == 0 && alone)
    static_cast<void>(::fchownat(entry.get(), "", owner.user, owner.group, AT_EMPTY_PATH));
  return status;
}

void walk(Fd folder, const Owner& owner, const std::vector<std::string>& except, int depth) {
  const int descriptor = folder.get();
  const std::unique_ptr<DIR, Close> list(::fdopendir(folder.release()));
  if (!list || depth > kDeepest) return;
  while (const dirent* entry = ::readdir(list.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == ".." || std::ranges::find(except, name) != except.end()) continue;
    const auto status = settle(descriptor, name.c_str(), owner);
    if (!status || !S_ISDIR(status->st_mode)) continue;
    if (Fd inner = open_folder(descriptor, name.c_str(), O_NOFOLLOW)) walk(std::move(inner), owner, {}, depth + 1);
  }
}

constexpr int kMostLinks = 40;  // as the kernel follows

bool is_trusted(uid_t user) {
  return user == 0 || user == ::geteuid();
}

/// Whether nobody else could have put the link there: path_resolution(7), inode(7) on the sticky bit.
bool is_settled(const std::string& folder, const struct stat& link) {
  struct stat above{};
  if (::stat(folder.c_str(), &above) != 0 || !is_trusted(above.st_uid)) return false;
  return (above.st_mode & 022) == 0 || ((above.st_mode & S_ISVTX) != 0 && is_trusted(link.st_uid));
}

/// A path that is walked part by part.
struct Walk {
  std::string done{};               ///< without links; "" is the root
  std::vector<std::string> left{};  ///< the next part is the last
  void add(const std::string& path) {
    for (std::size_t end = path.size(); end != 0;) {
      const std::size_t slash = path.rfind('/', end - 1);
      const std::size_t begin = slash == std::string::npos ? 0 : slash + 1;
      if (end > begin) left.push_back(path.substr(begin, end - begin));
      end = slash == std::string::npos ? 0 : slash;
    }
    if (path.starts_with('/')) done.clear();
  }
};

std::optional<std::string> target_of(const std::string& link) {
  char text[PATH_MAX];
  const ssize_t size = ::readlink(link.c_str(), text, sizeof text);
  if (size <= 0 || size == sizeof text) return std::nullopt;
  return std::string(text, static_cast<std::size_t>(size));
}

}  // namespace

std::optional<std::string> settled_path(const std::string& path) {
  Walk walk;
  walk.add(path);
  for (int links = 0; !walk.left.empty();) {
    const std::string part = walk.left.back();
    walk.left.pop_back();
    if (part == ".") continue;
    if (part == "..") {
      walk.done.erase(std::min(walk.done.rfind('/'), walk.done.size()));
      continue;
    }
    const std::string next = walk.done + "/" + part;
    struct stat status{};
    if (::lstat(next.c_str(), &status) != 0 && errno != ENOENT) return std::nullopt;
    if (!S_ISLNK(status.st_mode)) {
      walk.done = next;
      continue;
    }
    const auto target = target_of(next);
    if (!target || ++links > kMostLinks || !is_settled(walk.done + "/", status)) return std::nullopt;
    walk.add(*target);
  }
  return walk.done.empty() ? "/" : walk.done;
}

Result<void> let_pass(const std::string& folder) {
  if (::geteuid() != 0) return {};
  const Fd opened = open_folder(AT_FDCWD, folder.c_str(), 0);
  struct stat status{};
  if (!opened || ::fstat(opened.get(), &status) != 0) return error_of("cannot open the folder " + folder);
  if ((status.st_mode & 0011) == 0011) return {};
  if (::fchmod(opened.get(), (status.st_mode & 07777) | 0011) != 0)
    return error_of("cannot let others pass the folder " + folder);
  return {};
}

bool has_account(const std::string& name) {
  return ::getpwnam(name.c_str()) != nullptr;
}

std::string own_account() {
  return name_of(::geteuid());
}

Result<std::string> owner_of(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return fail(Code::not_found, path + ": " + std::strerror(errno));
  return name_of(status.st_uid);
}

Result<bool> give_folder(const std::string& folder, const std::string& account) {
  if (::geteuid() != 0) return false;
  const passwd* found = ::getpwnam(account.c_str());
  if (!found) return fail(Code::not_found, "no account is called " + account);
  const Fd opened = open_folder(AT_FDCWD, folder.c_str(), 0);
  struct stat status{};
  if (!opened || ::fstat(opened.get(), &status) != 0) return error_of("cannot open the folder " + folder);
  if (status.st_uid != 0) return false;
  if (::fchown(opened.get(), found->pw_uid, found->pw_gid) != 0)
    return error_of("cannot give " + folder + " to " + account);
  return true;
}

Result<void> may_open_folder(const std::string& folder, const std::string& account) {
  if (::geteuid() != 0) return {};
  const passwd* found = ::getpwnam(account.c_str());
  if (!found) return fail(Code::not_found, "no account is called " + account);
  // Of this thread alone, and with them go the capabilities that open every folder (credentials(7)).
  ::setfsgid(found->pw_gid);
  ::setfsuid(found->pw_uid);
  const Fd opened = open_folder(AT_FDCWD, folder.c_str(), 0);
  const auto refused = error_of("cannot open the folder " + folder + " as " + account);
  ::setfsuid(0);
  ::setfsgid(0);
  if (!opened) return refused;
  return {};
}

Result<void> settle_folder(const std::string& folder, const std::vector<std::string>& except) {
  if (::geteuid() != 0) return {};
  Fd opened = open_folder(AT_FDCWD, folder.c_str(), 0);
  struct stat status{};
  if (!opened || ::fstat(opened.get(), &status) != 0) return error_of("cannot open the folder " + folder);
  if (status.st_uid != 0)
    walk(std::move(opened), {.user = status.st_uid, .group = status.st_gid, .device = status.st_dev}, except, 0);
  return {};
}

Result<void> settle_file(const std::string& path) {
  if (::geteuid() != 0) return {};
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const Fd opened = open_folder(AT_FDCWD, folder.c_str(), 0);
  struct stat status{};
  if (!opened || ::fstat(opened.get(), &status) != 0) return error_of("cannot open the folder " + folder);
  if (status.st_uid != 0)
    static_cast<void>(settle(opened.get(), path.substr(slash == std::string::npos ? 0 : slash + 1).c_str(),
                             {.user = status.st_uid, .group = status.st_gid, .device = status.st_dev}));
  return {};
}

}  // namespace berth::io
