#include <fmt/format.h>

#include <memory>
#include <set>

#include "compose/git_reference.h"
#include "compose/load.h"
#include "compose/short.h"

namespace berth::compose {

namespace {

// Remote files are off where there are none.
std::function<Result<RemoteFile>(const std::string&)> lookup_of(Remotes remotes) {
  if (remotes.empty()) return {};
  return [remotes = std::move(remotes)](const std::string& url) -> Result<RemoteFile> {
    const auto at = remotes.find(url);
    if (at != remotes.end()) return at->second;
    return fail(Code::not_found, fmt::format("{} is not kept here", shown_url(url)));
  };
}

}  // namespace

Files memory_files(std::map<std::string, std::string> texts, Remotes remotes) {
  struct Tree {
    std::map<std::string, std::string> files;
    std::set<std::string> folders{"/"};
  };
  auto tree = std::make_shared<Tree>();
  tree->files = std::move(texts);
  for (const auto& [path, text] : tree->files)
    for (std::string folder = parent_path(path); tree->folders.insert(folder).second;) folder = parent_path(folder);
  const auto kind = [tree](const std::string& path) {
    if (tree->files.contains(path)) return Files::Kind::file;
    return tree->folders.contains(path) ? Files::Kind::folder : Files::Kind::absent;
  };
  return {.read = [tree](const std::string& path) -> Result<std::string> {
            const auto at = tree->files.find(path);
            if (at != tree->files.end()) return at->second;
            if (tree->folders.contains(path)) return fail(Code::invalid, fmt::format("{} is a folder", path));
            return fail(Code::not_found, fmt::format("{} does not exist", path));
          },
          .kind = kind,
          .real = [](const std::string& path) { return path; },
          .remote = lookup_of(std::move(remotes))};
}

}  // namespace berth::compose
