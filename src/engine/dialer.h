// Dialers for each kind of engine address.
#pragma once

#include <memory>

#include "engine/access.h"
#include "io/stream.h"

namespace berth::engine {

/// Code::invalid for TLS texts that do not fit, denied as check_reachable(). For ssh a connection is a child process
/// with the engine on its input and output; with a control folder all of them share one login, which ends with the
/// dialer. Thread: its loop's.
Result<std::unique_ptr<io::Dialer>> make_dialer(const Address& address, const Access& access = {});

}  // namespace berth::engine
