// Text to Project: the staged Compose loader. Pure over what `Files` and `LoadOptions` hold.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "compose/project.h"

namespace berth::compose {

/// The local copy of a Compose file that a URL names.
struct RemoteFile {
  std::string path{};        ///< absolute
  std::string repository{};  ///< the folder of all copies of its repository, whichever commit

  friend bool operator==(const RemoteFile&, const RemoteFile&) = default;
};
/// By the URL as it is written: "https://host/shop.git#main:deploy".
using Remotes = std::map<std::string, RemoteFile>;

/// The loader's only view of the world. Paths are absolute and clean; "-" reads standard input.
/// Each function may be called many times and from the calling thread only.
struct Files {
  enum class Kind { absent, file, folder };
  /// The whole text; Code::not_found when there is no such file, Code::invalid for a folder or a file that is too big.
  std::function<Result<std::string>(const std::string& path)> read;
  std::function<Kind(const std::string& path)> kind;
  /// The path with symbolic links resolved; the path itself where that is impossible.
  std::function<std::string(const std::string& path)> real;
  /// Looks up what was fetched before; nothing is fetched during a load. None: remote files are off, and a URL in place
  /// of a file is an error.
  std::function<Result<RemoteFile>(const std::string& url)> remote{};
};

/// Files of a map from absolute path to text; every parent of a path is a folder. For tests and for stored specs.
Files memory_files(std::map<std::string, std::string> texts, Remotes remotes = {});

struct LoadOptions {
  std::string working_dir;                         ///< absolute: the folder the command runs in
  std::vector<std::string> files;                  ///< -f; empty: COMPOSE_FILE, else discovery from working_dir upward
  std::string project_name;                        ///< -p; empty: COMPOSE_PROJECT_NAME, `name:`, the folder's name
  std::string project_directory;                   ///< --project-directory
  std::vector<std::string> env_files;              ///< --env-file; empty: COMPOSE_ENV_FILES, else .env if there is one
  std::vector<std::string> profiles;               ///< --profile, beside COMPOSE_PROFILES
  std::vector<std::string> targets;                ///< services named on the command line; empty: all
  std::map<std::string, std::string> environment;  ///< the process environment
  std::map<std::string, int> scale;                ///< --scale service=n
  bool with_dependencies = true;                   ///< targets bring their dependencies; false: --no-deps
  bool interpolate = true;                         ///< false: --no-interpolate
  bool normalize = true;                           ///< false: --no-normalize
  bool resolve_paths = true;                       ///< false: --no-path-resolution
  bool resolve_environment = true;                 ///< false: --no-env-resolution
  bool check_consistency = true;                   ///< false: --no-consistency
  bool compatibility = false;                      ///< --compatibility, beside COMPOSE_COMPATIBILITY
  bool all_resources = false;                      ///< true: --all-resources keeps networks and volumes no service uses
};

/// The project, or one Error with Code::not_found (a compose file, env file or target service that does not exist) or
/// Code::invalid (everything else). Error.message starts with file:line:column where one is known and Error.detail
/// holds that source line with a caret. Bounded: a hostile file fails within a second and 200 MB.
Result<Project> load(const LoadOptions& options, const Files& files);

/// Whether a path in -f, `include` or `extends` is a URL: "https://host/x.git#ref:path", "git@host:x", "oci://image".
bool is_remote(std::string_view path);

/// The environment as the COMPOSE_* variables are read from it: the process's, over the env files, as far as these can
/// be read.
std::map<std::string, std::string> environment_of(const LoadOptions& options, const Files& files);
/// What a variable like COMPOSE_COMPATIBILITY must say to be on.
bool is_on(std::string_view text);

/// `text` as Compose writes project names: lower case, only [a-z0-9_-], starting with a letter or digit; "" when
/// nothing is left.
std::string normalize_project_name(std::string_view text);

}  // namespace berth::compose
