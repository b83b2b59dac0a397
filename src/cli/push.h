// Pushing the images of services, for `push` and `build --push`.
#pragma once

#include "cli/session.h"
#include "compose/project.h"

namespace berth::cli {

/// What `services` (empty: all) would push: their images and further tags, where they have a build section. Notes each
/// service that has no image name of its own.
Texts pushed_references(const Session& session, const compose::Project& project, const Texts& services);
/// Pushes one image as the user that docker's config.json knows, unless `quiet` with a line of progress before
/// and after.
io::Task<Result<void>> push(Session& session, std::string reference, bool quiet);

}  // namespace berth::cli
