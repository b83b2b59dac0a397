// Which images nobody needs, and whose they are. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"

namespace berth::api {

/// An image that may go.
struct Prunable {
  std::string id{};
  std::vector<std::string> tags{};
  std::string owner{};  ///< the project that built it, "berth" for its own, "" for an image without a tag of others
  std::int64_t size = 0;
};

/// Of the engine's lists of images and of all containers: what no container has, running or not, and that either was
/// built by a Compose project or made by berth, or has no tag. What a generation holds for a rollback stays, and so
/// does a tagged image of others.
std::vector<Prunable> prunable_images(const Json& images, const Json& containers);

/// {"id", "tags", "owner" (or null), "size"}.
Json to_json(const Prunable& image);

}  // namespace berth::api
