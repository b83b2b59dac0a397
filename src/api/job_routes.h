// Jobs over HTTP: what runs, what came of it, and its lines as they come.
#pragma once

#include "api/route.h"
#include "job/runner.h"

namespace berth::api {

/// /jobs. `runner` outlives the routes.
Routes job_routes(job::Runner& runner);

}  // namespace berth::api
