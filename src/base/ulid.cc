#include "base/ulid.h"

#include <algorithm>

namespace berth {
namespace {

constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kTimeDigits = 10, kRandomDigits = 16;

}  // namespace

std::string encode_ulid(std::int64_t milliseconds, std::string_view random) {
  std::string out(kTimeDigits, '0');
  auto time = static_cast<std::uint64_t>(milliseconds);
  for (std::size_t at = kTimeDigits; at-- > 0; time >>= 5) out[at] = kDigits[time & 31];
  unsigned bits = 0, have = 0;
  for (const unsigned char byte : random) {
    bits = bits << 8 | byte;
    for (have += 8; have >= 5; have -= 5) out += kDigits[bits >> (have - 5) & 31];
  }
  return out;
}

bool is_id_of(std::string_view text, std::string_view kind) {
  if (!text.starts_with(kind) || !text.substr(kind.size()).starts_with('_')) return false;
  const auto digits = text.substr(kind.size() + 1);
  return digits.size() == kTimeDigits + kRandomDigits && digits[0] <= '7' &&
         std::ranges::all_of(digits, [](char c) { return kDigits.contains(c); });
}

}  // namespace berth
