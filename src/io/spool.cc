#include "io/spool.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "io/file.h"

namespace berth::io {

namespace {
Error error_of(const std::string& what, int error) {
  const Code code = error == ENOSPC ? Code::unavailable : Code::internal;
  return {code, what + ": " + std::strerror(error)};
}
}  // namespace

Result<Spool> Spool::open(const std::string& folder) {
  TRY(make_folder(folder, 0700));
  std::string path = folder + "/spool-XXXXXX";
  Fd fd(::mkostemp(path.data(), O_CLOEXEC));
  if (!fd) return fail(error_of(folder, errno));
  if (::unlink(path.c_str()) < 0) return fail(error_of(path, errno));
  return Spool(std::move(fd), folder);
}

Result<void> Spool::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(error_of(folder_, errno));
    size_ += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<std::string> Spool::read(std::uint64_t at, std::size_t most) const {
  std::string out(most, '\0');
  while (true) {
    const ssize_t got = ::pread(fd_.get(), out.data(), most, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(error_of(folder_, errno));
    out.resize(static_cast<std::size_t>(got));
    return out;
  }
}

}  // namespace berth::io
