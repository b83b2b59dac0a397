// Entry points of `berth serve` beside its two: flags and the static file in Traefik's shape -> edge::EntryPoint.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "edge/tcp_route.h"

namespace berth::app {

/// `entryPoints` of `tree`; ":5432" is opened at each of `hosts`. HTTP is served on web and websecure alone, whose
/// addresses come from other flags. Code::invalid naming the key that is wrong.
Result<std::vector<edge::EntryPoint>> read_entry_points(const Json& tree, const std::vector<std::string>& hosts);

}  // namespace berth::app
