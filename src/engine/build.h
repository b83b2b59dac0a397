// Building an image from a folder: with BuildKit where the engine offers it, else with its classic builder.
#pragma once

#include <map>

#include "engine/client.h"
#include "engine/image.h"

namespace berth::engine {

struct BuildImage {
  std::string context{};            ///< absolute path of the folder, sent without what .dockerignore names
  std::string remote{};             ///< in place of `context`: the URL of a tar archive that the engine fetches itself
  std::string dockerfile{};         ///< absolute path, in or out of the context; "" is Dockerfile in the context
  std::string inline_dockerfile{};  ///< its text, in place of a file
  std::vector<std::string> tags{};
  std::map<std::string, std::string> arguments{};
  std::vector<std::string> unset_arguments{};  ///< build arguments without a value of ours
  std::map<std::string, std::string> labels{};
  std::vector<std::string> cache_from{};
  std::vector<std::string> extra_hosts{};  ///< "name:address"
  /// Named contexts: what the Dockerfile calls `name` is this image.
  std::map<std::string, std::string> images{};
  std::string target{};
  std::string network{};
  std::string platform{};
  std::string registry_config{};  ///< X-Registry-Config, "" for none (registry_config in credentials.h)
  std::string isolation{};
  Json ulimits{};             ///< array of {"Name", "Soft", "Hard"}
  std::int64_t shm_size = 0;  ///< bytes, 0 for the engine's default
  std::int64_t memory = 0;    ///< bytes, 0 for no bound; the classic builder's alone
  bool no_cache = false;
  bool pull = false;
  bool classic = false;  ///< the classic builder even where BuildKit is offered
};

struct BuiltImage {
  std::string id{};                  ///< "sha256:..."
  std::vector<std::string> notes{};  ///< what could not be had: "shm_size is not known to this engine's BuildKit"
};

/// Builds, without a deadline. `progress` gets each {"stream": ...}: BuildKit's as "#5 [2/3] RUN make", one line each.
/// A failing step is Code::invalid with the place in the Dockerfile, the engine's words, and the end of the step's
/// output as detail; a missing Dockerfile or context is not_found; what the Dockerfile needs and neither builder of
/// this engine has is invalid. The context streams: memory stays bounded whatever its size. When cancelled, the
/// connection ends and with it the build.
io::Task<Result<BuiltImage>> build_image(Client& client, BuildImage build, ProgressSink progress = {});

/// The text of the Dockerfile that build_image takes. Blocking. Code::not_found when there is none.
Result<std::string> read_dockerfile(const BuildImage& build);

}  // namespace berth::engine
