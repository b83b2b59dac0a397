#include "base/units.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/text.h"

namespace berth {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::array kUnits = {Unit{"ns", 1},
                               Unit{"us", 1000},
                               Unit{"\u00b5s", 1000},
                               Unit{"\u03bcs", 1000},
                               Unit{"ms", 1'000'000},
                               Unit{"s", kSecond},
                               Unit{"m", 60 * kSecond},
                               Unit{"h", 3600 * kSecond},
                               Unit{"d", 86'400 * kSecond},
                               Unit{"w", 604'800 * kSecond}};
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

std::unexpected<Error> refuse(std::string_view text, std::string_view why) {
  return fail(Code::invalid, "invalid duration \"" + std::string(text) + "\": " + std::string(why));
}

std::string_view take_digits(std::string_view& rest) {
  std::size_t n = 0;
  while (n < rest.size() && rest[n] >= '0' && rest[n] <= '9') ++n;
  const std::string_view digits = rest.substr(0, n);
  rest.remove_prefix(n);
  return digits;
}

// One number with its unit, such as "1.5h"; `text` is the whole for messages.
Result<std::int64_t> take_term(std::string_view& rest, std::string_view text) {
  const std::string_view whole = take_digits(rest);
  std::string_view fraction;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    fraction = take_digits(rest);
  }
  if (whole.empty() && fraction.empty()) return refuse(text, "a number is expected, such as in 1m30s");
  const std::string_view name = rest.substr(0, rest.find_first_of(".0123456789"));
  rest.remove_prefix(name.size());
  if (name.empty()) return refuse(text, "missing unit; write \"" + std::string(text) + "s\" for seconds");
  const auto* const unit = std::ranges::find(kUnits, name, &Unit::name);
  if (unit == kUnits.end())
    return refuse(text, "unknown unit \"" + std::string(name) + "\"; known are ns us ms s m h d w");
  std::int64_t count = 0;
  if (!whole.empty() && std::from_chars(whole.data(), whole.data() + whole.size(), count).ec != std::errc())
    return refuse(text, "it is too long");
  if (count > kMost / unit->nanoseconds) return refuse(text, "it is too long");
  // Digits beyond the 18th are below a nanosecond in every unit.
  double part = 0;
  double scale = 1;
  for (const char c : fraction.substr(0, 18)) part = part * 10 + (c - '0'), scale *= 10;
  const auto rounded = static_cast<std::int64_t>(part * (static_cast<double>(unit->nanoseconds) / scale));
  const std::int64_t value = count * unit->nanoseconds;
  if (value > kMost - rounded) return refuse(text, "it is too long");
  return value + rounded;
}

// `value` / `unit` with the trailing zeros of the fraction cut.
std::string decimal(std::uint64_t value, std::uint64_t unit) {
  std::string out = std::to_string(value / unit);
  if (value % unit == 0) return out;
  std::string fraction = std::to_string(unit + value % unit).substr(1);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return out + "." + fraction;
}

}  // namespace

Result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == "0") return std::chrono::nanoseconds(0);
  if (rest.empty()) return refuse(text, "it is empty");
  std::int64_t total = 0;
  while (!rest.empty()) {
    const std::int64_t term = TRY(take_term(rest, text));
    if (total > kMost - term) return refuse(text, "it is too long");
    total += term;
  }
  return std::chrono::nanoseconds(negative ? -total : total);
}

std::string format_duration(std::chrono::nanoseconds value) {
  const auto count = value.count();
  if (count == 0) return "0s";
  const std::uint64_t n = count < 0 ? 0 - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
  const std::string sign = count < 0 ? "-" : "";
  if (n < 1000) return sign + std::to_string(n) + "ns";
  if (n < 1'000'000) return sign + decimal(n, 1000) + "\u00b5s";
  if (n < kSecond) return sign + decimal(n, 1'000'000) + "ms";
  const std::uint64_t hours = n / (3600 * kSecond);
  const std::uint64_t minutes = n / (60 * kSecond) % 60;
  std::string out = sign;
  if (hours > 0) out += std::to_string(hours) + "h";
  if (hours > 0 || minutes > 0) out += std::to_string(minutes) + "m";
  return out + decimal(n % (60 * kSecond), kSecond) + "s";
}

Result<std::int64_t> parse_size(std::string_view text) {
  const auto refuse_size = [&] {
    return fail(Code::invalid,
                "invalid size \"" + std::string(text) + "\": write bytes or a number with k, m, g, t or p");
  };
  const std::size_t last = text.find_last_of("0123456789. ");
  if (last == std::string_view::npos) return refuse_size();
  const std::string_view number = text.substr(0, text[last] == ' ' ? last : last + 1);
  const std::string suffix = lower(text.substr(last + 1));
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc() || end != number.data() + number.size() || value < 0) return refuse_size();
  if (!suffix.empty() && suffix != "b") {
    const std::size_t power = std::string_view("kmgtp").find(suffix[0]);
    const std::string_view tail = std::string_view(suffix).substr(1);
    if (power == std::string_view::npos || !(tail.empty() || tail == "b" || tail == "ib")) return refuse_size();
    value = std::ldexp(value, 10 * (static_cast<int>(power) + 1));
  }
  // 2^63 as a double; also false for a NaN.
  if (!(value < 9223372036854775808.0)) return refuse_size();
  return static_cast<std::int64_t>(value);
}

}  // namespace berth
