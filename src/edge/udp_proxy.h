// UDP routers at work: one entry point's socket, and a session with a server for each client.
#pragma once

#include <memory>
#include <string>

#include "edge/shared.h"
#include "io/datagram.h"

namespace berth::edge {

/// Datagrams of clients go to a server that was chosen at a client's first one, and its answers back, until the client
/// was silent for the entry point's udp_timeout. At most 4096 clients at a time: those beyond are not served. Returns
/// when `socket` is closed.
io::Task<void> serve_datagrams(Shared& shared, io::Datagrams& socket, std::string entry_point);

}  // namespace berth::edge
