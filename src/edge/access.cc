#include "edge/access.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/json.h"

namespace berth::edge {

std::string access_line(const AccessEvent& event, std::chrono::sys_time<std::chrono::milliseconds> time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  std::string out = fmt::format(R"({{"time":"{:%Y-%m-%dT%H:%M:%S}.{:03}Z")",
                                fmt::gmtime(seconds.time_since_epoch().count()), (time - seconds).count());
  const auto add = [&](std::string_view key, std::string_view value) {
    if (!value.empty()) out += fmt::format(R"(,"{}":{})", key, quote_json(value));
  };
  add("client", event.client);
  add("method", event.method);
  add("scheme", event.scheme);
  add("host", event.host);
  add("path", event.path);
  out += fmt::format(R"(,"status":{},"sent":{},"received":{},"ms":{:.3f})", event.status, event.sent, event.received,
                     static_cast<double>(event.duration.count()) / 1000);
  add("route", event.route);
  add("target", event.target);
  add("cache", event.cache);
  add("error", event.error);
  return out + "}";
}

}  // namespace berth::edge
