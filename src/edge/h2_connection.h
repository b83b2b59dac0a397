// A client's connection that speaks HTTP/2: its streams become requests.
#pragma once

#include <memory>

#include "edge/forward.h"
#include "io/stream.h"

namespace berth::edge {

struct Shared;

/// The first bytes of such a connection, by which it is known where nothing was negotiated.
inline constexpr std::string_view kH2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection to be served; `early` was read of it already.
struct H2Start {
  std::unique_ptr<io::Stream> stream;
  std::string early{};
  Hop hop;
};
/// Serves it to its end. `idle` says that no new requests are wanted: the client is told (GOAWAY), those that run may
/// finish.
io::Task<void> serve_h2_client(Shared& shared, H2Start start, io::Cancel& idle);

}  // namespace berth::edge
