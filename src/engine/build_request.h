// How a build is put to an engine: which builder, which parameters. Pure.
#pragma once

#include "engine/build.h"
#include "engine/dockerfile.h"

namespace berth::engine {

struct BuilderChoice {
  bool buildkit = false;
  std::vector<std::string> notes{};
};
/// BuildKit where `version` has it, unless something is wanted that only the classic builder can (a network by name,
/// limits that old BuildKits do not know, to hide the Dockerfile from the steps) and the Dockerfile does not need
/// BuildKit. Code::invalid, with the place, when it needs BuildKit and that is turned off or not there. `shown` names
/// the Dockerfile in messages.
Result<BuilderChoice> choose_builder(const BuildImage& build, const Dockerfile& file, ApiVersion version,
                                     const std::string& shown);

/// The parameters of POST /build; `dockerfile` is its name in the context.
Query build_query(const BuildImage& build, const std::string& dockerfile, bool buildkit);

}  // namespace berth::engine
