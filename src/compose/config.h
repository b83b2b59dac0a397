// A loaded project as text: what `config` prints.
#pragma once

#include <string>

#include "compose/project.h"

namespace berth::compose {

struct ConfigOptions {
  bool escape_dollars = true;  ///< false: after --no-interpolate, where `$` still has its meaning
};

/// The canonical model as indented JSON with `$` written as `$$`, so that loading it again gives the same project.
std::string config_json(const Project& project, const ConfigOptions& options = {});
/// The same as YAML.
std::string config_yaml(const Project& project, const ConfigOptions& options = {});

}  // namespace berth::compose
