// Short forms to long forms, and the final typed form that `config` shows.
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "compose/load_context.h"
#include "compose/short.h"
#include "compose/yaml.h"

namespace berth::compose {

/// The long form as a map; zero values are left out.
Node port_node(const Port& port, Mark mark);
Node volume_node(const VolumeMount& mount, Mark mark);

/// Every short form below `root` becomes its long form: ports (ranges give one entry each), volumes, build, env_file,
/// depends_on, networks, secrets, configs, devices, external names and so on. With `lenient` what cannot be parsed
/// stays (for texts that still hold variables). REQUIRES: valid against the schema.
Result<void> make_canonical(Context& context, Node& root, bool lenient);

}  // namespace berth::compose
