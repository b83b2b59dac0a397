#include "api/route.h"

#include <algorithm>
#include <charconv>

namespace berth::api {
namespace {

std::string_view found(const std::map<std::string, std::string, std::less<>>& values, std::string_view name,
                       std::string_view fallback) {
  const auto at = values.find(name);
  return at == values.end() ? fallback : std::string_view(at->second);
}

}  // namespace

std::string_view Call::parameter(std::string_view name) const {
  return found(path, name, {});
}

std::string_view Call::option(std::string_view name, std::string_view fallback) const {
  return found(query, name, fallback);
}

bool Call::flag(std::string_view name) const {
  const std::string_view value = option(name);
  return value == "1" || value == "true";
}

std::int64_t Call::number(std::string_view name, std::int64_t fallback) const {
  const std::string_view text = option(name);
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() ? fallback : value;
}

Reply accepted(std::string job) {
  return {.status = 202, .body = Json::object({{"job", std::move(job)}})};
}

Reply problem(int status, std::string_view code, std::string_view message) {
  return {.status = status,
          .body = Json::object({{"error", http::reason_of(status)}, {"code", code}, {"message", message}}),
          .headers = {{"X-Error-Code", std::string(code)}}};
}

Reply page(const Call& call, std::vector<Json> items, Json stale) {
  const auto total = static_cast<std::int64_t>(items.size());
  const std::int64_t limit = std::clamp<std::int64_t>(call.number("limit", 100), 1, 1000);
  const std::int64_t begin = std::clamp<std::int64_t>(call.number("cursor", 0), 0, total);
  const std::int64_t end = std::min(begin + limit, total);
  Json::Array shown(std::make_move_iterator(items.begin() + begin), std::make_move_iterator(items.begin() + end));
  return {.body = Json::object({{"items", std::move(shown)},
                                {"next", end < total ? Json(std::to_string(end)) : Json()},
                                {"stale", std::move(stale)}})};
}

}  // namespace berth::api
