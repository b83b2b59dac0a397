// Traefik's YAML files, static and dynamic ones, as values and as places for messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "compose/yaml.h"

namespace berth::app {

/// All documents of some files, in order. Those of empty files are left out.
struct YamlFiles {
  compose::Sources sources{};
  std::vector<std::string> names{};  ///< path of each document's file
  std::vector<compose::Node> roots{};
  std::vector<Json> trees{};  ///< keys as written
};

/// Reads every file, and of a folder its *.yml and *.yaml by name; each at most 4 MiB. Code::invalid with
/// file:line:column for what is no YAML or no map, Code::not_found for a path that does not exist.
Result<YamlFiles> read_yaml_files(const std::vector<std::string>& paths);

/// `message` with the place of `path` (keys from the root, whose case does not count, and numbers of items) in a
/// document, as deep as it can be followed.
Error error_at(const YamlFiles& files, std::size_t document, const std::vector<std::string>& path, std::string message);
/// The same for an error that begins with its path, "providers.docker.constraints: ...".
Error placed(const YamlFiles& files, std::size_t document, Error error);

}  // namespace berth::app
