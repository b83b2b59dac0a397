// Routes about the API itself.
#pragma once

#include "api/route.h"

namespace berth::api {

/// GET /health for everyone.
Routes base_routes();
/// The table with GET /openapi.json, for everyone who signed in, which describes it.
Routes with_openapi(Routes routes);
/// What GET /openapi.json of that table says.
Json description(Routes routes);

}  // namespace berth::api
