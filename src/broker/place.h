// In which container a broker runs, and whether others than its neighbours can reach it there: from what the kernel and
// the engine say. Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace berth::broker {

/// What may be the id of the container that this process is in, the surest first: from /proc/self/mountinfo (where an
/// engine's /etc/hostname, /etc/hosts and /etc/resolv.conf lie), from /proc/self/cgroup, and a host name that looks
/// like the front of an id. At most 8.
std::vector<std::string> container_candidates(std::string_view mountinfo, std::string_view cgroup,
                                              std::string_view hostname);

enum class Reach {
  internal,  ///< every network is internal
  open,      ///< one is not
  unknown,   ///< the engine's answer is not about this process, or says too little
};
struct Place {
  Reach reach = Reach::unknown;
  std::string why{};  ///< of open and unknown
};

/// What the engine says of a container and of its networks.
struct Surroundings {
  Json container{};
  std::vector<Json> networks{};
};
/// `own` holds the hardware and network addresses of every interface here but loopback. `internal` needs proof: the
/// engine has to name exactly these for the container's endpoints, so a wrong container, an interface from elsewhere
/// and an answer without addresses are `unknown`.
Place judge_place(const Surroundings& seen, const std::set<std::string>& own);

}  // namespace berth::broker
