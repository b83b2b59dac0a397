// Texts, times and filters of the fake engine.
#include <fmt/format.h>
#include <fnmatch.h>

#include <chrono>

#include "base/text.h"
#include "testing/fake_route.h"

namespace berth::testing {
namespace {

constexpr FakeTime kSecond = 1'000'000'000;

std::optional<FakeTime> parse_seconds(std::string_view text) {
  const Cut parts = cut(text, '.');
  std::string digits(parts.after);
  if (parts.before.empty() || digits.size() > 9) return std::nullopt;
  digits.append(9 - digits.size(), '0');
  digits.insert(0, parts.before);
  const std::size_t sign = digits.starts_with('-') ? 1 : 0;
  if (digits.size() > 19 || digits.find_first_not_of("0123456789", sign) != std::string::npos) return std::nullopt;
  return std::stoll(digits);
}

std::optional<FakeTime> parse_date(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, used = 0;
  const std::string copy(text);
  if (std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second, &used) != 6)
    return std::nullopt;
  const auto days = std::chrono::sys_days(std::chrono::year(year) / month / day).time_since_epoch().count();
  FakeTime time = ((days * 24 + hour) * 60 + minute) * 60 + second;
  std::string_view rest = std::string_view(copy).substr(static_cast<std::size_t>(used));
  if (rest.ends_with('Z')) rest.remove_suffix(1);
  if (rest.empty()) return time * kSecond;
  return parse_seconds(std::to_string(time).append(rest));
}

std::optional<FakeTime> parse_duration(std::string_view text) {
  FakeTime total = 0;
  while (!text.empty()) {
    const std::size_t digits = text.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string_view::npos) return std::nullopt;
    const FakeTime count = std::stoll(std::string(text.substr(0, digits)));
    const char unit = text[digits];
    const FakeTime scale = unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3600 : 0;
    if (scale == 0) return std::nullopt;
    total += count * scale * kSecond;
    text.remove_prefix(digits + 1);
  }
  return total;
}

FakeReply bad_filter(std::string_view name) {
  return refuse(400, fmt::format("Invalid filter '{}'", name));
}

}  // namespace

std::string_view FakeArgs::value(std::string_view key) const {
  for (const auto& [name, value] : query)
    if (name == key) return value;
  return {};
}

std::vector<std::string> FakeArgs::values(std::string_view key) const {
  std::vector<std::string> found;
  for (const auto& [name, value] : query)
    if (name == key) found.push_back(value);
  return found;
}

bool FakeArgs::has(std::string_view key) const {
  return std::ranges::any_of(query, [&](const auto& pair) { return pair.first == key; });
}

bool FakeArgs::flag(std::string_view key) const {
  const std::string text = lower(trim(value(key)));
  return !text.empty() && text != "0" && text != "no" && text != "false" && text != "none";
}

std::string_view FakeArgs::header(std::string_view name) const {
  for (const auto& [key, value] : request.headers)
    if (equal_fold(key, name)) return value;
  return {};
}

void put(Json& object, std::initializer_list<Json::Member> members) {
  for (const auto& [key, value] : members) object.set(key, value);
}
Json with(Json object, std::initializer_list<Json::Member> members) {
  put(object, members);
  return object;
}

FakeReply answer(int status, const Json& body) {
  return {.status = status, .headers = {{"Content-Type", "application/json"}}, .body = body.dump() + "\n"};
}
FakeReply answer(int status) {
  return {.status = status};
}
FakeReply refuse(int status, std::string message) {
  return answer(status, Json::object({{"message", std::move(message)}}));
}
FakeReply no_such_container(std::string_view name) {
  return refuse(404, fmt::format("No such container: {}", name));
}

bool glob(std::string_view pattern, std::string_view text) {
  return fnmatch(std::string(pattern).c_str(), std::string(text).c_str(), 0) == 0;
}

std::string time_text(FakeTime time) {
  if (time == 0) return "0001-01-01T00:00:00Z";
  const std::chrono::sys_time<std::chrono::nanoseconds> point{std::chrono::nanoseconds(time)};
  const auto day = std::chrono::floor<std::chrono::days>(point);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(point - day);
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                 clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  std::string fraction = fmt::format("{:09}", clock.subseconds().count());
  fraction.erase(fraction.find_last_not_of('0') + 1);
  if (!fraction.empty()) text += "." + fraction;
  return text + "Z";
}

// As go-units' HumanDuration.
std::string span_text(FakeTime span) {
  const FakeTime seconds = span / kSecond, minutes = seconds / 60, hours = (minutes + 30) / 60;
  if (seconds < 1) return "Less than a second";
  if (seconds == 1) return "1 second";
  if (seconds < 60) return fmt::format("{} seconds", seconds);
  if (minutes == 1) return "About a minute";
  if (minutes < 60) return fmt::format("{} minutes", minutes);
  if (hours == 1) return "About an hour";
  if (hours < 48) return fmt::format("{} hours", hours);
  if (hours < 24 * 7 * 2) return fmt::format("{} days", hours / 24);
  if (hours < 24 * 30 * 2) return fmt::format("{} weeks", hours / 24 / 7);
  if (hours < 24 * 365 * 2) return fmt::format("{} months", hours / 24 / 30);
  return fmt::format("{} years", hours / 24 / 365);
}

std::optional<FakeTime> parse_time(std::string_view text, FakeTime now) {
  if (text.empty()) return std::nullopt;
  if (const auto seconds = parse_seconds(text)) return seconds;
  if (const auto date = parse_date(text)) return date;
  if (const auto span = parse_duration(text)) return now - *span;
  return std::nullopt;
}

std::expected<FakeFilters, FakeReply> read_filters(const FakeArgs& args, std::vector<std::string_view> known) {
  FakeFilters filters;
  const std::string_view text = args.value("filters");
  if (text.empty()) return filters;
  const auto parsed = parse_json(text);
  if (!parsed || !parsed->is_object())
    return std::unexpected(
        refuse(args.at_least(42) ? 400 : 500, "invalid character in literal: the filters are no JSON"));
  for (const auto& [name, value] : parsed->members()) {
    if (std::ranges::find(known, name) == known.end()) return std::unexpected(bad_filter(name));
    auto& list = filters[name];
    for (const Json& item : value.items()) list.emplace_back(item.text());
    for (const auto& [item, on] : value.members()) list.push_back(item);
  }
  return filters;
}

bool has_labels(const Json& labels, const FakeFilters& filters) {
  const auto wanted = filters.find("label");
  if (wanted == filters.end()) return true;
  return std::ranges::all_of(wanted->second, [&](const std::string& item) {
    const Cut pair = cut(item, '=');
    return labels.contains(pair.before) && (!pair.found || labels[pair.before].text() == pair.after);
  });
}

bool passes(const FakeFilters& filters, std::string_view name, std::string_view text) {
  const auto wanted = filters.find(std::string(name));
  return wanted == filters.end() || wanted->second.empty() ||
         std::ranges::find(wanted->second, text) != wanted->second.end();
}

}  // namespace berth::testing
