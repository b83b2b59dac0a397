// Projects of the API: the desk with what it works on here.
#pragma once

#include <memory>
#include <string>

#include "api/project_routes.h"
#include "job/runner.h"

namespace berth::app {

/// Thread: its loop's. `runner` outlives it.
class PlatformProjects {
 public:
  struct Place {
    std::string data{};
    std::string runtime_folder{};  ///< of locks and control sockets
    std::string engine{};          ///< address text
    std::string broker{};          ///< CoreOptions::broker
    std::string broker_folder{};   ///< of grants
    /// ProjectWorld::registry_auth
    std::function<io::Task<Result<std::string>>(std::string reference)> registry_auth{};
    std::function<void(std::string_view name)> drifted{};  ///< ProjectWorld::drifted
  };
  /// Blocking: looks through DATA/projects for what a killed core left.
  static Result<std::unique_ptr<PlatformProjects>> open(Place place, job::Runner& runner);
  /// EdgeView::status; before run().
  void show_edge(std::function<Json()> status) { edge_status_ = std::move(status); }
  bool manages(std::string_view name) const { return desk_->folders().has(name); }
  /// Looks after what pages ask about, until cancelled.
  io::Task<void> run() { return desk_->run(); }
  /// Takes away the locks of projects that a killed core left on the engine; without one the next change does.
  io::Task<void> tidy();
  /// Of projects, and of the jobs that change them.
  api::Routes routes();

 private:
  PlatformProjects() = default;
  job::Runner* runner_ = nullptr;
  std::function<Json()> edge_status_{};
  std::unique_ptr<plan::Traffic> traffic_;
  std::unique_ptr<api::ProjectDesk> desk_;
};

}  // namespace berth::app
