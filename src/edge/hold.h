// Requests of a service that an operator holds back.
#pragma once

#include "edge/handler.h"

namespace berth::edge {

/// REQUIRES: `request.service->hold`. Waits until the service is held no more and points `request.service` to what the
/// newest snapshot says of it. In the outcome: why it gets no answer of the service, or nothing.
io::Task<Outcome> wait_while_held(Request& request, ReplySink& reply);

}  // namespace berth::edge
