// Which services an operator holds back: paused ones, whose requests wait, and stopped ones. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "edge/service.h"

namespace berth::app {

/// By the service's name. A service that goes and comes again stays held.
using Holds = std::map<std::string, edge::Hold, std::less<>>;

/// What is kept over a restart of core.
std::string encode_holds(const Holds& holds);
Result<Holds> decode_holds(std::string_view text);

void apply_holds(const Holds& holds, std::vector<edge::Service>& services);

/// For people: "paused, requests wait up to 30s", "stopped: MESSAGE".
std::string text_of(const edge::Hold& hold);

}  // namespace berth::app
