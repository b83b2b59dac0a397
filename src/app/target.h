// What the engine says of its containers -> what the edge needs to know. Pure.
#pragma once

#include <vector>

#include "base/json.h"
#include "edge/address.h"

namespace berth::app {

/// `containers` is the reply of GET /containers/json?all=1, `networks` of GET /networks. One list call holds labels,
/// state, addresses and ports of every container, so that a refresh costs two calls however many containers run.
std::vector<edge::Target> targets_of(const Json& containers, const Json& networks);

}  // namespace berth::app
