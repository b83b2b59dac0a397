#include "edge/snapshot_feed.h"

namespace berth::edge {
namespace {

constexpr std::size_t kMostPending = 256;  // beyond, the snapshot is sent whole

}  // namespace

void SnapshotFeed::begin() {
  *this = SnapshotFeed();
}

void SnapshotFeed::add(const SnapshotPatch& patch) {
  if (has_ == 0 && sent_ == 0) return;  // it goes whole
  if (pending_.size() == kMostPending) pending_.clear();
  pending_.push_back({patch.base, patch.version, encode_patch(patch)});
}

void SnapshotFeed::add(const SnapshotGraft& graft) {
  graft_ = Pending{.base = 0, .version = graft.version, .payload = encode_graft(graft)};
}

std::optional<std::string> SnapshotFeed::next(const Snapshot& newest) {
  grafted_ = sent_ == 0 ? newest.version == 0 && graft_ : grafted_;
  if (sent_ == 0 && grafted_) {
    sent_ = graft_->version;
    whole_ = false;
    return std::exchange(graft_, std::nullopt)->payload;
  }
  if (sent_ != 0 || newest.version == 0 || newest.version == has_ || newest.version == refused_) return std::nullopt;
  while (!pending_.empty() && pending_.front().base < has_) pending_.pop_front();
  whole_ = has_ == 0 || pending_.empty() || pending_.front().base != has_;
  if (whole_) {
    pending_.clear();
    sent_ = newest.version;
    return encode_snapshot(newest);
  }
  Pending first = std::move(pending_.front());
  pending_.pop_front();
  sent_ = first.version;
  return std::move(first.payload);
}

bool SnapshotFeed::take(const EdgeEvent& event) {
  if (sent_ == 0) return false;
  if (event.kind == EdgeEvent::Kind::accepted && event.version == sent_) {
    has_ = grafted_ ? 0 : sent_;
  } else if (event.kind == EdgeEvent::Kind::refused) {
    has_ = 0;
    if (whole_) refused_ = sent_;
  } else {
    return false;
  }
  sent_ = 0;
  return true;
}

}  // namespace berth::edge
