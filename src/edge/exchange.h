// One request and its reply between a client's end and an upstream, streamed both ways with bounded buffers.
#pragma once

#include "edge/handler.h"

namespace berth::edge {

/// Runs one exchange over the service of the request's entry, which has an upstream. The deadlines are those of the
/// request's snapshot. A reply that the upstream cuts is not ended; what fails before it began is in the outcome.
io::Task<Outcome> exchange(Request& request, ReplySink& reply);

}  // namespace berth::edge
