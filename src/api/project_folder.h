// The folders of the projects that berth manages: DATA/projects/<name>/ with a Compose file and what belongs to it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::api {

/// One file of a project.
struct ProjectFile {
  std::string path{};  ///< relative: "compose.yaml", "html/index.html"
  std::uint64_t size = 0;
  std::string etag{};  ///< of its bytes, without quotes
  std::int64_t changed_at = 0;
};
/// Path -> bytes.
using FileTexts = std::map<std::string, std::string>;

inline constexpr std::size_t kMostFileBytes = 1u << 20;
inline constexpr std::size_t kMostProjectFiles = 200;
inline constexpr std::size_t kMostProjectBytes = 8u << 20;
inline constexpr std::size_t kMostProjects = 1000;

/// The version of a text: what ETag and If-Match compare.
std::string etag_of(std::string_view text);
/// Compose's rule for a project's name, at most 63 bytes; Code::invalid says which name would do.
Result<void> check_project_name(std::string_view name);
/// Relative, at most 200 bytes and 8 deep, no ".", "..", control characters or names that are ours; Code::invalid.
Result<void> check_file_path(std::string_view path);

/// A project that was made elsewhere and stays there: berth reads and writes these of its files and no others.
struct AdoptedProject {
  std::string folder{};                  ///< absolute
  std::vector<std::string> compose{};    ///< paths in it, in order
  std::vector<std::string> env_files{};  ///< the same; empty: .env
  std::set<std::string> files{};         ///< all that belong to it
};

/// Each call does all or nothing, also when the process is killed in it. Blocking; any thread.
class ProjectFolders {
 public:
  /// `root` is made when missing; what a killed process left half-done in it is removed.
  static Result<ProjectFolders> open(std::string root);

  /// Its folder: in `root`, unless it was adopted.
  std::string path_of(std::string_view name) const;
  bool has(std::string_view name) const;
  std::optional<AdoptedProject> adopted(std::string_view name) const;
  /// From now on it is a project like others, but its folder stays where it is, also when it is removed.
  Result<void> adopt(std::string_view name, AdoptedProject project) const;
  /// Names, sorted.
  Result<std::vector<std::string>> names() const;
  /// Code::conflict for a name that is taken; invalid for names, paths or sizes that are not allowed.
  Result<void> create(std::string_view name, const FileTexts& files) const;
  /// With all its files, unless it was adopted; nothing of the engine's. Code::not_found.
  Result<void> remove(std::string_view name) const;

  /// Code::not_found.
  Result<std::vector<ProjectFile>> files(std::string_view name) const;
  /// Every file, for loading the project.
  Result<FileTexts> texts(std::string_view name) const;
  Result<std::string> read(std::string_view name, const std::string& path) const;
  /// Byte for byte; the new etag. `expected` is an etag, "*" for whatever is there, "" for a new file:
  /// Code::moved when the file is not as expected.
  Result<std::string> write(std::string_view name, const std::string& path, std::string_view text,
                            std::string_view expected) const;
  /// `expected` is an etag or "*"; Code::moved as above. The last Compose file stays: Code::conflict.
  Result<void> remove_file(std::string_view name, const std::string& path, std::string_view expected) const;

 private:
  struct Adopted;
  explicit ProjectFolders(std::string root);
  Result<void> load_adopted() const;
  Result<void> keep_adopted(std::string_view name, const AdoptedProject& project) const;

  std::string root_;
  std::shared_ptr<Adopted> adopted_;
};

/// Names under which Compose looks for a project's file, in its order.
inline constexpr std::string_view kComposeNames[] = {"compose.yaml", "compose.yml", "docker-compose.yml",
                                                     "docker-compose.yaml"};
/// The first of them among `files`; "".
std::string compose_file_of(const FileTexts& files);

}  // namespace berth::api
