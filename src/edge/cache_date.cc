#include "edge/cache_date.h"

#include <chrono>

#include "base/text.h"

namespace berth::edge {
namespace {

constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::string_view kDays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

/// Reads one date from left to right; the first byte out of place ends it.
class DateReader {
 public:
  explicit DateReader(std::string_view text) : text_(text) {}

  bool literal(std::string_view expected) {
    if (!equal_fold(text_.substr(0, expected.size()), expected)) return false;
    text_.remove_prefix(expected.size());
    return true;
  }
  bool number(std::size_t digits, int& value) {
    if (text_.size() < digits) return false;
    value = 0;
    for (const char c : text_.substr(0, digits)) {
      if (c < '0' || c > '9') return false;
      value = value * 10 + (c - '0');
    }
    text_.remove_prefix(digits);
    return true;
  }
  bool month(int& value) {
    for (value = 1; value <= 12; ++value) {
      if (literal(kMonths[value - 1])) return true;
    }
    return false;
  }
  /// A day's name, whole or its first three letters; `length` tells which it was.
  bool weekday(std::size_t& length) {
    for (const std::string_view day : kDays) {
      for (const std::string_view form : {day, day.substr(0, 3)}) {
        length = form.size();
        if (literal(form)) return true;
      }
    }
    return false;
  }
  bool time(int& hour, int& minute, int& second) {
    return number(2, hour) && literal(":") && number(2, minute) && literal(":") && number(2, second);
  }
  bool done() const { return text_.empty(); }

 private:
  std::string_view text_;
};

struct Parts {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

std::optional<std::int64_t> seconds_of(const Parts& parts) {
  using namespace std::chrono;
  const year_month_day date(year(parts.year), month(static_cast<unsigned>(parts.month)),
                            day(static_cast<unsigned>(parts.day)));
  if (!date.ok() || parts.hour > 23 || parts.minute > 59 || parts.second > 60) return std::nullopt;
  const std::int64_t days = sys_days(date).time_since_epoch().count();
  return days * 86400 + parts.hour * 3600 + parts.minute * 60 + parts.second;
}

int year_of(std::int64_t seconds) {
  using namespace std::chrono;
  return int(year_month_day(floor<days>(sys_seconds(std::chrono::seconds(seconds)))).year());
}

bool read_fixdate(DateReader& reader, Parts& parts) {
  return reader.literal(", ") && reader.number(2, parts.day) && reader.literal(" ") && reader.month(parts.month) &&
         reader.literal(" ") && reader.number(4, parts.year) && reader.literal(" ") &&
         reader.time(parts.hour, parts.minute, parts.second) && reader.literal(" GMT") && reader.done();
}

bool read_rfc850(DateReader& reader, Parts& parts) {
  return reader.literal(", ") && reader.number(2, parts.day) && reader.literal("-") && reader.month(parts.month) &&
         reader.literal("-") && reader.number(2, parts.year) && reader.literal(" ") &&
         reader.time(parts.hour, parts.minute, parts.second) && reader.literal(" GMT") && reader.done();
}

bool read_asctime(DateReader& reader, Parts& parts) {
  if (!reader.literal(" ") || !reader.month(parts.month) || !reader.literal(" ")) return false;
  const bool day = reader.literal(" ") ? reader.number(1, parts.day) : reader.number(2, parts.day);
  return day && reader.literal(" ") && reader.time(parts.hour, parts.minute, parts.second) && reader.literal(" ") &&
         reader.number(4, parts.year) && reader.done();
}

void append_number(std::string& out, int value, int digits) {
  for (int power = digits == 4 ? 1000 : 10; power > 0; power /= 10)
    out.push_back(static_cast<char>('0' + value / power % 10));
}

}  // namespace

std::optional<std::int64_t> parse_http_date(std::string_view text, std::int64_t now) {
  DateReader start(text);
  std::size_t length = 0;
  if (!start.weekday(length)) return std::nullopt;
  Parts parts;
  if (DateReader reader = start; length == 3 && read_fixdate(reader, parts)) return seconds_of(parts);
  if (DateReader reader = start; length == 3 && read_asctime(reader, parts = {})) return seconds_of(parts);
  if (DateReader reader = start; length == 3 || !read_rfc850(reader, parts = {})) return std::nullopt;
  parts.year += year_of(now) / 100 * 100;
  if (parts.year > year_of(now) + 50) parts.year -= 100;
  return seconds_of(parts);
}

void append_http_date(std::string& out, std::int64_t seconds) {
  using namespace std::chrono;
  const sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  out.append(kDays[weekday(day).c_encoding()].substr(0, 3)).append(", ");
  append_number(out, static_cast<int>(unsigned(date.day())), 2);
  out.append(" ").append(kMonths[unsigned(date.month()) - 1]).append(" ");
  append_number(out, int(date.year()), 4);
  out.push_back(' ');
  append_number(out, static_cast<int>(clock.hours().count()), 2);
  out.push_back(':');
  append_number(out, static_cast<int>(clock.minutes().count()), 2);
  out.push_back(':');
  append_number(out, static_cast<int>(clock.seconds().count()), 2);
  out.append(" GMT");
}

}  // namespace berth::edge
