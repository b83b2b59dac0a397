// When a container counts as ready.
#include "compose/extension.h"
#include "compose/plan_parts.h"

namespace berth::compose::detail {

std::optional<plan::Probe> probe_of(const Project& project, const Service& service) {
  const auto given = readiness_of(project, service.name);
  if (!given || !*given) return std::nullopt;
  const Readiness& ready = **given;
  const auto kind = ready.kind == Readiness::Kind::tcp    ? plan::Probe::Kind::tcp
                    : ready.kind == Readiness::Kind::http ? plan::Probe::Kind::http
                                                          : plan::Probe::Kind::exec;
  const auto whole = [](std::chrono::nanoseconds time) { return std::chrono::ceil<std::chrono::milliseconds>(time); };
  return plan::Probe{.kind = kind,
                     .port = ready.port,
                     .path = ready.path,
                     .command = ready.command,
                     .interval = whole(ready.interval),
                     .timeout = whole(ready.timeout),
                     .start_period = whole(ready.start_period),
                     .retries = ready.retries};
}

}  // namespace berth::compose::detail
