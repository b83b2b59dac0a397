// Building an image with the engine's classic builder from a folder.
#pragma once

#include <map>

#include "engine/client.h"
#include "engine/image.h"

namespace berth::engine {

struct BuildImage {
  std::string context{};            ///< absolute path of the folder, sent without what .dockerignore names
  std::string dockerfile{};         ///< absolute path, in or out of the context; "" is Dockerfile in the context
  std::string inline_dockerfile{};  ///< its text, in place of a file
  std::vector<std::string> tags{};
  std::map<std::string, std::string> arguments{};
  std::vector<std::string> unset_arguments{};  ///< build arguments without a value of ours
  std::map<std::string, std::string> labels{};
  std::vector<std::string> cache_from{};
  std::vector<std::string> extra_hosts{};  ///< "name:address"
  std::string target{};
  std::string network{};
  std::string platform{};
  std::string registry_config{};  ///< X-Registry-Config, "" for none (registry_config in credentials.h)
  std::int64_t shm_size = 0;      ///< bytes, 0 for the engine's default
  bool no_cache = false;
  bool pull = false;
};
/// Builds and returns the image id ("sha256:..."), without a deadline. `progress` gets each {"stream": ...}. A failing
/// step is Code::invalid with the engine's words and the end of its output as detail; a missing Dockerfile or context
/// is not_found. The context streams: memory stays bounded whatever its size.
io::Task<Result<std::string>> build_image(Client& client, BuildImage build, ProgressSink progress = {});

}  // namespace berth::engine
