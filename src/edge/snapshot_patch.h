// What turns one snapshot into the next: core sends this to an edge that has the one before. Pure.
#pragma once

#include <optional>
#include <variant>

#include "edge/snapshot.h"
#include "edge/snapshot_graft.h"
#include "edge/snapshot_splice.h"

namespace berth::edge {

struct SnapshotPatch {
  std::uint64_t base = 0;     ///< version of the snapshot that it is for
  std::uint64_t version = 0;  ///< of what comes of it
  std::optional<Settings> settings{};
  Splices<Route> routes{};
  Splices<Service> services{};
  Splices<Certificate> certificates{};
  Splices<TlsOptions> tls_options{};
  Splices<HttpChallenge> http_challenges{};
  Splices<Certificate> tls_challenges{};
  std::optional<TcpConfig> tcp{};
  std::optional<std::vector<Transport>> transports{};
  /// Nothing changes but the version.
  bool is_empty() const;
  friend bool operator==(const SnapshotPatch&, const SnapshotPatch&) = default;
};

SnapshotPatch patch_between(const Snapshot& base, const Snapshot& next);
/// Code::conflict when it is for another version, Code::invalid when it does not fit.
Result<Snapshot> patched(Snapshot base, SnapshotPatch patch);

/// JSON text with private keys in it, as that of a snapshot. Its `format` is another, so that an edge that knows no
/// patches refuses it; core then sends the snapshot whole.
std::string encode_patch(const SnapshotPatch& patch);

/// What a frame from core holds, and each line of the edge's file but for grafts, which it keeps as changes.
using SnapshotUpdate = std::variant<Snapshot, SnapshotPatch, SnapshotGraft>;
/// Code::invalid naming the member that is missing or wrong, never its value.
Result<SnapshotUpdate> decode_update(std::string_view bytes);

}  // namespace berth::edge
