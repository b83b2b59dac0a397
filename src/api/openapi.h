// The OpenAPI 3.1 document of the route table. Pure.
#pragma once

#include <string>

#include "api/route.h"

namespace berth::api {

Json openapi(const Routes& routes, std::string_view version);
/// "container.start" as the route says, else of its path and method: "containers.post".
std::string verb_of(const Route& route);

}  // namespace berth::api
