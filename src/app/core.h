// What core knows and sends: the engine's lists -> routes and certificates -> a snapshot. No engine, no socket.
#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "app/handover.h"
#include "app/holds.h"
#include "app/serve.h"
#include "app/target.h"
#include "app/transport_files.h"
#include "edge/acme_policy.h"
#include "edge/certificate_store.h"
#include "edge/label.h"
#include "edge/snapshot_patch.h"

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
  /// The same for what changed beside the engine: certificates of CAs, challenges, hosts on demand. False before the
  /// first update.
  Result<bool> republish(std::chrono::sys_seconds now);
  /// The first snapshot without any look at the engine: what is berth's own, for an edge that has none yet.
  Result<bool> publish_own(std::chrono::sys_seconds now);
  /// What is berth's own, for an edge with a table of before; what update() gives later exceeds its version.
  edge::SnapshotGraft own_graft(std::chrono::sys_seconds now);
  /// A handshake named `host`, which has a route but no certificate. False when there are too many such hosts already.
  bool want_on_demand(const std::string& host);

  /// Of an edge in a container: the networks that it lacks to reach its upstreams.
  std::vector<std::string> networks_to_join(const Json& containers, const Json& networks) const;

  /// As of the last update, as if the container were admitted.
  Way way_of(const std::string& id) const;
  /// The upstreams of a container to which routes of the snapshot lead.
  std::vector<edge::Upstream> upstreams_of(const std::string& id) const;
  /// The services that `name` means: a service, a router, or a host of routers.
  std::vector<std::string> services_named(const std::string& name) const;
  /// The upstreams of these services, those of a group's parts included.
  std::vector<edge::Upstream> upstreams_behind(const std::vector<std::string>& services) const;
  /// What Traefik's exposedByDefault=true would show, as of the last update.
  const std::vector<edge::Unexposed>& unexposed() const { return labelled_.unexposed; }
  /// Ids of the containers that the last update found.
  std::vector<std::string> containers() const;

  edge::CertificateStore store;
  Handover handover;
  Holds holds;
  edge::Settings settings;
  edge::LabelOptions labels;
  std::vector<edge::Route> own_routes;  ///< of berth itself, with their services
  std::vector<edge::Service> own_services;
  std::vector<edge::Resolver> resolvers;
  std::vector<edge::TlsOptions> tls_options;
  Transports transports;
  std::vector<edge::WantedCertificate> wanted;  ///< of CAs, as of the last update
  std::vector<edge::Certificate> signed_by_cas;
  std::vector<edge::HttpChallenge> http_challenges;
  std::vector<edge::Certificate> tls_challenges;
  edge::Snapshot snapshot;
  edge::SnapshotPatch change;  ///< what made it of the one before
  std::vector<edge::RouteNote> notes;
  std::vector<std::string> news;
  std::uint16_t http_port = 0;   ///< of `web`, as the edge told; 0: not known
  std::string edge_in;           ///< CoreOptions::edge_in
  std::set<std::string> joined;  ///< networks to which core connected the edge's container

 private:
  Result<bool> publish(std::chrono::sys_seconds now);
  void add_certificates(edge::Snapshot& next, const edge::Routes& table, std::chrono::sys_seconds now);

  std::vector<edge::Target> targets_;  // all of them
  edge::Labelled labelled_;
  std::vector<edge::RouteNote> certificate_notes_;
  edge::HostLinks links_;  ///< as of the last update
  std::set<std::string> on_demand_;
  std::uint64_t grafted_ = 0;                                                     ///< version of the last graft
  std::shared_ptr<const edge::Routes> table_ = std::make_shared<edge::Routes>();  // of `snapshot`
};

}  // namespace berth::app
