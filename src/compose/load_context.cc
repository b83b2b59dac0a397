#include "compose/load_context.h"

#include <fmt/format.h>

namespace berth::compose {

std::unexpected<Error> Context::fail_at(Mark mark, std::string message) const {
  return fail(sources.error(mark, std::move(message)));
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

std::string Context::shown(const std::string& path) const {
  const std::string& folder = options.working_dir;
  if (path.size() > folder.size() + 1 && path.starts_with(folder) && path[folder.size()] == '/')
    return path.substr(folder.size() + 1);
  return path;
}

}  // namespace berth::compose
