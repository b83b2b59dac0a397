// Which containers get requests while one replaces another. Pure.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "edge/address.h"

namespace berth::app {

/// A container that replaces one that still runs (com.docker.compose.replace) gets no requests until it is admitted,
/// and does not count at all: its labels may differ. One that leaves gets requests only where nobody else serves.
class Handover {
 public:
  void admit(const std::string& id) {
    admitted_.insert(id);
    leaving_.erase(id);
  }
  void leave(const std::string& id) { leaving_.insert(id); }
  void stay(const std::string& id) { leaving_.erase(id); }

  /// Takes the held ones out of `targets` and marks those that leave.
  void apply(std::vector<edge::Target>& targets) const;
  /// Forgets what is not in `targets` any more.
  void forget_gone(const std::vector<edge::Target>& targets);

 private:
  std::set<std::string> admitted_, leaving_;  // ids
};

}  // namespace berth::app
