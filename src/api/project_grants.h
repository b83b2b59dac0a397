// What a project asks of the engine beyond what the broker lets berth have: told before anything is tried. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "broker/policy.h"
#include "compose/project.h"

namespace berth::api {

/// One field of the project that the policy of core refuses unless it was granted.
struct GrantNeeded {
  std::string service{};  ///< "" for a network or volume
  std::string field{};    ///< as `berth broker grant PROJECT FIELD` takes it: "privileged", "binds=/srv/media"
  std::string value{};    ///< "/srv/media", "NET_ADMIN", or ""
  std::string at{};       ///< "compose.yaml:4:5"
  bool granted = false;
  friend bool operator==(const GrantNeeded&, const GrantNeeded&) = default;
};

/// Where a project's files lie.
struct ProjectPlace {
  std::string folder{};
  bool own = true;  ///< in berth's data folder, and not somewhere else, where it was adopted
};
/// By the broker's own rules, held against the bodies that would be sent: what `policy` grants to no project. Binds
/// below the project's folder need no grant where it is berth's own; elsewhere one grant of the folder is enough.
/// Ordered by service, each field once. Code::invalid for a project of which no body can be made.
Result<std::vector<GrantNeeded>> grants_needed(const compose::Project& project, const ProjectPlace& place,
                                               const broker::Policy& policy);
/// Code::denied names the first that was not granted, and how to.
Result<void> check_granted(const compose::Project& project, const std::vector<GrantNeeded>& grants);
Json to_json(const GrantNeeded& grant);

}  // namespace berth::api
