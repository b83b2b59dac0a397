// The servers as a command works on them: through the serve that runs, or in its store when none does.
#pragma once

#include <functional>
#include <string>

#include "app/serve.h"
#include "base/json.h"
#include "io/task.h"

namespace berth::app {

struct ServerBook {
  std::function<io::Task<Result<Json>>()> list{};                   ///< rows of GET /engines
  std::function<io::Task<Result<Json>>(std::string name)> check{};  ///< of GET /engines/{name}
  std::function<io::Task<Result<void>>(std::string name)> remove{};
  /// The body of POST /engines. {"added": true} with the server's members, or {"added": false, "fingerprint",
  /// "keyType"} of a key that is to be confirmed.
  std::function<io::Task<Result<Json>>(Json server)> add{};
};
using ServerWork = std::function<io::Task<Result<Json>>(ServerBook& book)>;

/// Runs `work` with the servers of the data folder. Code::busy when a serve has the folder but does not answer.
Result<Json> with_servers(const std::string& data, const Environment& environment, const ServerWork& work);

}  // namespace berth::app
