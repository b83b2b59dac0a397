#include "edge/health.h"

#include "io/scope.h"

namespace berth::edge {
namespace {

constexpr auto kTick = std::chrono::milliseconds(100);
constexpr std::size_t kMostProbes = 4096;

std::string request_of(const HealthCheck& check, const std::string& host) {
  std::string out = check.method + " " + check.path + " HTTP/1.1\r\nHost: " + host +
                    "\r\nUser-Agent: berth-health\r\nConnection: close\r\n";
  for (const auto& [name, value] : check.headers) {
    if (!http::same_name(name, "host")) out += name + ": " + value + "\r\n";
  }
  return out + "\r\n";
}

/// The status of the reply.
io::Task<Result<int>> exchange(UpstreamPool& pool, const Upstream& upstream, std::string text) {
  auto wire = CO_TRY(co_await pool.connect(upstream, true));
  CO_TRY(co_await io::write_all(wire->stream(), text));
  http::ResponseHead head;
  while (true) {
    const http::Parsed parsed = http::parse_response(wire->unread(), head);
    if (parsed.state == http::Parsed::State::complete) co_return head.status;
    if (parsed.state == http::Parsed::State::refused) co_return fail(Code::invalid, std::string(parsed.reason));
    if (!CO_TRY(co_await wire->fill())) co_return fail(Code::unavailable, "closed without a reply");
  }
}

}  // namespace

io::Task<void> Prober::run() {
  const io::Context context = co_await io::here();
  io::Scope scope(context);
  while (!context.cancel->requested()) {
    if (seen_ != shared_.live) follow();
    const io::Time now = shared_.loop.now();
    io::Time next = now + std::chrono::seconds(1);
    for (auto& [key, probe] : probes_) {
      if (probe.running) continue;
      if (probe.due <= now) {
        probe.running = true;
        scope.spawn(ask(key));
      } else {
        next = std::min(next, probe.due);
      }
    }
    if (!co_await io::sleep_until(std::max(next, now + kTick))) break;
  }
  scope.cancel();
  co_await scope.join();
}

void Prober::follow() {
  seen_ = shared_.live;
  std::map<std::string, Probe> probes;
  for (const auto& listed : seen_->routes().services()) {
    const Service& service = *listed;
    for (const Upstream& upstream : service.upstreams) {
      if (!service.health || probes.size() >= kMostProbes) break;
      if (upstream.h2 || upstream.speaks != Speaks::http) continue;  // asked in HTTP/1.1 it would seem down
      const std::string key = service.name + " " + upstream_key(upstream);
      const auto known = probes_.find(key);
      const bool same = known != probes_.end() && known->second.check == *service.health;
      probes.emplace(key, probe_of(same ? known->second : Probe{}, *service.health, upstream));
    }
  }
  for (const auto& [key, probe] : probes_) {
    if (probe.down && !probes.contains(key)) tell(probe.upstream, false);
  }
  probes_ = std::move(probes);
}

Prober::Probe Prober::probe_of(Probe probe, const HealthCheck& check, const Upstream& upstream) {
  probe.upstream = probe.asked = upstream;
  probe.check = check;
  if (check.port != 0) probe.asked.port = static_cast<std::uint16_t>(check.port);
  if (!check.scheme.empty()) probe.asked.tls = check.scheme == "https";
  const std::string host = upstream.host.contains(':') ? "[" + upstream.host + "]" : upstream.host;
  probe.host = check.hostname.empty() ? host + ":" + std::to_string(probe.asked.port) : check.hostname;
  return probe;
}

void Prober::tell(const Upstream& upstream, bool down) {
  shared_.pool.set_down(upstream, down);
  if (shared_.health) shared_.health(upstream, down);
}

io::Task<void> Prober::ask(std::string key) {
  const Probe asked = probes_.at(key);
  const auto answer = co_await io::within(asked.check.timeout,
                                          exchange(shared_.pool, asked.asked, request_of(asked.check, asked.host)));
  const auto at = probes_.find(key);
  if (at == probes_.end()) co_return;  // the table changed meanwhile
  Probe& probe = at->second;
  const int wanted = static_cast<int>(probe.check.status);
  const bool well = answer && (wanted != 0 ? *answer == wanted : *answer >= 200 && *answer < 400);
  const bool changed = probe.down == well;
  probe.running = false;
  probe.down = !well;
  const bool often = !well && probe.check.unhealthy_interval.count() > 0;
  probe.due = shared_.loop.now() + (often ? probe.check.unhealthy_interval : probe.check.interval);
  tell(probe.upstream, !well);
  if (!changed || !shared_.event || well) co_return;
  shared_.event({.kind = EdgeEvent::Kind::upstream_failed,
                 .subject = probe.upstream.target,
                 .detail = "health check " + probe.check.path + ": " +
                           (answer ? "status " + std::to_string(*answer) : answer.error().message)});
}

}  // namespace berth::edge
