// Build contexts from git: which texts name a repository, and its files in a temporary folder.
#pragma once

#include <optional>

#include "base/error.h"
#include "io/task.h"
#include "io/temporary.h"

namespace berth::plan {

struct GitSource {
  std::string url{};
  std::string ref{};     ///< branch, tag or commit; "" for the remote's own head
  std::string folder{};  ///< within the repository, "" for its root
};
/// As docker reads a context: git://, ssh://, git@HOST:, github.com/, and http(s):// ending in .git; then
/// #REF[:FOLDER]. Nothing for what names no repository. Pure.
std::optional<GitSource> parse_git_source(std::string_view text);
/// Whether it is the URL of something else that an engine fetches itself. Pure.
bool is_url(std::string_view text);

struct Checkout {
  io::TemporaryFolder kept;
  std::string folder{};  ///< the context, within it
};
/// Fetches that one commit, with its submodules and without .git, by the git program: 10 minutes at most. Code::invalid
/// for a ref or folder that cannot be; unavailable with git's words when it fails; not_found when git is not installed.
io::Task<Result<Checkout>> check_out(GitSource source, std::string temporary_folder);

}  // namespace berth::plan
