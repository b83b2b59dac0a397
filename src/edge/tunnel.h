// The two directions of a tunnel between a client and an upstream: a WebSocket, once its handshake is done.
#pragma once

#include "edge/handler.h"
#include "edge/upstream_pool.h"

namespace berth::edge {

/// What the client sends, until its end, which is passed on. Holds one read; no deadline.
io::Task<Result<void>> tunnel_up(BodySource& from, UpstreamLink& to);
/// What the upstream sends, likewise.
io::Task<Result<void>> tunnel_down(UpstreamLink& from, ReplySink& to);

}  // namespace berth::edge
