// What core knows and sends: the engine's lists -> routes and certificates -> a snapshot. No engine, no socket.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "app/serve.h"
#include "app/target.h"
#include "edge/certificate_store.h"
#include "edge/label.h"
#include "edge/snapshot.h"

namespace berth::app {

/// Thread: one at a time. Effects: certificate files through the store.
struct Desk {
  explicit Desk(edge::CertificateStore certificates) : store(std::move(certificates)) {}

  /// Computes the snapshot anew; true when it differs from the last one, whose version it then exceeds by one. `news`
  /// holds what changed for the log. Versions begin at the seconds since 1970, so that a restarted core exceeds the
  /// one before.
  Result<bool> update(const Json& containers, const Json& networks, std::chrono::sys_seconds now);
  /// Routes, services and notes for people and for `berth route list`; no keys.
  Json describe() const;

  edge::CertificateStore store;
  edge::Settings settings;
  edge::LabelOptions labels;
  edge::Snapshot snapshot;
  std::vector<edge::RouteNote> notes;
  std::vector<std::string> news;
};

}  // namespace berth::app
