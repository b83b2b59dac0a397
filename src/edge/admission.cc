#include "edge/admission.h"

#include "edge/limits.h"

namespace berth::edge {
namespace {

constexpr auto kTellAgain = std::chrono::seconds(60);

}  // namespace

Crowd::Most most_connections(const Shared& shared) {
  const Settings& settings = shared.live->settings();
  return shared.limits->crowd().most({.all = settings.connections, .each = settings.client_connections});
}

bool admit(Shared& shared, Crowd::Seat& seat, const Ip& client) {
  if (is_trusted(client, shared.live->trusted())) return true;
  const std::size_t most = most_connections(shared).each;
  if (seat.name(client, most)) return true;
  ++shared.metrics.refused;
  tell_crowded(shared, "client " + client_of(client).text() + " has the " + std::to_string(most) +
                           " connections that one may have: more of it are refused");
  return false;
}

void tell_crowded(Shared& shared, std::string detail) {
  const io::Time now = shared.loop.now();
  if (!shared.event || (shared.crowded != io::Time{} && now - shared.crowded < kTellAgain)) return;
  shared.crowded = now;
  shared.event({.kind = EdgeEvent::Kind::crowded, .subject = {}, .detail = std::move(detail)});
}

}  // namespace berth::edge
