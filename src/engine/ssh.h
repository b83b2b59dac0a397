// Engines behind ssh: `docker system dial-stdio` on the other side, as child processes of the ssh program.
#pragma once

#include <memory>

#include "engine/access.h"
#include "io/stream.h"

namespace berth::engine {

/// As make_dialer() describes. Dialling ends with Code::timeout where there is no login within 20 s.
std::unique_ptr<io::Dialer> ssh_dialer(Address address, SshFiles files);

}  // namespace berth::engine
