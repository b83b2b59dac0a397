#include "api/log_lines.h"

#include "api/container_view.h"
#include "base/text.h"

namespace berth::api {
namespace {

constexpr std::size_t kMostLine = 64u << 10;

LogLine line_of(std::string_view whole, bool err) {
  if (whole.ends_with('\r')) whole.remove_suffix(1);
  const Cut parts = cut(whole, ' ');
  const std::int64_t at = nanoseconds_of(parts.before);
  if (at == 0) return {.err = err, .text = whole};
  return {.err = err, .at = at, .stamp = parts.before, .text = parts.after};
}

}  // namespace

void LogLines::feed(const engine::OutputPiece& piece, const Take& take) {
  const bool err = piece.channel == engine::Channel::err;
  std::string& held = held_[err ? 1 : 0];
  std::string_view rest = piece.bytes;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    held.append(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (end == std::string_view::npos && held.size() < kMostLine) break;
    take(line_of(held, err));
    held.clear();
  }
}

void LogLines::finish(const Take& take) {
  for (const bool err : {false, true}) {
    std::string& held = held_[err ? 1 : 0];
    if (!held.empty()) take(line_of(held, err));
    held.clear();
  }
}

std::string seconds_of(std::uint64_t nanoseconds) {
  std::string fraction = std::to_string(nanoseconds % 1'000'000'000);
  fraction.insert(0, 9 - fraction.size(), '0');
  return std::to_string(nanoseconds / 1'000'000'000) + "." + fraction;
}

}  // namespace berth::api
