// A Compose project after loading: what the planner and the command line work on.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace berth::compose {

/// Where a value was written; line and column count from 1, 0 where there is no file (flags, environment, defaults).
struct Origin {
  std::string file;
  int line = 0;
  int column = 0;
  /// "compose.yaml:14:7", or the file alone, or "" when nothing is known.
  std::string text() const;
};

enum class Condition {
  started,                 ///< its container was started
  healthy,                 ///< its health check says healthy
  completed_successfully,  ///< it ran to its end with status 0
};

/// One edge of the start order.
struct Dependency {
  std::string service;
  Condition condition = Condition::started;
  bool restart = false;  ///< restart the dependent when `service` is recreated
  bool required = true;  ///< false: a missing service is a warning only
};

/// One service, in the canonical long form.
struct Service {
  std::string name;
  /// The service exactly as `config --format json` shows it (canonical long forms, resolved paths, environment with
  /// env_file applied), with `$` not yet escaped. Durations and byte sizes are texts in canonical form.
  Json config;
  /// depends_on and what links, volumes_from and `service:` namespaces imply; by name.
  std::vector<Dependency> dependencies;
  /// Containers wanted: --scale, else scale, else deploy.replicas, else 1.
  int scale = 1;
};

/// One project. Immutable after load; any thread.
struct Project {
  std::string name;
  char separator = '-';                ///< between the parts of names: '_' with --compatibility
  std::string working_dir;             ///< absolute; the folder of the first file unless --project-directory
  std::string repository;              ///< where it is from a URL: what its working_dir lies in whichever the commit
  std::vector<std::string> files;      ///< absolute paths of the -f files, in order
  std::vector<std::string> env_files;  ///< absolute paths that gave interpolation variables
  std::vector<Service> services;       ///< enabled by the profiles, by name
  std::vector<Service> disabled;       ///< present but not in an active profile, by name
  Json networks;                       ///< key -> canonical network, only those in use
  Json volumes;                        ///< key -> canonical volume
  Json secrets;                        ///< key -> canonical secret
  Json configs;                        ///< key -> canonical config
  Json document;                       ///< the whole canonical model: `config --format json` before `$` -> `$$`
  /// The x-* members below the top level, which `document` leaves out: services -> web -> x-note; an entry of a list by
  /// its index as text.
  Json extensions;
  std::map<std::string, std::string> environment;  ///< interpolation variables: process environment over .env
  std::map<std::string, Origin> origins;        ///< "services.web", "services.web.image", ... -> where it was written
  std::map<std::string, std::string> contents;  ///< "secrets.x", "configs.x" -> value of their `environment:` variable
  /// Service -> text of its Dockerfile, where it could be read: images that others of the project build on.
  std::map<std::string, std::string> dockerfiles;
  std::int64_t loaded_at = 0;         ///< seconds since 1970, for policies by age; 0 when not known
  std::vector<std::string> warnings;  ///< for stderr, in order

  const Service* find(std::string_view service) const;
  /// The origin of `path`, else of the nearest enclosing path.
  Origin origin(std::string_view path) const;
};

}  // namespace berth::compose
