#include "broker/version.h"

#include <algorithm>
#include <string>

namespace berth::broker {
namespace {

// "1.41" of an engine; 0 for any other text.
int minor_of(std::string_view text) {
  if (text.size() < 3 || text.size() > 4 || !text.starts_with("1.")) return 0;
  int minor = 0;
  for (const char c : text.substr(2)) {
    if (c < '0' || c > '9') return 0;
    minor = minor * 10 + (c - '0');
  }
  return minor;
}

std::string text_of(int minor) {
  return "1." + std::to_string(minor);
}

}  // namespace

Result<Versions> common_versions(std::string_view newest, std::string_view oldest) {
  const int most = minor_of(newest), least = minor_of(oldest);
  if (most == 0) return fail(Code::unavailable, "what answers there is no container engine: it names no API version");
  if (most < kOldestMinor)
    return fail(Code::unavailable, "the engine is too old: it speaks API " + text_of(most) +
                                       " at most, the broker needs " + text_of(kOldestMinor) + "; upgrade the engine");
  if (least > kNewestMinor)
    return fail(Code::unavailable, "the broker is too old for this engine: it speaks API " + text_of(least) +
                                       " at least, the broker " + text_of(kNewestMinor) + " at most; upgrade berth");
  return Versions{std::max(least, kOldestMinor), std::min(most, kNewestMinor)};
}

}  // namespace berth::broker
