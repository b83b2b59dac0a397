#include "compose/load_context.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "compose/git_reference.h"
#include "compose/short.h"

namespace berth::compose {

std::unexpected<Error> Context::fail_at(Mark mark, std::string message) const {
  return fail(sources.error(mark, std::move(message)));
}

Error Context::at(Mark mark, std::string_view key, const Error& error) const {
  Error out = sources.error(mark, fmt::format("{}: {}", key, error.message));
  out.code = error.code;
  return out;
}

Error Context::at_url(Mark mark, std::string_view key, const Error& error) const {
  Error out = at(mark, key, error);
  out.detail.clear();
  return out;
}

Result<std::string> Context::read(const std::string& path) {
  std::string text = TRY(files.read(path));
  if (budget.files == 0 || !budget.take(1, text.size()))
    return fail(Code::invalid, fmt::format("{}: the project reads too many or too large files", shown(path)));
  --budget.files;
  return text;
}

Result<std::vector<Document>> Context::read_yaml(const std::string& path) {
  std::string text = TRY(read(path));
  const std::uint16_t file = sources.add(shown(path), std::move(text));
  return parse_yaml(sources, file, budget);
}

Result<RemoteFile> Context::locate(const std::string& folder, const std::string& path) const {
  if (!is_remote(path)) return RemoteFile{.path = join_path(folder, path)};
  if (!files.remote)
    return fail(Code::denied, fmt::format("{}: remote files are off, because what they say is run here; allow them "
                                          "with --allow-remote or BERTH_ALLOW_REMOTE=1",
                                          shown_url(path)));
  return files.remote(path);
}

std::string Context::shown(const std::string& path) const {
  const std::string& folder = options.working_dir;
  if (path.size() > folder.size() + 1 && path.starts_with(folder) && path[folder.size()] == '/')
    return path.substr(folder.size() + 1);
  return path;
}

bool is_remote(std::string_view path) {
  return path.contains("://") || path.starts_with("git@");
}

}  // namespace berth::compose
