// One client's connection: TLS, request after request, until it ends.
#pragma once

#include <memory>

#include "edge/route.h"
#include "io/tls.h"

namespace berth::edge {

struct Shared;

/// Serves a plain connection to its end. Waiting for a request's first byte happens under `idle`, so that draining ends
/// idle connections at once and open exchanges not at all. Never fails: how a connection ends is its client's matter.
io::Task<void> serve_client(Shared& shared, std::unique_ptr<io::Stream> stream, Listener listener, io::Cancel& idle);

/// The same behind a TLS handshake.
io::Task<void> serve_tls_client(Shared& shared, std::unique_ptr<io::Stream> stream,
                                std::shared_ptr<io::TlsContext> context, io::Cancel& idle);

}  // namespace berth::edge
