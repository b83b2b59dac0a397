// The files of `berth edge --config`: Traefik's YAML with its places, for messages.
#pragma once

#include <string>
#include <vector>

#include "edge/file_config.h"

namespace berth::app {

/// What one reading of the files came to.
struct LoadedFiles {
  edge::FileConfig config;
  std::vector<edge::Certificate> certificates{};  ///< of tls.certificates
  std::vector<edge::TlsOptions> tls_options{};
  std::vector<std::string> messages{};  ///< notes with file:line:column
};

/// Reads every file, and of a folder its *.yml and *.yaml by name. The users of basicAuth.usersFile are taken in.
/// Code::invalid with file:line:column for what is no YAML, Code::not_found for a path that does not exist.
Result<LoadedFiles> load_config_files(const std::vector<std::string>& paths);

}  // namespace berth::app
