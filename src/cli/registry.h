// Who the user is on a registry, by docker's config.json.
#pragma once

#include <string>

#include "cli/session.h"

namespace berth::cli {

/// X-Registry-Auth for an image reference, "" for none.
io::Task<Result<std::string>> auth_of(Session& session, std::string reference);

}  // namespace berth::cli
