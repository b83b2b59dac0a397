// Building an image from a context that comes as a tar.
#pragma once

#include "engine/build.h"

namespace berth::engine {

struct BuildArchive {
  BuildImage build{};  ///< without its context; `dockerfile` is a path in the tar, "" for Dockerfile
  std::string text{};  ///< of that Dockerfile
  http::Source tar{};
};

/// As build_image(), by one try: where the engine turns out to have no BuildKit it is an error. The tar is sent as it
/// is.
io::Task<Result<BuiltImage>> build_archive(Client& client, BuildArchive archive, ProgressSink progress = {});

}  // namespace berth::engine
