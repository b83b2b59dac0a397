// The binary protocol of uWSGI: one packet of variables, then the body as it is. Pure.
#pragma once

#include <string>

#include "edge/cgi_vars.h"

namespace berth::edge {

/// Modifiers 0 (WSGI). Code::invalid when the variables take more than the 65,535 bytes that a packet has room for.
Result<std::string> uwsgi_packet(const CgiVars& vars);

}  // namespace berth::edge
