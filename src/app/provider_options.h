// `providers.docker` of the static configuration: which containers berth serve routes, and how without labels.
#pragma once

#include "base/json.h"
#include "edge/label.h"

namespace berth::app {

/// exposedByDefault, network, constraints, defaultRule, useBindPortIP and allowEmptyServices of `tree`, else
/// LabelOptions' own defaults; Traefik's other keys are known and mean nothing here. Code::invalid, beginning with the
/// key's path, for a value that is wrong and for an unknown key.
Result<edge::LabelOptions> read_provider(const Json& tree);

}  // namespace berth::app
