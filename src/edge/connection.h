// One client's connection: TLS, request after request, until it ends.
#pragma once

#include <memory>
#include <utility>

#include "edge/crowd.h"
#include "edge/route.h"
#include "io/tls.h"

namespace berth::edge {

struct Shared;

/// One of those that are counted, for as long as it lives.
class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(&count) { ++count; }
  Counted(Counted&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  ~Counted() {
    if (count_) --*count_;
  }

 private:
  std::size_t* count_;
};
/// What a connection has while it is open.
struct Attendance {
  Crowd::Seat seat;
  Counted open;
};

/// Serves a plain connection to its end. Waiting for a request's first byte happens under `idle`, so that draining ends
/// idle connections at once and open exchanges not at all. Never fails: how a connection ends is its client's matter.
io::Task<void> serve_client(Shared& shared, std::unique_ptr<io::Stream> stream, Listener listener, io::Cancel& idle,
                            Attendance attendance);

/// What connections are served with; all outlive them.
struct Serving {
  Shared& shared;
  io::Cancel& idle;
  io::Scope& clients;  ///< whose children they are
};
/// The same behind a TLS handshake: ends with that, and the connection goes on as another one of `clients`, so that one
/// that waits holds no frame of its handshake.
io::Task<void> serve_tls_client(Serving serving, std::unique_ptr<io::Stream> stream,
                                std::shared_ptr<io::TlsContext> context, Attendance attendance);

}  // namespace berth::edge
