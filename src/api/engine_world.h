// What the engine's routes work on, and the loaders that decide what a caller may see of it.
#pragma once

#include <memory>
#include <string>

#include "api/container_create.h"
#include "api/engine_desk.h"
#include "api/route.h"
#include "job/runner.h"

namespace berth::api {

class EventLog;
class LogDesk;
class Sampler;
class TerminalDesk;
class VolumeDesk;

/// What is looked at of another engine.
struct OtherEngine {
  std::shared_ptr<EngineDesk> desk;
  std::shared_ptr<job::Feed> events;
};

/// Everything outlives the routes.
struct EngineWorld {
  EngineDesk& desk;
  job::Runner& jobs;
  std::shared_ptr<job::Feed> events;
  EventLog& log;
  Sampler& sampler;
  store::Database& database;
  TerminalDesk& terminals;
  VolumeDesk& volumes;
  LogDesk& logs;
  bool elsewhere = false;  ///< `desk` is another engine's: what berth knows and does beside it does not concern it
  std::string spool{};     ///< folder for contexts of builds
  int contexts = 0;        ///< of builds that are received, wait or run
  /// EdgeView::status; absent: no routes are known.
  std::function<Json()> edge_status{};
  /// Whether berth manages a project of this name, running or not; absent: none.
  std::function<bool(std::string_view project)> is_managed{};
  /// X-Registry-Auth for a reference, "" for none.
  std::function<io::Task<Result<std::string>>(std::string reference)> registry_auth{};
  /// The engine of a server, by name. Code::not_found. Absent: there is none but the local one.
  std::function<io::Task<Result<OtherEngine>>(std::string name)> other_engine{};
};

using EngineAnswer = io::Task<Result<Reply>> (*)(EngineWorld& world, Call& call);
using EngineStream = io::Task<Result<void>> (*)(EngineWorld& world, Call& call);
/// On the engine that ?engine= names. Others than the local one are for those who may see all of an engine, and only
/// looked at: Code::conflict with what to do for everything but a GET.
Answer at_engine(EngineWorld& world, EngineAnswer answer);
Stream at_engine(EngineWorld& world, EngineStream stream);
/// For what berth keeps of the local engine alone, or does there alone: Code::conflict with another name.
Answer at_local(EngineWorld& world, EngineAnswer answer);
Stream at_local(EngineWorld& world, EngineStream stream);

/// ?engine= of every engine route.
inline constexpr Parameter kEngine{.name = "engine", .meaning = "name of a server to look at; local unless said"};
inline constexpr Parameter kLimit{.name = "limit", .type = "integer", .meaning = "items of a page, at most 1000"};
inline constexpr Parameter kCursor{.name = "cursor", .meaning = "the `next` of the page before"};

/// The container that {id} names, by id, the start of one (12 digits or more) or name, if the caller may view it; else
/// it does not exist. Code::denied without `needs`. The audit entry names it.
io::Task<Result<ContainerItem>> load_container(EngineWorld& world, Call& call, Permission needs);
/// The engine's description of the volume that {name} names, likewise.
io::Task<Result<Json>> load_volume(EngineWorld& world, Call& call, Permission needs);
/// Seconds since 1970 of the newest copy of a volume; 0: there is none.
io::Task<std::int64_t> newest_backup(EngineWorld& world, std::string volume);
/// Whether who asks may see something of this project.
inline bool may_view(const Call& call, std::string_view project) {
  return auth::may(call.who, Permission::view, project);
}
/// Code::not_found as if it were not there, and the audit says denied.
std::unexpected<Error> hide(Call& call, std::string_view what);
/// Code::denied naming the permission.
std::unexpected<Error> lacks(const Call& call, Permission needs);
/// The project of Compose labels, "" for none.
std::string project_of(const Json& labels);

/// Orders a job in the caller's name: 202 with its id.
io::Task<Result<Reply>> order(EngineWorld& world, Call& call, std::string kind, job::Work work);

/// Tells a line of what is being done.
using TellLine = std::function<void(std::string_view line, const Json& progress)>;
/// Pulls (each layer's state is told), creates and starts; the new id. What was made is removed when it does not start.
io::Task<Result<std::string>> create_and_start(EngineWorld& world, CreateOrder order, TellLine tell);
/// Pulls or pushes an image with the login of its registry.
io::Task<Result<void>> pull_told(EngineWorld& world, std::string reference, TellLine tell);
io::Task<Result<void>> push_told(EngineWorld& world, std::string reference, TellLine tell);

/// What is set for containers whose maker names no bounds.
io::Task<Result<CreateLimits>> limits_of(EngineWorld& world);
Routes container_routes(EngineWorld& world);
Routes log_routes(EngineWorld& world);
/// /projects/{project}/logs.
Routes project_log_routes(EngineWorld& world);
Routes file_routes(EngineWorld& world);
Routes settings_routes(EngineWorld& world);
Routes stats_routes(EngineWorld& world);
Routes event_routes(EngineWorld& world);
Routes terminal_routes(EngineWorld& world);
Routes overview_routes(EngineWorld& world);
Routes image_routes(EngineWorld& world);
Routes image_prune_routes(EngineWorld& world);
Routes image_build_routes(EngineWorld& world);
Routes network_routes(EngineWorld& world);
Routes volume_routes(EngineWorld& world);
Routes backup_routes(EngineWorld& world);
/// /api/containers and /api/images as the fifth seed's document prints them.
Routes plain_routes(EngineWorld& world);
/// All of these.
Routes engine_routes(EngineWorld& world);

}  // namespace berth::api
