// The effects of the ops: one op, one call, no decisions. For apply.cc.
#pragma once

#include <map>
#include <set>
#include <string>

#include "plan/apply.h"

namespace berth::plan {

/// What the effects work with. `results` maps a node to the id of what it made.
struct EffectContext {
  engine::Client& client;
  const ApplyOptions& options;
  std::map<int, std::string>& results;
  std::vector<std::string>& warnings;
  std::set<std::string> verified{};  ///< containers that were read again
};

/// The effect of `node`. Code::moved when a container is not as the plan saw it.
io::Task<Result<void>> take_effect(EffectContext& context, const Node& node);

}  // namespace berth::plan
