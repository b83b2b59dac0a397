// Projects, plans and generations as the API shows them. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/project_load.h"
#include "compose/carry_out.h"
#include "plan/observed.h"

namespace berth::api {

/// One project as it runs: what the engine lists of it.
struct Running {
  std::string name{};
  std::vector<Json> containers{};  ///< summaries of GET /containers/json, one-offs aside
};
/// Of the engine's list of containers, by name.
std::vector<Running> running_projects(const Json& containers);

/// {"name", "state", "services": [...], "drift": null, "source", "files", "folder", "updatedAt"} of a list. `paths` are
/// the project's files where berth manages it, else they come from labels.
Json project_item(const Running& running, bool managed, const std::vector<std::string>& paths);
/// The same with every service of the loaded project, whether or not it runs.
Json project_detail(const Running& running, const compose::Project& project, const std::vector<std::string>& paths);

/// {"text", "ops", "tree", "summary", "downtime", "foreign", "warnings"}; values of secrets are left out.
Json show_plan(const compose::Planned& planned);
/// What `plan` puts at risk, as texts.
std::vector<std::string> data_at_risk(const plan::Plan& plan);

/// [{"generation", "at", "who", "command", "note", "summary", "images"}]
std::vector<Json> show_history(const std::vector<compose::GenerationHead>& heads);

/// [{"service", "name", "value", "origin"}]; without `reveal` values are null.
std::vector<Json> show_environment(const compose::Project& project, std::string_view folder, bool reveal);

/// [{"key", "name", "external", "exists", "usedBy", "size"}] of the volumes that the project declares; `usage` is
/// Volumes of GET /system/df, null where the engine does not answer.
std::vector<Json> show_volumes(const compose::Project& project, const Json& usage);

/// What goes when the project is removed with its volumes: {"containers", "networks", "volumes": [{"name", "size",
/// "of"}]}; `of` is the container that an anonymous volume goes with, null for one that the project declares.
Json show_removal(const compose::Planned& down, const Json& usage);

}  // namespace berth::api
