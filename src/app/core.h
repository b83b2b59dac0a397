// What core knows and sends: the engine's lists -> routes and certificates -> a snapshot. No engine, no socket.
#pragma once

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "app/handover.h"
#include "app/serve.h"
#include "app/target.h"
#include "edge/certificate_store.h"
#include "edge/label.h"
#include "edge/snapshot.h"

namespace berth::app {

/// What the labels of a container come to, whether or not it gets requests now.
struct Way {
  enum class State {
    gone,      ///< no such container
    down,      ///< it does not run, or is unhealthy
    unwanted,  ///< no route leads to it
    refused,   ///< a route should, and cannot
    waiting,   ///< its health check says neither yet
    open,
  };
  State state = State::gone;
  std::string why{};                        ///< with down and refused
  std::vector<edge::Upstream> upstreams{};  ///< with open
};

/// Thread: one at a time. Effects: certificate files through the store.
struct Desk {
  explicit Desk(edge::CertificateStore certificates) : store(std::move(certificates)) {}

  /// Computes the snapshot anew; true when it differs from the last one, whose version it then exceeds by one. `news`
  /// holds what changed for the log. Versions begin at the seconds since 1970, so that a restarted core exceeds the
  /// one before.
  Result<bool> update(const Json& containers, const Json& networks, std::chrono::sys_seconds now);
  /// Routes, services and notes for people and for `berth route list`; no keys.
  Json describe() const;
  /// As of the last update, as if the container were admitted.
  Way way_of(const std::string& id) const;
  /// The upstreams of a container to which routes of the snapshot lead.
  std::vector<edge::Upstream> upstreams_of(const std::string& id) const;
  /// Ids of the containers that the last update found.
  std::vector<std::string> containers() const;

  edge::CertificateStore store;
  Handover handover;
  edge::Settings settings;
  edge::LabelOptions labels;
  edge::Snapshot snapshot;
  std::vector<edge::RouteNote> notes;
  std::vector<std::string> news;

 private:
  std::vector<edge::Target> targets_;  // all of them
};

}  // namespace berth::app
