#include <fmt/format.h>

#include <unordered_map>

#include "base/text.h"
#include "compose/load_stages.h"
#include "compose/merge.h"
#include "compose/short.h"
#include "compose/validate.h"

namespace berth::compose {
namespace {

struct Include {
  Mark mark;
  std::vector<std::string> paths{};
  std::vector<std::string> env_files{};
  bool own_env = true;  ///< false: env_file is given
  std::string project_directory{};
};

std::vector<std::string> texts_of(const Node* node) {
  std::vector<std::string> texts;
  if (node == nullptr) return texts;
  if (node->is_text()) texts.push_back(node->text);
  for (const Node& item : node->items) texts.push_back(item.text);
  return texts;
}

Include read_include(const Node& node) {
  Include include{.mark = node.mark};
  if (node.is_text()) {
    include.paths = {node.text};
    return include;
  }
  include.paths = texts_of(node.find("path"));
  include.env_files = texts_of(node.find("env_file"));
  include.own_env = include.env_files.empty();
  include.project_directory = node.text_of("project_directory");
  return include;
}

// Where the included model's relative paths start: absolute, and as seen from the including model.
struct Place {
  std::string folder;
  std::string prefix;
};

Place place_of(const Include& include, const Scope& scope, const std::string& first) {
  if (include.project_directory.empty()) {
    std::string folder = parent_path(first);
    return {.folder = folder, .prefix = relative_path(scope.folder, folder)};
  }
  std::string folder = join_path(scope.folder, include.project_directory);
  if (include.project_directory.starts_with('/')) return {.folder = folder, .prefix = folder};
  return {.folder = folder, .prefix = relative_path(scope.folder, folder)};
}

Result<Environment> environment_of(Context& context, const Include& include, const Scope& scope, const Place& place) {
  std::vector<std::string> paths;
  const std::string own = join_path(place.folder, ".env");
  if (include.own_env && context.files.kind(own) == Files::Kind::file) paths.push_back(own);
  for (const std::string& path : include.env_files)
    if (path != "/dev/null") paths.push_back(join_path(scope.folder, path));
  Environment environment = scope.environment;
  environment.merge(TRY(read_env_files(context, paths, scope.environment)));
  return environment;
}

Result<std::vector<SourceFile>> read_files(Context& context, const Include& include,
                                           const std::vector<std::string>& paths) {
  std::vector<SourceFile> files;
  for (const std::string& path : paths) {
    auto documents = context.read_yaml(path);
    if (!documents && documents.error().code == Code::not_found)
      return fail(context.at(include.mark, "include", documents.error()));
    if (!documents) return fail(std::move(documents).error());
    files.push_back({.path = path, .documents = *std::move(documents)});
  }
  return files;
}

struct Importing {
  std::string_view section;
  const std::vector<NodePath>& resets;
};

// What the including file says of an entry goes over what the included file says.
Result<void> merge_local(Context& context, Node& entry, Node& local, const Importing& importing) {
  std::vector<NodePath> own;
  for (const NodePath& path : importing.resets)
    if (path.size() > 2 && path[0] == importing.section && path[1] == entry.key)
      own.emplace_back(path.begin() + 2, path.end());
  apply_resets(entry, own);
  const Mark key_mark = local.key_mark;
  TRY(merge_entry(context, entry, std::move(local), importing.section));
  local = std::move(entry);
  local.key_mark = key_mark;
  return {};
}

Result<void> import_section(Context& context, Node& imported, Node& model, std::string_view section,
                            const std::vector<NodePath>& resets) {
  Node* from = imported.find(section);
  if (from == nullptr || !from->is_map()) return {};
  Node* to = model.find(section);
  if (to == nullptr || to->is_null()) to = &model.set(section, Node::map_at(from->mark));
  if (!to->is_map()) return context.fail_at(to->mark, fmt::format("{} must be a mapping", section));
  std::unordered_map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < to->items.size(); ++i) index.emplace(to->items[i].key, i);
  for (Node& entry : from->items) {
    const auto local = index.find(entry.key);
    if (local == index.end())
      to->items.push_back(std::move(entry));
    else
      TRY(merge_local(context, entry, to->items[local->second], {section, resets}));
  }
  return {};
}

Result<void> apply_include(Context& context, const Include& include, const Scope& scope, Node& model,
                           const std::vector<NodePath>& resets) {
  std::vector<std::string> paths;
  for (const std::string& path : include.paths) {
    auto located = context.locate(scope.folder, path);
    if (!located) return fail(context.at_url(include.mark, "include", located.error()));
    paths.push_back(std::move(located->path));
  }
  if (paths.empty()) return context.fail_at(include.mark, "include: path is missing");
  if (std::ranges::find(scope.chain, paths[0]) != scope.chain.end())
    return context.fail_at(
        include.mark, fmt::format("include cycle detected: {} include {}", join(scope.chain, " include "), paths[0]));
  const Place place = place_of(include, scope, paths[0]);
  const Environment environment = TRY(environment_of(context, include, scope, place));
  const Scope inner{.folder = place.folder,
                    .prefix = place.prefix,
                    .environment = environment,
                    .resolve_paths = true,
                    .chain = scope.chain};
  Node imported = TRY(load_model(context, inner, TRY(read_files(context, include, paths))));
  for (const std::string_view section : {"services", "volumes", "networks", "secrets", "configs", "models"})
    TRY(import_section(context, imported, model, section, resets));
  return {};
}

}  // namespace

Result<void> apply_includes(Context& context, const Scope& scope, Node& model, const std::vector<NodePath>& resets) {
  const Node list = *model.find("include");
  model.erase("include");
  if (list.is_null()) return {};
  TRY(validate_value(context, list, *find_field(compose_schema(), "include")->type, "include"));
  for (const Node& node : list.items) TRY(apply_include(context, read_include(node), scope, model, resets));
  return {};
}

}  // namespace berth::compose
