// Files of this machine into running containers, as a tar.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.h"

namespace berth::cli {

/// A tar of what there is, to be unpacked at "/", and what is gone.
struct SyncSet {
  std::string tar{};                ///< "" when nothing is there
  std::size_t files = 0;            ///< in it
  std::vector<std::string> gone{};  ///< places in the container to remove
};

/// `sync` is place in the container -> source here. Reads the sources; a link stays a link, owners become root's.
/// Code::invalid above 256 MiB in all.
Result<SyncSet> read_sync(const std::map<std::string, std::string>& sync);
/// Every file and folder below a source, for the first sync.
std::vector<std::string> files_below(const std::string& path);

}  // namespace berth::cli
