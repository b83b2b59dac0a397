// `berth route explain`: which router gets a request or a connection, why the others do not, and where it leads. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace berth::app {

/// What is explained: a request for a URL, or a connection (tls://HOST, tcp://ANY).
struct Asked {
  std::string url{}, method = "GET";
  std::vector<std::string> headers{};     ///< "Name: value"
  std::string from = "127.0.0.1";         ///< address of the client
  std::string entry_point = "websecure";  ///< of a connection
};

/// `status` is what core writes down. An object: `request`, `routers` that were looked at in order (`router`, `rule`,
/// `priority`, `decides`, `why`), and where one decides `router` with `middlewares`, `warnings`, `service` and
/// `targets`; else `otherwise`, what the edge does, and whether it does serve so (`served`). Code::invalid for what is
/// no request.
Result<Json> explain(const Json& status, const Asked& asked);
/// The same for people.
std::string explained_text(const Json& explained);

/// The targets of a service with their addresses; those of its parts when it is a group; why it is down.
std::string targets_text(const Json& status, std::string_view service);

}  // namespace berth::app
