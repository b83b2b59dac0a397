// From a service's `build` to the op that builds it, and what stands before what. Internal to plan*.cc. Pure.
#pragma once

#include "compose/plan_parts.h"

namespace berth::compose::detail {

struct BuildWish {
  bool pull = false;
  bool no_cache = false;
  bool classic = false;
  std::int64_t memory = 0;
};

/// DOCKER_DEFAULT_PLATFORM
std::string default_platform(const Project& project);
bool has_build(const Service& service);
/// The op. Code::invalid, with the place, for what cannot be had.
Result<plan::BuildImage> build_op(const Project& project, const Service& service, const BuildWish& wish);
/// What of `build` this engine's builders do not do, each with its place.
std::vector<std::string> build_warnings(const Project& project, const Service& service);

/// A service whose image the build of another one uses.
struct BuildNeed {
  const Service* service = nullptr;
  bool named = false;  ///< by additional_contexts; else the Dockerfile builds on its image
};
/// Which builds use which. Borrows the project.
class BuildNeeds {
 public:
  explicit BuildNeeds(const Project& project);
  std::vector<BuildNeed> of(const Service& service) const;
  /// Code::invalid, with the path, for builds that need each other in a circle.
  Result<void> check_circles() const;

 private:
  const Project& project_;
  std::multimap<std::string, const Service*> by_image_;  // by the image's full name
};

}  // namespace berth::compose::detail
