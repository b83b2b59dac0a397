// Why an engine's socket cannot be opened, in words that say what to do.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::engine {

/// What the file system says about a socket and about us.
struct SocketFacts {
  std::string path{};
  bool exists = false;
  bool is_socket = false;
  unsigned mode = 0;             ///< permission bits
  std::string owner{};           ///< user name, or the number
  std::string group{};           ///< group name, or the number
  std::string blocked_folder{};  ///< the first parent that we may not search, "" when none
  std::string user{};            ///< our effective user
  bool in_group = false;         ///< this process has the group
  bool listed_in_group = false;  ///< the group database has the user in it
};

/// Code::unavailable for a socket that is missing or that nobody listens on; Code::denied with the path, its owner
/// group, whether the user is in that group and what to do. Pure.
Error explain_socket(const SocketFacts& facts, const Error& cause);
/// Reads the facts; any thread, quick.
SocketFacts socket_facts(const std::string& path);

}  // namespace berth::engine
