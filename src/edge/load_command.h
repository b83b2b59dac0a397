// What core asks about the requests that run, over the control channel, and the edge's answer. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace berth::edge {

/// Requests of some upstreams and services.
struct Load {
  std::size_t running = 0;  ///< at the upstreams
  std::size_t lasting = 0;  ///< of those, the ones that last: WebSockets, event streams, downloads
  std::size_t held = 0;     ///< that wait for their service to be resumed
  Load& operator+=(const Load& other);
  friend bool operator==(const Load&, const Load&) = default;
};
std::string encode_load(const Load& load);
/// Zeros where a member is missing.
Load decode_load(std::string_view text);

/// One frame from core beside snapshots.
struct LoadCommand {
  std::uint64_t id = 0;                  ///< comes back as the version of EdgeEvent::Kind::answered
  std::vector<std::string> upstreams{};  ///< by upstream_key()
  std::vector<std::string> services{};   ///< by name
  bool cut = false;                      ///< what lasts at the upstreams is cut, once it is counted
};
std::string encode_command(const LoadCommand& command);
bool is_load_command(std::string_view payload);
Result<LoadCommand> decode_load_command(std::string_view payload);

}  // namespace berth::edge
