#include "edge/view_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace berth::edge {
namespace {

constexpr std::array<std::string_view, 3> kSpoken{"http/1", "http/2", "websocket"};
constexpr std::array<std::string_view, 6> kClasses{"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

/// One name with its meaning, then its lines.
class Text {
 public:
  void begin(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    out_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  template <class Number>
  void line(std::string_view labels, Number value) {
    out_ += labels.empty() ? fmt::format("{} {}\n", name_, value) : fmt::format("{}{{{}}} {}\n", name_, labels, value);
  }
  void durations(std::string_view labels, const Durations& all) {
    const std::string_view comma = labels.empty() ? "" : ",";
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < all.counts.size(); ++i) {
      sum += all.counts[i];
      const bool last = i == Durations::kBounds.size();
      const std::string bound = last ? "+Inf" : fmt::format("{}", Durations::kBounds[i]);
      out_ += fmt::format("{}_bucket{{{}{}le=\"{}\"}} {}\n", name_, labels, comma, bound, sum);
    }
    const std::string braces = labels.empty() ? "" : fmt::format("{{{}}}", labels);
    out_ += fmt::format("{}_sum{} {}\n{}_count{} {}\n", name_, braces, static_cast<double>(all.micros) / 1e6, name_,
                        braces, sum);
  }
  template <class Number>
  void one(std::string_view name, std::string_view type, std::string_view help, Number value) {
    begin(name, type, help);
    line("", value);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_, name_;
};

using Sorted = std::map<std::string_view, const RouteCounts*>;

std::string labels_of(std::string_view route, const RouteCounts& counts) {
  return "route=\"" + label_value(route) + "\",service=\"" + label_value(counts.service) + "\"";
}

void add_routes(Text& text, const Sorted& routes) {
  text.begin("berth_requests_total", "counter", "Requests answered; code none: the client went away before.");
  for (const auto& [name, counts] : routes) {
    for (std::size_t spoken = 0; spoken < kSpoken.size(); ++spoken) {
      for (std::size_t code = 0; code < kClasses.size(); ++code) {
        const std::uint64_t count = counts->replies[spoken][code];
        if (count == 0) continue;
        text.line(
            labels_of(name, *counts) + fmt::format(R"(,protocol="{}",code="{}")", kSpoken[spoken], kClasses[code]),
            count);
      }
    }
  }
  text.begin("berth_request_duration_seconds", "histogram", "From a request's head to the end of its reply.");
  for (const auto& [name, counts] : routes) text.durations(labels_of(name, *counts), counts->took);
  text.begin("berth_request_bytes_total", "counter", "Bytes of request bodies.");
  for (const auto& [name, counts] : routes) text.line(labels_of(name, *counts), counts->received);
  text.begin("berth_response_bytes_total", "counter", "Bytes of reply bodies.");
  for (const auto& [name, counts] : routes) text.line(labels_of(name, *counts), counts->sent);
}

void add_connections(Text& text, const Metrics& all) {
  text.begin("berth_connections_total", "counter", "Connections accepted.");
  text.line("listener=\"web\"", all.connections[0]);
  text.line("listener=\"websecure\"", all.connections[1]);
  text.one("berth_open_connections", "gauge", "Connections of clients that are open.", all.open);
  text.one("berth_connections_refused_total", "counter", "Connections of clients that had too many.", all.refused);
  text.one("berth_accept_pauses_total", "counter", "Times that accepting waited for connections to end.", all.pauses);
  text.one("berth_running_requests", "gauge", "Requests that run, WebSockets among them.", all.running);
  text.begin("berth_tls_handshakes_total", "counter", "TLS handshakes with clients.");
  text.line("result=\"done\"", all.handshakes);
  text.line("result=\"failed\"", all.handshakes_failed);
  text.one("berth_upstream_connects_total", "counter", "Connections begun to upstreams.", all.connects);
  text.one("berth_upstream_failures_total", "counter", "Upstreams that could not be reached or asked.", all.failures);
  text.one("berth_upstream_idle_connections", "gauge", "Kept connections to upstreams.", all.idle_upstreams);
}

void add_cache(Text& text, const Json& cache) {
  static constexpr std::string_view kGauges[] = {"capacity", "bytes", "incoming", "urls"};
  text.begin("berth_cache", "gauge", "State of the cache: bytes of memory, bytes on their way in, stored URLs.");
  for (const std::string_view name : kGauges)
    if (cache.contains(name)) text.line(fmt::format("what=\"{}\"", name), cache[name].integer());
  text.begin("berth_cache_events_total", "counter", "What the cache did.");
  for (const auto& [name, value] : cache.members())
    if (!std::ranges::count(kGauges, name)) text.line(fmt::format("event=\"{}\"", label_value(name)), value.integer());
}

}  // namespace

void Durations::note(std::uint64_t took) {
  const double seconds = static_cast<double>(took) / 1e6;
  const auto bound = std::ranges::lower_bound(kBounds, seconds);
  ++counts[static_cast<std::size_t>(bound - kBounds.begin())];
  micros += took;
}

Durations& Durations::operator+=(const Durations& other) {
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
  micros += other.micros;
  return *this;
}

RouteCounts& RouteCounts::operator+=(const RouteCounts& other) {
  service = other.service;
  for (std::size_t i = 0; i < replies.size(); ++i)
    for (std::size_t code = 0; code < replies[i].size(); ++code) replies[i][code] += other.replies[i][code];
  received += other.received;
  sent += other.sent;
  took += other.took;
  return *this;
}

RouteCounts& Metrics::of(std::string_view route, std::string_view service) {
  auto found = routes.find(route);
  if (found == routes.end()) {
    const bool full = routes.size() >= kMostRoutes;
    found = routes.try_emplace(std::string(full ? "other" : route)).first;
    found->second.service = full ? "other" : service;
  }
  return found->second;
}

Metrics& Metrics::operator+=(const Metrics& other) {
  for (const auto& [name, counts] : other.routes) routes[name] += counts;
  for (std::size_t i = 0; i < connections.size(); ++i) connections[i] += other.connections[i];
  refused += other.refused;
  pauses += other.pauses;
  handshakes += other.handshakes;
  handshakes_failed += other.handshakes_failed;
  connects += other.connects;
  failures += other.failures;
  open += other.open;
  idle_upstreams += other.idle_upstreams;
  running += other.running;
  lag += other.lag;
  return *this;
}

std::string label_value(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n')
      out += "\\n";
    else if (c == '"' || c == '\\')
      out.append(1, '\\').append(1, c);
    else
      out += c;
  }
  return out;
}

std::string metrics_text(const Metrics& metrics, const ProcessFacts& facts) {
  Sorted routes;
  for (const auto& [name, counts] : metrics.routes) routes[name.empty() ? "none" : std::string_view(name)] = &counts;
  Text text;
  add_routes(text, routes);
  add_connections(text, metrics);
  text.begin("berth_loop_lag_seconds", "histogram", "How late a timer of a loop fired.");
  text.durations("", metrics.lag);
  if (!facts.cache.is_null()) add_cache(text, facts.cache);
  text.one("berth_snapshot_version", "gauge", "The snapshot in use.", facts.version);
  text.one("process_resident_memory_bytes", "gauge", "Resident memory of the edge.", facts.resident);
  return text.take();
}

}  // namespace berth::edge
