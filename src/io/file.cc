#include "io/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <climits>
#include <ctime>

namespace berth::io {
namespace {

constexpr std::string_view kTemporary = ".XXXXXX";

Error error_of(std::string_view what, const std::string& path, int error) {
  Code code = Code::internal;
  if (error == ENOENT || error == ENOTDIR) code = Code::not_found;
  if (error == EACCES || error == EPERM || error == EROFS) code = Code::denied;
  if (error == EEXIST) code = Code::conflict;
  if (error == EISDIR) code = Code::invalid;
  return Error{code, std::string(what) + " " + path + ": " + std::strerror(error)};
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<void> write_fully(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(error_of("cannot write", path, errno));
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<std::string> read_all(int fd, const std::string& path, std::size_t limit) {
  std::string out;
  char buffer[65536];
  while (true) {
    const ssize_t count = ::read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(error_of("cannot read", path, errno));
    if (count == 0) return out;
    out.append(buffer, static_cast<std::size_t>(count));
    if (out.size() > limit) return fail(Code::invalid, path + " is larger than " + std::to_string(limit) + " bytes");
  }
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail(error_of("cannot read", path, errno));
  return read_all(fd.get(), path, limit);
}

Result<std::string> read_front(const std::string& path, std::size_t most) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail(error_of("cannot read", path, errno));
  std::string out(most, '\0');
  std::size_t size = 0;
  while (size < most) {
    const ssize_t count = ::read(fd.get(), out.data() + size, most - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(error_of("cannot read", path, errno));
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  out.resize(size);
  return out;
}

Result<void> write_new_file(const std::string& path, std::string_view text, int mode) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, static_cast<mode_t>(mode)));
  if (!fd) return fail(error_of("cannot write", path, errno));
  return write_fully(fd.get(), text, path);
}

Result<void> sync_folder(const std::string& path) {
  Fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) < 0) return fail(error_of("cannot write", path, errno));
  return {};
}

Result<void> write_file(const std::string& path, std::string_view text, int mode) {
  std::string temporary = path + std::string(kTemporary);
  Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return fail(error_of("cannot write", path, errno));
  auto done = [&]() -> Result<void> {
    if (::fchmod(fd.get(), static_cast<mode_t>(mode)) < 0) return fail(error_of("cannot write", path, errno));
    TRY(write_fully(fd.get(), text, path));
    if (::fsync(fd.get()) < 0) return fail(error_of("cannot write", path, errno));
    if (::rename(temporary.c_str(), path.c_str()) < 0) return fail(error_of("cannot write", path, errno));
    return {};
  }();
  if (!done) {
    ::unlink(temporary.c_str());
    return done;
  }
  Fd folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder && ::fsync(folder.get()) < 0) return fail(error_of("cannot write", path, errno));
  return {};
}

void remove_leftovers(const std::string& path) {
  const std::string folder = folder_of(path);
  const auto names = list_folder(folder);
  if (!names) return;
  const std::string start = path.substr(path.rfind('/') + 1) + ".";
  for (const std::string& name : *names) {
    const bool ours = name.starts_with(start) && name.size() == start.size() + kTemporary.size() - 1 &&
                      std::all_of(name.begin() + static_cast<std::ptrdiff_t>(start.size()), name.end(),
                                  [](unsigned char c) { return std::isalnum(c) != 0; });
    struct stat status{};
    const std::string leftover = folder + "/" + name;
    if (ours && ::stat(leftover.c_str(), &status) == 0 && status.st_mtime < ::time(nullptr) - 60)
      ::unlink(leftover.c_str());
  }
}

Result<void> make_folder(const std::string& path, int mode) {
  if (::mkdir(path.c_str(), static_cast<mode_t>(mode)) == 0) return {};
  if (errno == ENOENT && folder_of(path) != path) {
    TRY(make_folder(folder_of(path), mode));
    if (::mkdir(path.c_str(), static_cast<mode_t>(mode)) == 0) return {};
  }
  const int error = errno;
  struct stat status{};
  if (error == EEXIST && ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) return {};
  return fail(error_of("cannot make the folder", path, error));
}

Result<void> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) < 0) return fail(error_of("cannot remove", path, errno));
  return {};
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

Result<std::vector<std::string>> list_folder(const std::string& path) {
  DIR* folder = ::opendir(path.c_str());
  if (!folder) return fail(error_of("cannot list", path, errno));
  std::vector<std::string> out;
  while (const dirent* entry = ::readdir(folder)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") out.push_back(name);
  }
  ::closedir(folder);
  std::sort(out.begin(), out.end());
  return out;
}

Result<FileLock> FileLock::take(const std::string& path, int mode) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, static_cast<mode_t>(mode)));
  if (!fd) return fail(error_of("cannot lock", path, errno));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) < 0) {
    if (errno != EWOULDBLOCK) return fail(error_of("cannot lock", path, errno));
    char owner[256];
    const ssize_t count = ::pread(fd.get(), owner, sizeof owner, 0);
    return fail(Code::busy,
                path + " is locked" + (count > 0 ? " by " + std::string(owner, static_cast<std::size_t>(count)) : ""));
  }
  return FileLock(std::move(fd));
}

Result<void> FileLock::describe(std::string_view text) {
  if (::ftruncate(fd_.get(), 0) < 0 || ::pwrite(fd_.get(), text.data(), text.size(), 0) < 0)
    return fail(Code::internal, std::string("cannot write the owner of a lock: ") + std::strerror(errno));
  return {};
}

Result<AppendFile> AppendFile::open(const std::string& path, int mode) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, mode));
  if (!fd) return fail(error_of("cannot write", path, errno));
  return AppendFile(path, std::move(fd));
}

Result<void> AppendFile::write(std::string_view text) {
  return write_fully(fd_.get(), text, path_);
}

std::string own_program() {
  char path[PATH_MAX];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  std::string program = size > 0 ? std::string(path, static_cast<std::size_t>(size)) : "berth";
  constexpr std::string_view gone = " (deleted)";  // the kernel's word for a file that was replaced
  if (program.ends_with(gone)) program.resize(program.size() - gone.size());
  return program;
}

std::string running_program() {
  constexpr const char* self = "/proc/self/exe";
  struct stat runs{}, lies{};
  std::string program = own_program();
  const bool same = ::stat(self, &runs) == 0 && ::stat(program.c_str(), &lies) == 0 && runs.st_dev == lies.st_dev &&
                    runs.st_ino == lies.st_ino;
  return same ? program : self;
}

}  // namespace berth::io
