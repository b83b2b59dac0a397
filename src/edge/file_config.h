// Traefik's files (static and dynamic keys) -> routes and settings. Pure: `app` reads the files and their YAML.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "edge/snapshot.h"

namespace berth::edge {

/// Something that a user should see about a file.
struct FileNote {
  bool error = true;              ///< else a warning
  std::size_t file = 0;           ///< which of the trees
  std::vector<std::string> path;  ///< keys from the root to the place, in lower case
  std::string message;
};

/// What all files say. A router with an error has no route.
struct FileConfig {
  struct KeyPair {
    std::string certificate, key;  ///< paths of PEM files
  };
  std::vector<Route> routes{};      ///< sorted by name, "NAME@file"
  std::vector<Service> services{};  ///< sorted by name
  Settings settings{};
  std::vector<KeyPair> certificates{};
  std::vector<std::string> web{}, websecure{};  ///< addresses of entry points; empty where none is configured
  std::vector<std::string> metrics{};           ///< addresses of metrics.prometheus
  std::vector<FileNote> notes{};
  TcpConfig tcp{};                      ///< with all entry points
  std::vector<Transport> transports{};  ///< of HTTP; their files are still paths, here and in `tcp`
};

/// `trees` are the files' roots, keys as written; `tls_options` the names of their tls.options that are right. Other
/// names are read without case; one that two files define is an error of the later. Servers must be IP addresses or
/// localhost.
FileConfig read_files(const std::vector<Json>& trees, const std::vector<std::string>& tls_options = {});

}  // namespace berth::edge
