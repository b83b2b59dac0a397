// Who the user is on a registry: by docker's config.json, else by what a berth serve for the engine keeps.
#pragma once

#include <functional>
#include <string>

#include "cli/session.h"

namespace berth::cli {

/// X-Registry-Auth for an image reference, "" for none.
io::Task<Result<std::string>> auth_of(Session& session, std::string reference);
/// The same as a function that lives as long as the session.
std::function<io::Task<Result<std::string>>(std::string reference)> auth_by(Session& session);

}  // namespace berth::cli
