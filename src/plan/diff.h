// What differs between the container that would be created and the one that is there. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "plan/observed.h"

namespace berth::plan {

/// How create bodies are written and hashed; a new number where either changes. A container with another one is
/// compared field by field, and never recreated for the number.
inline constexpr std::string_view kSchema = "1";
namespace label {
/// hash_of_body of the container's create body; berth's own.
inline constexpr std::string_view kBodyHash = "berth.hash";
}  // namespace label

/// One differing field: "Env.DEBUG", "HostConfig.PortBindings.80/tcp", "Image". Null is "absent".
struct Difference {
  std::string path{};
  Json before{};
  Json after{};
  bool secret = false;  ///< its values are printed only as sizes, and hashed in JSON

  friend bool operator==(const Difference&, const Difference&) = default;
};
/// `Env.DEBUG: "False" -> "True"`, `Env.DB_PASSWORD: changed (8 -> 12 bytes)`, `HostConfig.Memory: 1024 -> absent`.
/// Long values are cut in the middle.
std::string to_text(const Difference& difference);

/// Flat field path -> value: everything that was asked for and differs from the engine's defaults and the image.
using Fields = std::map<std::string, Json>;
/// The fields of a create body. `image` is Config of the image, null when unknown.
Fields fields_of_body(const Json& body, const Json& image);
/// The fields of an inspected container. `image` is Config of the image that it was created from.
Fields fields_of_inspect(const Container& container, const Json& image);

/// The digest for the label berth.hash: of a text that is canonical, independent of tool versions, of the image's
/// content, of the container's number and name and of berth's own labels, and versioned.
std::string hash_of_body(const Json& body);

struct DiffInput {
  const Json& body;                 ///< the create body that would be sent
  const Container& container;       ///< what is there
  std::string_view name{};          ///< that it shall have; a name alone is no reason to recreate
  const Image* image = nullptr;     ///< what the body's image is now; null when it is absent (to be pulled or built)
  const Image* image_of = nullptr;  ///< what the container was created from; null when unknown
};
/// What would have to be recreated for; by path. Empty for an equal container, whoever made it. When the label
/// berth.hash says "equal" only the image is compared besides. Labels of Docker Compose itself never count.
std::vector<Difference> diff_container(const DiffInput& input);

/// A name that the engine gave to an anonymous volume: 64 hex digits.
bool is_generated_name(std::string_view name);

/// Body of POST /networks/create against an inspected one: driver, options, IPAM, flags and labels that were asked for.
std::vector<Difference> diff_network(const Json& body, const Network& network);
/// Body of POST /volumes/create against an inspected one: driver, options, labels that were asked for.
std::vector<Difference> diff_volume(const Json& body, const Volume& volume);

}  // namespace berth::plan
