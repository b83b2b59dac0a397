// What berth adds to Compose files, typed: extension fields and labels of a service. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "compose/project.h"

namespace berth::compose {

/// Extension field of a service: a probe from outside that asks nothing of the image.
inline constexpr std::string_view kReadyKey = "x-berth.ready";
/// Label of a service that exists to be built for others: it never gets a container.
inline constexpr std::string_view kBuildOnlyLabel = "berth.build-only";

/// `x-berth.ready: {tcp: 5432}`, `{http: 8080/health}` or `{exec: [pg_isready, -q]}`, with `interval`,
/// `timeout`, `start_period` and `retries` beside it.
struct Readiness {
  enum class Kind {
    tcp,   ///< ready when `port` of the container accepts a connection
    http,  ///< ready when GET `path` at `port` answers with 200 to 399
    exec,  ///< ready when `command`, run in the container, ends with 0
  };
  Kind kind = Kind::tcp;
  std::uint16_t port = 0;                                       ///< tcp, http
  std::string path{};                                           ///< http; begins with a slash
  std::vector<std::string> command{};                           ///< exec; not empty
  std::chrono::nanoseconds interval = std::chrono::seconds(1);  ///< from the end of a try to the next
  std::chrono::nanoseconds timeout = std::chrono::seconds(5);   ///< of one try
  std::chrono::nanoseconds start_period{0};                     ///< failures in it do not count
  std::int64_t retries = 60;  ///< failures after which it will not be ready; 0: no end
};

/// Nothing when the service says nothing of it. Code::invalid, naming member and reason but no place, for what load()
/// refuses as well.
Result<std::optional<Readiness>> readiness_of(const Project& project, std::string_view service);

/// Whether the service's label says so: "true" or "1".
bool is_build_only(const Service& service);

}  // namespace berth::compose
