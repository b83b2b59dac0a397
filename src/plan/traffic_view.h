// What the edges of an engine send requests to, as a planner sees it. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace berth::plan {

/// What the edges do with the containers of an engine, looked at once.
struct TrafficView {
  bool edge = false;                                           ///< at least one serves
  std::string why{};                                           ///< why none does
  std::map<std::string, std::vector<std::uint16_t>> routed{};  ///< container id -> its ports that requests go to
};

}  // namespace berth::plan
