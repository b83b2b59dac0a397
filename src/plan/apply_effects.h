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
  std::set<int> unrouted{};          ///< RouteContainer nodes whose container asks for no requests
};

/// The effects on images (apply_effects_image.cc); "" for one that makes nothing, else the image's id.
io::Task<Result<std::string>> take_effect(EffectContext& context, const Node& node, const PullImage& op);
io::Task<Result<std::string>> take_effect(EffectContext& context, const Node& node, const BuildImage& op);
io::Task<Result<std::string>> take_effect(EffectContext& context, const Node& node, const RemoveImage& op);
/// Tells how far the effect of `node` is.
void tell(EffectContext& context, const Node& node, std::string detail, Json message = {});

// The effects that take their time, for the container `id` (apply_wait.cc).
io::Task<Result<void>> wait_for(EffectContext& context, const Node& node, const WaitContainer& op, std::string id);
io::Task<Result<void>> route_to(EffectContext& context, const Node& node, const RouteContainer& op, std::string id);
io::Task<Result<void>> drain_of(EffectContext& context, const Node& node, const DrainContainer& op, std::string id);
io::Task<Result<void>> run_hook(EffectContext& context, const Node& node, const ExecHook& op, std::string id);

/// The effect of `node`. Code::moved when a container is not as the plan saw it.
io::Task<Result<void>> take_effect(EffectContext& context, const Node& node);

}  // namespace berth::plan
