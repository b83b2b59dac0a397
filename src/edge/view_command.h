// What core asks of the edge for people who look on, over the control channel. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::edge {

/// One frame from core beside snapshots; answered by EdgeEvent::Kind::answered.
struct ViewCommand {
  enum class What {
    metrics,   ///< {"text": metrics_text()}
    requests,  ///< {"running": [...]}
    follow,    ///< {}: EdgeEvent::Kind::request for each request that ends, for the next kFollowed
  };
  static constexpr std::chrono::seconds kFollowed{10};
  std::uint64_t id = 0;
  What what = What::metrics;
};
std::string encode_command(const ViewCommand& command);
bool is_view_command(std::string_view payload);
Result<ViewCommand> decode_view_command(std::string_view payload);

}  // namespace berth::edge
