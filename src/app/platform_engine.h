// The engine as the API shows it: its desk, what happens on it, and the routes over both.
#pragma once

#include <memory>
#include <string>

#include "api/engine_world.h"
#include "api/event_log.h"
#include "api/log_desk.h"
#include "api/registry_desk.h"
#include "api/sampler.h"
#include "api/server_desk.h"
#include "api/terminal_desk.h"
#include "api/volume_desk.h"

namespace berth::app {

struct PlatformEngineOptions {
  std::string engine{}, broker{};  ///< as CoreOptions has them
  std::string data{}, runtime_folder{};
  std::function<void(const std::string&)> say{};
};

/// Thread: its loop's. What it is made of outlives it.
class PlatformEngine {
 public:
  PlatformEngine(PlatformEngineOptions options, store::Database& database, job::Runner& runner,
                 std::shared_ptr<job::Feed> feed);
  /// Follows the engine until cancelled.
  io::Task<void> run();
  /// EdgeView::status; before routes().
  void show_edge(std::function<Json()> status) { world_.edge_status = std::move(status); }
  /// EngineWorld::is_managed; before routes().
  void show_projects(std::function<bool(std::string_view)> is_managed) { world_.is_managed = std::move(is_managed); }
  /// Who knows the engines of servers; before routes().
  void show_servers(api::ServerDesk& servers) {
    world_.other_engine = [&servers](std::string name) { return servers.of(std::move(name)); };
  }
  /// Pulls and pushes with these logins; before routes(). `desk` lives as long as anything is asked.
  void use_registries(api::RegistryDesk& desk) {
    world_.registry_auth = [&desk](std::string reference) { return desk.auth(std::move(reference)); };
  }
  /// Lives as long as this.
  api::EngineDesk& desk() { return desk_; }
  api::Routes routes() { return api::engine_routes(world_); }

 private:
  void happened(const engine::EngineEvent& event);
  void tell_state();

  std::shared_ptr<job::Feed> feed_;
  api::EventLog log_;
  api::EngineDesk desk_;
  api::Sampler sampler_;
  api::TerminalDesk terminals_;
  api::VolumeDesk volumes_;
  api::LogDesk logs_;
  api::EngineWorld world_;
};

/// A feed for pages, whose numbers grow with time.
std::shared_ptr<job::Feed> make_page_feed(io::Loop& loop);
/// Tells pages of a job's new state.
void tell_job(job::Feed& feed, const job::Job& job);
/// Tells pages that a project differs otherwise from its files than before.
void tell_drift(job::Feed& feed, std::string_view project);

}  // namespace berth::app
