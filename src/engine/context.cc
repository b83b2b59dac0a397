#include "engine/context.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "io/file.h"
#include "io/scope.h"

namespace berth::engine {
namespace {

constexpr std::size_t kPiece = 256u << 10;

auto system_error(const std::string& path, std::string_view hint = {}) {
  const Code code = errno == ENOENT ? Code::not_found : errno == EACCES ? Code::denied : Code::internal;
  return fail(code, "build context: " + path + ": " + std::strerror(errno) + std::string(hint));
}
constexpr std::string_view kHint = "; name it in .dockerignore, or allow reading it";

Result<std::vector<std::string>> names_in(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
  if (!folder) return system_error(path, kHint);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<TarEntry::Kind> kind_of(mode_t mode) {
  if (S_ISREG(mode)) return TarEntry::Kind::file;
  if (S_ISDIR(mode)) return TarEntry::Kind::folder;
  if (S_ISLNK(mode)) return TarEntry::Kind::symlink;
  if (S_ISFIFO(mode)) return TarEntry::Kind::fifo;
  return std::nullopt;
}

Result<std::string> link_target(const std::string& path, std::size_t size) {
  std::string target(size + 1, '\0');
  const ssize_t count = ::readlink(path.c_str(), target.data(), target.size());
  if (count < 0) return system_error(path);
  target.resize(static_cast<std::size_t>(count));
  return target;
}

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool is_above(const std::string& folder, const std::vector<std::string>& list) {
  return std::any_of(list.begin(), list.end(), [&](const std::string& path) { return path.starts_with(folder + "/"); });
}

}  // namespace

Result<BuildContext> BuildContext::scan(ContextFolder folder) {
  BuildContext context;
  context.folder_ = std::move(folder);
  struct stat status{};
  if (::stat(context.folder_.folder.c_str(), &status) != 0) return system_error(context.folder_.folder);
  if (!S_ISDIR(status.st_mode))
    return fail(Code::invalid, "build context: " + context.folder_.folder + ": not a folder");
  TRY(context.walk(""));
  return context;
}

std::string BuildContext::absolute(const std::string& relative) const {
  return relative.empty() ? folder_.folder : folder_.folder + "/" + relative;
}

Result<void> BuildContext::walk(const std::string& relative) {
  for (const std::string& name : TRY(names_in(absolute(relative))))
    TRY(visit(relative.empty() ? name : relative + "/" + name));
  return {};
}

Result<void> BuildContext::visit(const std::string& relative) {
  const bool replaced = std::any_of(folder_.injected.begin(), folder_.injected.end(),
                                    [&](const auto& file) { return file.first == relative; });
  if (replaced) return {};
  const bool ignored = folder_.ignored.excludes(relative) && !contains(folder_.always, relative);
  struct stat status{};
  if (ignored && !folder_.ignored.may_return_below(relative) && !is_above(relative, folder_.always)) return {};
  const std::string path = absolute(relative);
  if (::lstat(path.c_str(), &status) != 0) return errno == ENOENT ? Result<void>() : system_error(path);
  const auto kind = kind_of(status.st_mode);
  if (!kind) return {};
  TarEntry entry{.kind = *kind, .path = relative, .mode = status.st_mode & 07777u, .mtime = status.st_mtime};
  if (*kind == TarEntry::Kind::symlink) entry.link = TRY(link_target(path, static_cast<std::size_t>(status.st_size)));
  if (!ignored) entries_.push_back(std::move(entry));
  return *kind == TarEntry::Kind::folder ? walk(relative) : Result<void>();
}

// Begins the entry at the front.
Result<void> BuildContext::open_entry(std::string& out) {
  TarEntry& entry = entries_.front();
  if (entry.kind == TarEntry::Kind::file) {
    const std::string path = absolute(entry.path);
    file_ = io::Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file_) return system_error(path, kHint);
    struct stat status{};
    if (::fstat(file_.get(), &status) != 0) return system_error(path);
    if (!S_ISREG(status.st_mode)) return fail(Code::invalid, "build context: " + path + ": changed while it was sent");
    entry.size = static_cast<std::uint64_t>(status.st_size);
    entry.mode = status.st_mode & 07777u;
  }
  append_tar_header(out, entry);
  left_ = entry.size;
  if (!file_) entries_.pop_front();
  return {};
}

// A part of the open file, and its end where it comes.
Result<void> BuildContext::read_file(std::string& out) {
  const std::string path = absolute(entries_.front().path);
  const std::size_t begin = out.size();
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left_, kPiece));
  out.resize(begin + wanted);
  const ssize_t count = wanted == 0 ? 0 : ::read(file_.get(), out.data() + begin, wanted);
  if (count < 0) return system_error(path);
  if (count == 0 && wanted > 0)
    return fail(Code::invalid, "build context: " + path + ": became smaller while it was sent");
  out.resize(begin + static_cast<std::size_t>(count));
  left_ -= static_cast<std::uint64_t>(count);
  if (left_ > 0) return {};
  append_tar_padding(out, entries_.front().size);
  file_.reset();
  entries_.pop_front();
  return {};
}

Result<void> BuildContext::read(std::string& out) {
  const std::size_t begin = out.size();
  for (auto& [path, text] : folder_.injected) append_tar_file(out, {.path = path}, text);
  folder_.injected.clear();
  while (!entries_.empty() && out.size() - begin < kPiece) {
    if (file_) {
      TRY(read_file(out));
    } else {
      TRY(open_entry(out));
    }
  }
  if (entries_.empty() && !ended_) {
    ended_ = true;
    append_tar_end(out);
  }
  return {};
}

io::Task<Result<std::string_view>> BuildContext::next() {
  piece_.clear();
  Result<void> outcome;
  co_await io::on_pool([&] { outcome = read(piece_); });
  CO_TRY(std::move(outcome));
  co_return std::string_view(piece_);
}

Result<IgnorePatterns> read_ignore_file(const std::string& folder, const std::string& dockerfile) {
  for (const std::string& path : {dockerfile + ".dockerignore", folder + "/.dockerignore"}) {
    auto text = io::read_file(path, 1u << 20);
    if (text) {
      auto patterns = IgnorePatterns::parse(*text);
      if (!patterns) return fail(std::move(patterns.error()).within(path));
      return patterns;
    }
    if (text.error().code != Code::not_found) return fail(std::move(text).error());
  }
  return IgnorePatterns();
}

}  // namespace berth::engine
