// Compose files in git repositories: fetched by the git program into a cache, for LoadOptions' files and Files::remote.
#pragma once

#include <map>
#include <string>

#include "compose/load.h"
#include "io/task.h"

namespace berth::compose {

struct RemoteCache {
  std::string folder{};                              ///< made when missing
  std::map<std::string, std::string> environment{};  ///< for git; its own GIT_* variables are left out
};

/// The local copy of the Compose file that `url` names. A branch or tag is asked for each time, a commit that is in the
/// cache is not fetched again. A copy stays for as long as nobody removes it: containers may have mounted it. git may
/// ask nothing, and may not be led to other kinds of places; two minutes are its bound, and a cancellation ends it.
/// Code::invalid for a URL that is refused, not_found when there is no such ref or file, denied for a path that leaves
/// the repository by a link, unavailable with git's own words else.
io::Task<Result<RemoteFile>> fetch_remote(std::string url, RemoteCache cache);

}  // namespace berth::compose
