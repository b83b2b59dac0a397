// What goes down a channel to the edge: a snapshot whole, then what changes, one update at a time. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "edge/channel.h"
#include "edge/snapshot_patch.h"

namespace berth::edge {

/// Of one sender, for one channel after the other.
class SnapshotFeed {
 public:
  /// Another edge, or another channel to it: nothing is known of what it has.
  void begin();
  /// A change that leads to the newest snapshot.
  void add(const SnapshotPatch& patch);
  /// What an edge shall have before there is a snapshot. Another one takes its place while it was not sent.
  void add(const SnapshotGraft& graft);
  /// The payload of the next frame; nothing while an answer is awaited, or when the edge has `newest`.
  std::optional<std::string> next(const Snapshot& newest);
  /// What the edge answered. True when next() may have something more.
  bool take(const EdgeEvent& event);

 private:
  struct Pending {
    std::uint64_t base, version;
    std::string payload;
  };
  std::uint64_t has_ = 0;      ///< version that the edge took from this channel; 0: none
  std::uint64_t sent_ = 0;     ///< version that it has not answered for; 0: none
  std::uint64_t refused_ = 0;  ///< whole, so that it is not sent again
  bool whole_ = false;         ///< `sent_` is
  bool grafted_ = false;       ///< `sent_` is of a graft: what it leads to is known to the edge alone
  std::optional<Pending> graft_;
  std::deque<Pending> pending_;
};

}  // namespace berth::edge
