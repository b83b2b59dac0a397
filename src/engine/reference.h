// Image references: [host[:port]/]path[:tag][@digest]. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::engine {

struct Reference {
  std::string host{};  ///< "docker.io" when the text names none
  std::string path{};  ///< "library/debian" for "debian" on docker.io
  std::string tag{};
  std::string digest{};  ///< "sha256:..."
  /// As engines show it: "debian", "team/app" for docker.io, "host:5000/app" else.
  std::string repository() const;
  /// The digest, else the tag, else "latest".
  std::string tag_or_digest() const;
  /// repository():tag[@digest] with the default tag filled in.
  std::string text() const;
};
/// Code::invalid names the text and what is wrong with it (upper case, empty part, bad tag or digest).
Result<Reference> parse_reference(std::string_view text);

}  // namespace berth::engine
