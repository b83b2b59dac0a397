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
  add("protocol", event.protocol);
  add("tls", event.tls);
  add("method", event.method);
  add("scheme", event.scheme);
  add("host", event.host);
  add("path", event.path);
  out += fmt::format(R"(,"status":{},"sent":{},"received":{},"ms":{:.3f})", event.status, event.sent, event.received,
                     static_cast<double>(event.duration.count()) / 1000);
  add("route", event.route);
  add("target", event.target);
  add("cache", event.cache);
  if (event.upstream.count() > 0)
    out += fmt::format(R"(,"upstream_ms":{:.3f})", static_cast<double>(event.upstream.count()) / 1000);
  if (event.retries > 0) out += fmt::format(R"(,"retries":{})", event.retries);
  add("agent", event.agent);
  add("request_id", event.request_id);
  add("trace_id", event.trace_id);
  add("error", event.error);
  return out + "}";
}

}  // namespace berth::edge
