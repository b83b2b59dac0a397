// The API and the UI as core serves them: on a unix socket for this machine, and on a loopback port for the edge.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/dispatch.h"
#include "api/edge_routes.h"
#include "api/server_desk.h"
#include "app/platform_engine.h"
#include "app/platform_projects.h"
#include "app/platform_store.h"
#include "auth/desk.h"
#include "edge/route.h"
#include "io/socket.h"
#include "job/runner.h"

namespace berth::app {

struct Desk;
/// The edge as `desk` (which outlives it) and the files in `data` tell it.
api::EdgeView edge_view_of(const Desk& desk, std::string data);

struct PlatformOptions {
  std::string data{};                    ///< folder; the socket is api.sock in it (0660)
  std::string host = "berth.localhost";  ///< of the API and the UI at the edge
  bool setup_remote = false;             ///< clients that are not on loopback may reach it before an admin exists
  std::string engine{};                  ///< address text
  std::string broker{};                  ///< CoreOptions::broker
  std::string broker_folder{};           ///< of grants
  std::string edge_in{};                 ///< CoreOptions::edge_in
  int door = -1;                         ///< CoreOptions::door, owned from here on
  std::string runtime_folder{};          ///< of locks and control sockets
};

/// Owns what the API needs, in the order it is started and stopped. Requests from the edge carry a secret of this start
/// in X-Berth-Edge, which the edge sets in place of a client's; without it the port answers nobody. Thread: its loop's.
class Platform {
 public:
  explicit Platform(PlatformOptions options);
  ~Platform();

  /// Opens both listeners, then serves until cancelled. An error is of its start.
  io::Task<Result<void>> run();
  /// The OpenAPI of its routes, in place of run(): nothing listens, and the data folder is to be an empty one.
  io::Task<Result<Json>> describe();
  /// Told when routes() changed.
  std::function<void()> changed = [] {};
  /// Told what people should read.
  std::function<void(const std::string&)> say = [](const std::string&) {};

  /// What it shows of the edge; set before run().
  api::EdgeView edge_view{};

  /// The way to it for the edge's table; nothing before run() listens.
  std::optional<edge::Route> route() const;
  std::optional<edge::Service> service() const;
  /// X-Registry-Auth for a reference by the logins that the store keeps, "" for none. Code::unavailable before the
  /// store is open.
  io::Task<Result<std::string>> registry_auth(std::string reference);
  /// Whether an admin exists; before, the host answers clients on loopback only.
  void set_ready(bool ready);

 private:
  io::Task<Result<void>> start();
  Result<void> open_door(io::Loop& loop);
  io::Task<Result<void>> open_store();
  api::Routes routes();
  io::Task<Result<auth::Principal>> identify(const http::RequestHead& head, std::string client);
  io::Task<Result<std::int64_t>> keep(job::Entry entry);
  io::Task<Result<void>> close_begun();
  io::Task<Result<void>> look_for_admin();
  io::Task<void> accept(io::Listener& listener, bool local);
  io::Task<void> serve_local(std::unique_ptr<io::Stream> stream);
  io::Task<void> serve_edge(std::unique_ptr<io::Stream> stream);
  io::Task<Result<void>> answer_edge(http::ServerRequest& request, http::ResponseWriter& response);
  io::Task<Result<void>> answer(const api::Door& door, http::ServerRequest& request, http::ResponseWriter& response);

  PlatformOptions options_;
  std::string secret_;
  std::string core_;  ///< core_of() the data folder
  std::string near_;  ///< address of ours at which the edge reaches core
  bool ready_ = false;
  // In the order in which they need each other.
  std::optional<PlatformStore> store_;
  std::shared_ptr<job::Feed> feed_;
  std::unique_ptr<auth::Desk> auth_;
  std::unique_ptr<job::Runner> runner_;
  std::unique_ptr<PlatformEngine> engine_;
  std::unique_ptr<api::RegistryDesk> registries_;
  std::unique_ptr<PlatformProjects> projects_;
  std::unique_ptr<api::ServerDesk> servers_;
  std::unique_ptr<api::Dispatch> dispatch_;
  std::unique_ptr<io::Listener> local_, edge_;
  io::Scope* scope_ = nullptr;
};

}  // namespace berth::app
