#include "app/yaml_files.h"

#include <algorithm>

#include "base/text.h"
#include "io/file.h"

namespace berth::app {
namespace {

using compose::Node;

constexpr std::size_t kMostFile = 4u << 20;

bool is_yaml(std::string_view name) {
  return !name.starts_with('.') && (name.ends_with(".yml") || name.ends_with(".yaml"));
}

Result<std::vector<std::string>> files_of(const std::vector<std::string>& paths) {
  std::vector<std::string> out;
  for (const std::string& path : paths) {
    const auto names = io::list_folder(path);
    if (!names) {
      out.push_back(path);
      continue;
    }
    std::vector<std::string> found;
    for (const std::string& name : *names) {
      if (is_yaml(name)) found.push_back(path + "/" + name);
    }
    std::ranges::sort(found);
    std::ranges::move(found, std::back_inserter(out));
  }
  return out;
}

compose::Mark place_of(const Node& root, const std::vector<std::string>& path) {
  const Node* at = &root;
  compose::Mark mark = root.mark;
  for (const std::string& key : path) {
    const auto next = std::ranges::find_if(at->items, [&](const Node& item) {
      const bool numbered = at->is_list() && key == std::to_string(&item - at->items.data());
      return numbered || (at->is_map() && equal_fold(item.key, key));
    });
    if (next == at->items.end()) break;
    at = &*next;
    mark = at->key_mark.line != 0 ? at->key_mark : at->mark;
  }
  return mark;
}

Result<void> read_file(const std::string& path, compose::Budget& budget, YamlFiles& out) {
  std::string text = TRY(io::read_file(path));
  if (text.size() > kMostFile) return fail(Code::invalid, path + " is larger than 4 MiB");
  const std::uint16_t file = out.sources.add(path, std::move(text));
  for (compose::Document& document : TRY(compose::parse_yaml(out.sources, file, budget))) {
    const Node& root = document.root;
    if (root.is_null()) continue;
    if (!root.is_map())
      return fail(out.sources.error(root.mark, "is " + std::string(root.kind_name()) + ", not a map"));
    out.names.push_back(path);
    out.trees.push_back(compose::to_json(root));
    out.roots.push_back(std::move(document.root));
  }
  return {};
}

}  // namespace

Result<YamlFiles> read_yaml_files(const std::vector<std::string>& paths) {
  compose::Budget budget;
  YamlFiles out;
  for (const std::string& path : TRY(files_of(paths))) TRY(read_file(path, budget, out));
  return out;
}

Error error_at(const YamlFiles& files, std::size_t document, const std::vector<std::string>& path,
               std::string message) {
  return files.sources.error(place_of(files.roots[document], path), std::move(message));
}

Error placed(const YamlFiles& files, std::size_t document, Error error) {
  std::vector<std::string> path;
  for (const std::string_view key : split(cut(error.message, ':').before, '.')) path.emplace_back(key);
  Error out = error_at(files, document, path, std::move(error.message));
  // The text that the error is about says more than the file's line.
  if (!error.detail.empty()) out.detail = std::move(error.detail);
  return out;
}

}  // namespace berth::app
