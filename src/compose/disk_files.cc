#include "compose/disk_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace berth::compose {
namespace {

constexpr std::size_t kMostBytes = 16u << 20;

Result<std::string> read_all(int fd, const std::string& path) {
  std::string text;
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const bool folder = errno == EISDIR;
      return fail(folder ? Code::invalid : Code::internal,
                  folder ? fmt::format("{} is a folder", path) : fmt::format("{}: {}", path, std::strerror(errno)));
    }
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > kMostBytes)
      return fail(Code::invalid, fmt::format("{} is larger than {} MiB", path, kMostBytes >> 20));
  }
}

Result<std::string> read_file(const std::string& path) {
  if (path == "-") return read_all(STDIN_FILENO, "standard input");
  // Not blocking: opening a pipe without a writer must not hang.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return fail(Code::not_found, fmt::format("{} does not exist", path));
    const Code code = errno == EACCES ? Code::denied : Code::internal;
    return fail(code, fmt::format("{} cannot be opened: {}", path, std::strerror(errno)));
  }
  auto text = read_all(fd, path);
  ::close(fd);
  return text;
}

Files::Kind kind_of(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return Files::Kind::absent;
  return S_ISDIR(status.st_mode) ? Files::Kind::folder : Files::Kind::file;
}

std::string real_of(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  return real ? std::string(real.get()) : path;
}

}  // namespace

Files disk_files() {
  return {.read = read_file, .kind = kind_of, .real = real_of};
}

}  // namespace berth::compose
