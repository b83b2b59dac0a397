// A container's files as an archive or as an image, and what a registry says of one.
#pragma once

#include "engine/client.h"

namespace berth::engine {

/// An uncompressed tar of all its files, read from the exchange's body.
io::Task<Result<http::Exchange>> export_container(Client& client, std::string id);
struct CommitContainer {
  std::string container{};
  std::string repository{};  ///< "" makes an image without a name
  std::string tag{};
  std::string comment{};
  std::string author{};
  std::vector<std::string> changes{};  ///< Dockerfile instructions: "ENV A=b"
  bool pause = true;                   ///< while its files are read
};
/// The id of the new image.
io::Task<Result<std::string>> commit_container(Client& client, CommitContainer commit);
/// The digest that the registry names for the image now ("sha256:..."); `auth` as for a pull.
io::Task<Result<std::string>> registry_digest(Client& client, std::string name, std::string auth);

}  // namespace berth::engine
