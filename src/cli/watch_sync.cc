#include "cli/watch_sync.h"

#include <sys/stat.h>

#include <filesystem>

#include "engine/tar.h"
#include "io/file.h"

namespace berth::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMost = 256u << 20;

Result<void> add(SyncSet& set, const std::string& place, const std::string& source) {
  struct stat status{};
  if (::lstat(source.c_str(), &status) != 0) {
    set.gone.push_back(place);
    return {};
  }
  engine::TarEntry entry{
      .path = place.substr(1), .mode = status.st_mode & 07777u, .mtime = static_cast<std::int64_t>(status.st_mtime)};
  std::error_code error;
  if (S_ISDIR(status.st_mode)) {
    entry.kind = engine::TarEntry::Kind::folder;
    engine::append_tar_header(set.tar, entry);
  } else if (S_ISLNK(status.st_mode)) {
    entry.kind = engine::TarEntry::Kind::symlink;
    entry.link = fs::read_symlink(source, error).string();
    engine::append_tar_header(set.tar, entry);
  } else if (S_ISREG(status.st_mode)) {
    auto content = io::read_file(source, kMost);
    // It may be gone by now: the next change says so.
    if (!content && content.error().code == Code::not_found) return {};
    if (!content) return fail(std::move(content).error());
    entry.size = content->size();
    engine::append_tar_file(set.tar, entry, *content);
  } else {
    return {};  // sockets and devices do not travel
  }
  ++set.files;
  if (set.tar.size() <= kMost) return {};
  return fail(Code::invalid, "more than 256 MiB changed at once; `ignore` what need not be synced, or rebuild");
}

}  // namespace

Result<SyncSet> read_sync(const std::map<std::string, std::string>& sync) {
  SyncSet out;
  for (const auto& [place, source] : sync) {
    if (!place.starts_with('/') || place == "/") continue;
    TRY(add(out, place, source));
  }
  if (out.files > 0) engine::append_tar_end(out.tar);
  return out;
}

std::vector<std::string> files_below(const std::string& path) {
  std::vector<std::string> out = {path};
  std::error_code error;
  if (!fs::is_directory(path, error)) return out;
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator entry(path, options, error), end; !error && entry != end;
       entry.increment(error))
    out.push_back(entry->path().string());
  return out;
}

}  // namespace berth::cli
