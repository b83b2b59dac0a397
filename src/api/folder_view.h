// Paths inside containers and volumes, and what a folder there holds, made of the entries of an engine's archive. Names
// are whatever a program in a container wrote. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "engine/tar_reader.h"

namespace berth::api {

using PathParts = std::vector<std::string>;

/// {"a", "b"} of "/a//b/."; Code::invalid for "..", NUL, and beyond 4,096 bytes.
Result<PathParts> path_parts(std::string_view path);
/// "/a/b"; "/" for none.
std::string path_text(const PathParts& parts);

/// An archive that can be asked for, and what of it is wanted: a name that no query carries (control bytes, no UTF-8)
/// is looked for in the archive of the folder above it.
struct ArchivePlace {
  std::string path{};
  PathParts below{};
};
ArchivePlace archive_place(const PathParts& parts);

/// Fed with the entries of an archive in their order, the first of which is its root.
class FolderView {
 public:
  static constexpr std::size_t kMostItems = 10'000;

  explicit FolderView(PathParts below) : below_(std::move(below)) {}
  /// True for the entry that was asked for itself.
  bool take(const engine::TarFound& entry);
  /// That one, once it came.
  const std::optional<engine::TarFound>& self() const { return self_; }
  /// Folders first, then by name: {"name", "path", "type", "size", "mode", "modifiedAt", "link"}. `path` is
  /// `above`/name, percent-encoded. `size` of a folder is that of all files in it; null unless `whole`.
  Json items(const PathParts& above, bool whole) const;
  /// More than kMostItems: those beyond are left out.
  bool is_cut() const { return cut_; }

 private:
  struct Item {
    std::optional<engine::TarFound> found{};
    std::uint64_t size = 0;
    bool folder = false;
  };
  PathParts below_;
  std::optional<PathParts> root_;
  std::optional<engine::TarFound> self_;
  std::map<std::string, Item, std::less<>> items_;
  bool cut_ = false;
};

/// "file", "folder", "link" or "other".
std::string_view type_text(engine::TarFound::Kind kind);
/// The value of Content-Disposition by RFC 6266 and 8187: to be saved under this name.
std::string attachment(std::string_view name);

}  // namespace berth::api
