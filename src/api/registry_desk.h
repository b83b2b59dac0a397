// Logins to registries: kept after the engine tried them, given to pulls and pushes of their own registry alone.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/engine_desk.h"
#include "api/registry.h"
#include "api/route.h"

namespace berth::api {

/// Thread: its loop's. What it is made of outlives it.
class RegistryDesk {
 public:
  struct Options {
    EngineDesk& engine;                   ///< which logs in: berth itself connects to no registry
    std::function<std::int64_t()> now{};  ///< microseconds since 1970
  };
  RegistryDesk(store::Database& store, const io::SealKey& key, Options options);

  struct Wish {
    std::string host{};  ///< as people write it
    std::string user{}, password{};
    bool check = true;  ///< by a login of the engine; what it refuses is not kept
  };
  /// Takes the place of what was kept for the same registry. Code::invalid, else as engine::log_in().
  io::Task<Result<Registry>> keep(Wish wish);
  io::Task<Result<std::vector<Registry>>> list();
  /// Code::not_found.
  io::Task<Result<Registry>> remove(std::string host);

  /// X-Registry-Auth for the registry of an image reference, "" for none.
  io::Task<Result<std::string>> auth(std::string reference);

 private:
  store::Database& store_;
  const io::SealKey& key_;
  Options options_;
};

/// GET and POST /registries, DELETE /registries/{host}. `desk` outlives the routes.
Routes registry_routes(RegistryDesk& desk);

}  // namespace berth::api
