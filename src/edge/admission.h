// Whether a connection that came may stay: the limits of edge/crowd.h as the settings say.
#pragma once

#include <string>

#include "edge/crowd.h"
#include "edge/shared.h"

namespace berth::edge {

/// As the settings in use say.
Crowd::Most most_connections(const Shared& shared);

/// Names the seat after its client; false when that has too many connections already, which is counted and told.
/// Trusted proxies may have any number: theirs are those of many clients.
bool admit(Shared& shared, Crowd::Seat& seat, const Ip& client);

/// Sends EdgeEvent::Kind::crowded, at most once a minute.
void tell_crowded(Shared& shared, std::string detail);

}  // namespace berth::edge
