// Lines of a container's log with their times, out of the engine's pieces. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "engine/stdcopy.h"

namespace berth::api {

/// Views live until the callback returns.
struct LogLine {
  bool err = false;
  std::int64_t at = 0;       ///< nanoseconds since 1970
  std::string_view stamp{};  ///< the engine's own text of it
  std::string_view text{};   ///< without its line end
};

/// Nanoseconds since 1970 as engines take times: "1.000000002".
std::string seconds_of(std::uint64_t nanoseconds);

/// Takes pieces of any size of a log with timestamps. A line of more than 64 KiB comes in parts.
class LogLines {
 public:
  using Take = std::function<void(const LogLine&)>;
  void feed(const engine::OutputPiece& piece, const Take& take);
  /// The last lines, where they have no end.
  void finish(const Take& take);

 private:
  std::string held_[2];
};

}  // namespace berth::api
