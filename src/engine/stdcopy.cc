#include "engine/stdcopy.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace berth::engine {
namespace {
constexpr unsigned char kError = 2;
constexpr unsigned char kSystemError = 3;
}  // namespace

Result<std::optional<OutputPiece>> StdcopyReader::next(std::string_view& input) {
  while (!input.empty()) {
    if (left_ > 0) {
      const std::size_t count = std::min<std::size_t>(left_, input.size());
      const OutputPiece piece{channel_, input.substr(0, count)};
      input.remove_prefix(count);
      left_ -= static_cast<std::uint32_t>(count);
      return piece;
    }
    const std::size_t count = std::min(sizeof header_ - held_, input.size());
    std::memcpy(header_ + held_, input.data(), count);
    input.remove_prefix(count);
    held_ += count;
    if (held_ < sizeof header_) break;
    held_ = 0;
    TRY(open_frame(input));
  }
  return std::nullopt;
}

// Channel 0 is stdin, which engines echo as output of a terminal that never was.
Result<void> StdcopyReader::open_frame(std::string_view rest) {
  const bool padded = header_[1] == 0 && header_[2] == 0 && header_[3] == 0;
  if (header_[0] > kSystemError || !padded)
    return fail(Code::internal, "broken output frame: is the container's terminal setting known right?");
  left_ = static_cast<std::uint32_t>(header_[4]) << 24 | static_cast<std::uint32_t>(header_[5]) << 16 |
          static_cast<std::uint32_t>(header_[6]) << 8 | static_cast<std::uint32_t>(header_[7]);
  if (header_[0] == kSystemError)
    return fail(Code::internal,
                "the engine reports: " + std::string(rest.substr(0, std::min<std::size_t>(left_, 512))));
  channel_ = header_[0] == kError ? Channel::err : Channel::out;
  return {};
}

}  // namespace berth::engine
