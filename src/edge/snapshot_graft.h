// Entries that an edge puts into the snapshot it has, whatever that is: core's own, which it must reach before core
// knows anything of the rest. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "edge/snapshot.h"

namespace berth::edge {

struct SnapshotGraft {
  std::uint64_t version = 0;  ///< of what comes of it
  std::vector<Route> routes{};
  std::vector<Service> services{};
  std::vector<Certificate> certificates{};
  friend bool operator==(const SnapshotGraft&, const SnapshotGraft&) = default;
};

/// Routes and services replace those of the same name, certificates those of the same hosts; all come last.
Snapshot grafted(Snapshot base, const SnapshotGraft& graft);

/// JSON text with private keys in it, of a `format` of its own.
inline constexpr int kGraftFormat = 3;
std::string encode_graft(const SnapshotGraft& graft);
/// Code::invalid naming the member that is missing or wrong, never its value.
Result<SnapshotGraft> decode_graft(const Json& json);

}  // namespace berth::edge
