// The engines that the API shows: the one beside berth, and the servers that were added.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "api/engine_world.h"
#include "api/route.h"
#include "api/server.h"

namespace berth::api {

struct ServerOptions {
  std::string folder{};   ///< ours: what is pinned is written there for ssh
  std::string control{};  ///< short folder for ssh's sockets
  /// Of the engine beside berth, which somebody else runs and which lives longer; null: it is not listed.
  EngineDesk* local = nullptr;
  std::string ssh = "ssh";  ///< program
  std::string scan = "ssh-keyscan";
  std::function<std::int64_t()> now{};  ///< microseconds since 1970
};

/// One EngineDesk per engine, made when it is first asked for and dropped when the server is removed. Looking is all
/// that is done on servers. Thread: its loop's. `store` and `key` outlive it.
class ServerDesk {
 public:
  ServerDesk(store::Database& store, const io::SealKey& key, ServerOptions options);
  ~ServerDesk();

  /// Follows the engines that were asked for until cancelled; the calls below need it to run.
  io::Task<void> run();

  /// The engine of a server; its desk lives while it is held. Code::not_found.
  io::Task<Result<OtherEngine>> of(std::string name);
  /// All of them: to_json(Server) with "state" ("up" or "down"), "version", "apiVersion" and "why".
  io::Task<Result<std::vector<Json>>> list();
  /// The same of one, connected to anew within 10 s.
  io::Task<Result<Json>> check(std::string name);

  struct Added {
    bool added = false;  ///< false: the host's key is to be confirmed by its fingerprint first
    engine::HostKey host_key{};
    Server server{};
  };
  /// Asks an ssh host for its key and pins it when it has this fingerprint. Code::denied when it has another one,
  /// unavailable when it does not answer; else as check_server() and add_server().
  io::Task<Result<Added>> add(Server server, std::string fingerprint);
  /// What there was. Its desk ends. Code::not_found.
  io::Task<Result<Server>> remove(std::string name);

 private:
  struct Entry;
  void state_changed(Entry& entry, const std::string& name) const;
  io::Task<void> keep(std::shared_ptr<Entry> entry);
  io::Task<Result<std::shared_ptr<Entry>>> entry_of(std::string name);
  Result<engine::Endpoint> endpoint_of(const Server& server) const;
  std::string known_hosts(const Server& server) const { return options_.folder + "/" + server.id + ".known_hosts"; }
  std::shared_ptr<Entry> enter(const std::string& name, engine::Endpoint endpoint);
  io::Task<void> describe(Json& row);
  static io::Task<void> describe_server(std::shared_ptr<Entry> entry, Json& into);
  io::Task<Result<Server>> find(std::string name);

  store::Database& store_;
  const io::SealKey& key_;
  ServerOptions options_;
  std::map<std::string, std::shared_ptr<Entry>, std::less<>> entries_;
  io::Scope* scope_ = nullptr;
  io::Loop* loop_ = nullptr;
};

/// GET and POST /engines, GET and DELETE /engines/{name}. `desk` outlives the routes.
Routes server_routes(ServerDesk& desk);

}  // namespace berth::api
