// Files of this machine, for the Compose loader.
#pragma once

#include "compose/load.h"

namespace berth::compose {

/// Plain blocking reads of at most 16 MiB a file. Any thread.
Files disk_files();

}  // namespace berth::compose
