// What the command line and the environment leave open: which files, which variables, which name.
#pragma once

#include <string>
#include <vector>

#include "compose/load_context.h"

namespace berth::compose {

struct Found {
  std::vector<std::string> files;      ///< absolute, or "-"
  std::vector<std::string> env_files;  ///< absolute
  std::vector<std::string> profiles;
  bool compatibility = false;  ///< names with '_'
  std::string repository{};    ///< see Project::repository
  std::string folder;          ///< the project's working directory
  Environment environment;     ///< the process environment over the env files
};

/// Code::not_found when there is no compose file, or an env file that was asked for is missing.
Result<Found> discover(Context& context);

/// -p, COMPOSE_PROJECT_NAME, the last `name:` of the files, the folder's name. Code::invalid for a name that is given
/// but not normal, and when nothing is left of it.
Result<std::string> find_name(Context& context, const Found& found, const std::vector<const Node*>& roots);

}  // namespace berth::compose
