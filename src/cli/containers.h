// The containers of a project as a list of the engine tells them, for verbs that look or act on one of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/session.h"
#include "plan/observed.h"

namespace berth::cli {

/// One item of GET /containers/json.
struct Listed {
  std::string id{};
  std::string name{};
  std::string project{};
  std::string service{};
  int number = 0;
  bool oneoff = false;
  plan::State state = plan::State::created;
  Json summary{};

  /// The name without "PROJECT-".
  std::string_view short_name() const;
  /// "healthy", "unhealthy", "starting" or "".
  std::string_view health() const;
  int exit_code() const;
};
Listed parse_listed(const Json& summary);

struct ListWish {
  Texts services{};  ///< empty: all
  bool all = true;   ///< stopped ones too
  bool oneoffs = false;
};
/// By service, number and name.
io::Task<Result<std::vector<Listed>>> list_project(Session& session, std::string project, ListWish wish = {});

/// The container of a service: the one of that number, or for 0 the running one with the lowest. Code::not_found names
/// the service and what to do.
io::Task<Result<Listed>> pick_container(Session& session, const compose::Project& project, std::string service,
                                        std::int64_t number);

/// "2 minutes", as docker says ages.
std::string age_text(std::chrono::seconds age);
/// "0.0.0.0:8080->80/tcp, :::8080->80/tcp, 443/tcp" of a summary's Ports.
std::string ports_text(const Json& ports);
/// Seconds since 1970 as "2026-01-02 15:04:05 +0000 UTC".
std::string time_text(std::int64_t seconds);
/// A time flag ("42m", "2026-01-02T15:04:05Z", "1700000000.5") as the engine's parameter.
Result<std::string> time_parameter(std::string_view text, std::chrono::system_clock::time_point now);

}  // namespace berth::cli
