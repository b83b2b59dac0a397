// From the typed document to the Project: which services are on, whether they fit together, their variables.
#pragma once

#include <initializer_list>

#include "compose/load_context.h"

namespace berth::compose {

/// The mark of the deepest member of `path` that the model has.
Mark mark_of(const Node& model, std::initializer_list<std::string_view> path);

/// Divides the document's services by `profiles`, and takes over its other sections.
Project divide(Json document, const std::vector<std::string>& profiles);

/// Whether the parts of an enabled service exist and fit together. `model` is for places.
Result<void> check_consistency(const Context& context, const Node& model, const Project& project);
/// No two services may name the same container.
Result<void> check_container_names(const Context& context, const Node& model, const Project& project);

/// Keeps the targets, with what they depend on; Code::not_found for one that does not exist.
Result<void> select_targets(Project& project, const LoadOptions& options);
/// Drops networks, volumes, secrets and configs that no enabled service uses.
void drop_unused(Project& project);
/// Adds the variables of env_file and the labels of label_file, then drops both keys.
Result<void> read_service_files(Context& context, const Node& model, Project& project);
/// Project::extensions, and whether those of berth are well formed.
Result<void> take_extensions(const Context& context, const Node& model, Project& project);
/// Replicas, dependencies, origins, the whole document anew.
void complete(const Context& context, const Node& model, Project& project);

}  // namespace berth::compose
