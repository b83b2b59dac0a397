// Who is connected to what: routes, services, containers, networks and volumes as one graph. Pure.
#pragma once

#include <functional>
#include <string>

#include "base/json.h"

namespace berth::api {

struct TopologySource {
  const Json& containers;  ///< the engine's list
  const Json& networks;    ///< the engine's list
  const Json& edge;        ///< {"routes", "services"} as status.json has them; null: no routes are shown
  std::function<bool(const std::string& project)> may_view{};
};
/// {"nodes": [{"id", "kind", "name", "state"}], "edges": [{"from", "to"}]}: each node once, and only edges between
/// nodes. A container that may not be viewed is left out, with what only it is connected to.
Json topology(const TopologySource& source);

}  // namespace berth::api
