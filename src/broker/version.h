// Which versions of the Engine API pass the broker. Pure.
#pragma once

#include <string_view>

#include "base/error.h"

namespace berth::broker {

/// The minors of what the broker speaks to an engine at least and at most. All goes on as the newest, core's calls too,
/// which are 1.48's at most (engine/feature.h): 1.52 is the last one whose replies still have all that core reads. From
/// 1.53 on the engine's disk usage has other members.
inline constexpr int kOldestMinor = 24, kNewestMinor = 52;

/// Versions 1.`oldest` to 1.`newest` that the engine and we speak; requests go on as the newest.
struct Versions {
  int oldest = 24, newest = 41;
};
/// Of an engine's ApiVersion and MinAPIVersion. Code::unavailable where they are none, or there is no common version:
/// who is too old, and what to do.
Result<Versions> common_versions(std::string_view newest, std::string_view oldest);

}  // namespace berth::broker
