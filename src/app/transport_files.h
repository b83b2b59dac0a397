// serversTransports and the PEM files that they name.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "edge/tcp_route.h"

namespace berth::app {

struct Transports {
  std::vector<edge::Transport> http{};
  std::vector<edge::TcpTransport> tcp{};
};

/// Puts what the files hold in place of their paths; what is PEM already stays. One message for each file that cannot
/// be read: its transport reaches no server over TLS then.
std::vector<std::string> read_pem_files(Transports& transports);

/// `http.serversTransports` and `tcp.serversTransports` of a file, its PEM files read. Code::invalid naming the key
/// that is wrong or the file that cannot be read.
Result<Transports> read_transports(const Json& tree);

}  // namespace berth::app
