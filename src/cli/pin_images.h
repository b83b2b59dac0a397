// Images by digest: config --resolve-image-digests and --lock-image-digests.
#pragma once

#include "cli/session.h"
#include "compose/project.h"

namespace berth::cli {

/// Names the images of services by what their registries name now. With --lock-image-digests nothing else of the
/// document stays. Asks the engine, which asks the registries.
io::Task<Result<void>> pin_images(Session& session, compose::Project& project);

}  // namespace berth::cli
