#include "compose/load.h"

#include <fmt/format.h>

#include "compose/load_discover.h"
#include "compose/load_finish.h"
#include "compose/load_stages.h"
#include "compose/short.h"

namespace berth::compose {
namespace {

Result<std::vector<SourceFile>> read_files(Context& context, const std::vector<std::string>& paths) {
  std::vector<SourceFile> files;
  for (const std::string& path : paths) files.push_back({.path = path, .documents = TRY(context.read_yaml(path))});
  return files;
}

// The name of the project is a variable too, and needed before anything is interpolated.
Result<std::string> name_project(Context& context, Found& found, const std::vector<SourceFile>& files) {
  std::vector<const Node*> roots;
  for (const SourceFile& file : files)
    for (const Document& document : file.documents) roots.push_back(&document.root);
  std::string name = TRY(find_name(context, found, roots));
  found.environment["COMPOSE_PROJECT_NAME"] = name;
  return name;
}

// No engine runs that many containers; what asks for them is a mistake or hostile.
Result<void> check_size(const Context& context, const Node& model) {
  constexpr std::size_t kServices = 10'000;
  const Node* services = model.find("services");
  if (services == nullptr || services->items.size() <= kServices) return {};
  return context.fail_at(services->key_mark, fmt::format("there are more than {} services", kServices));
}

Result<void> check_scale(const Project& project, const LoadOptions& options) {
  for (const auto& [name, count] : options.scale)
    if (project.find(name) == nullptr || count < 0)
      return fail(
          count < 0 ? Code::invalid : Code::not_found,
          fmt::format("--scale {}={}: {}", name, count, count < 0 ? "it must not be negative" : "no such service"));
  return {};
}

Result<void> finish(Context& context, const Node& model, Project& project) {
  const LoadOptions& options = context.options;
  if (options.check_consistency) TRY(check_consistency(context, model, project));
  TRY(select_targets(project, options));
  if (!options.all_resources) drop_unused(project);
  TRY(take_extensions(context, model, project));
  TRY(read_service_files(context, model, project));
  if (options.check_consistency) TRY(check_container_names(context, model, project));
  return check_scale(project, options);
}

void warn_unset(Context& context) {
  for (const std::string& name : context.unset)
    context.warnings.push_back(fmt::format("the \"{}\" variable is not set. Defaulting to a blank string.", name));
}

}  // namespace

Result<Project> load(const LoadOptions& options, const Files& files) {
  Context context{.options = options, .files = files};
  Found found = TRY(discover(context));
  auto sources = TRY(read_files(context, found.files));
  const std::string name = TRY(name_project(context, found, sources));

  const Scope scope{.folder = found.folder,
                    .prefix = found.folder,
                    .environment = found.environment,
                    .resolve_paths = options.resolve_paths};
  Node model = TRY(load_model(context, scope, std::move(sources)));
  if (model.items.empty())
    return fail(Code::invalid, fmt::format("{}: empty compose file", context.shown(found.files[0])));
  TRY(check_size(context, model));
  if (options.normalize) normalize(model, name, found.environment);

  Json document = options.interpolate ? TRY(render(context, model)) : to_json(model);
  Project project = divide(std::move(document), found.profiles);
  project.name = name;
  if (found.compatibility) project.separator = '_';
  project.working_dir = found.folder;
  project.repository = std::move(found.repository);
  project.files = std::move(found.files);
  project.env_files = std::move(found.env_files);
  project.environment = std::move(found.environment);
  // A model that still holds variables is shown whole and as it stands: nothing in it can be compared or opened.
  if (options.interpolate) TRY(finish(context, model, project));
  complete(context, model, project);
  warn_unset(context);
  project.warnings = std::move(context.warnings);
  return project;
}

}  // namespace berth::compose
