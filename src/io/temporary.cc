#include "io/temporary.h"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace berth::io {

Result<TemporaryFolder> TemporaryFolder::make(const std::string& parent, const std::string& name) {
  std::string path = parent + "/" + name + "-XXXXXX";
  if (::mkdtemp(path.data())) return TemporaryFolder(std::move(path));
  const Code code = errno == ENOENT ? Code::not_found : errno == EACCES ? Code::denied : Code::internal;
  return fail(code, "cannot make a temporary folder in " + parent + ": " + std::strerror(errno));
}

TemporaryFolder& TemporaryFolder::operator=(TemporaryFolder&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

TemporaryFolder::~TemporaryFolder() {
  if (!path_.empty()) remove_tree(path_);
}

void remove_tree(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

bool lies_in(const std::string& folder, const std::string& path) {
  std::error_code bad;
  const auto outer = std::filesystem::canonical(folder, bad);
  if (bad) return false;
  const auto inner = std::filesystem::canonical(path, bad);
  if (bad) return false;
  const std::string prefix = outer.string() + "/";
  return inner == outer || inner.string().starts_with(prefix);
}

}  // namespace berth::io
