// Containers as the API shows them, made of what an engine says. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace berth::api {

/// One of the list.
struct ContainerItem {
  std::string id{}, name{};
  std::string project{};  ///< "" without one
  std::string service{}, image{}, state{};
  std::string health{};  ///< "healthy", "unhealthy", "starting", or ""
  Json shown{};          ///< as GET /containers lists it
};
/// Of one summary of GET /containers/json.
ContainerItem container_item(const Json& summary);

/// "127.0.0.1:8080:80/tcp", "80/tcp" for one that is not published; IPv6 twins of one published port are left out.
std::vector<std::string> port_texts(const Json& ports);

/// What the caller may see of a container.
struct Sight {
  bool values = false;  ///< environment, command, labels
  bool output = false;  ///< of the health check
};
/// GET /containers/{id} of an inspect reply.
Json container_page(const Json& inspect, Sight sight);

/// Milliseconds since 1970 of an engine's RFC 3339 text; 0 for none ("0001-01-01T00:00:00Z").
std::int64_t milliseconds_of(std::string_view rfc3339);
/// The same in nanoseconds.
std::int64_t nanoseconds_of(std::string_view rfc3339);

/// One sample of the stats of a container by the docker CLI's rules: {"at", "cpu", "memory", ...}. `cpu` is percent of
/// one core, `memory` without inactive_file.
Json stats_sample(const Json& stats);

}  // namespace berth::api
