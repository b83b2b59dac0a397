// What a process gives up before it reads a stranger's bytes: user, privileges, most system calls.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace berth::io {

struct Confinement {
  /// The account to become, by name or number; several: the first that exists. Empty: the user stays. Only root can.
  std::vector<std::string> users{};
  /// Belongs to that user from here on, with the files in it, and is the working folder: what lies above it need not
  /// be reachable. Empty: stays.
  std::string folder{};
};

/// For good, and for all threads: another user without any capability, no new privileges, no core files, and of system
/// calls only what serving needs: no program is run, no other process touched, no socket made but TCP and UDP. A call
/// that is not allowed ends the process with status 70 and a line on stderr that names its number. Returns what could
/// not be given up, for a warning. Code::invalid for a user that does not exist, internal when the kernel refuses.
Result<std::vector<std::string>> confine(const Confinement& confinement);

/// Only another account with its groups, and the group `extra` where that exists, no new privileges and no core files:
/// for a process that has to open unix sockets. Nothing happens when no account is called `name`: false. Code::internal
/// when the kernel refuses.
Result<bool> become_account(const std::string& name, const std::string& extra);

/// Has the kernel send `signal` to this process when its parent dies; confine() undoes what was set before.
void end_with_parent(int signal);

}  // namespace berth::io
