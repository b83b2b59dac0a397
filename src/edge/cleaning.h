// What a client must not say, taken out of its request before anything decides by it or adds to it.
#pragma once

#include "http/head.h"

namespace berth::edge {

/// Takes out the fields that Connection names (but it cannot name Host, Cookie, Authorization or X-Forwarded-*);
/// X-Forwarded-*, Forwarded, X-Real-Ip, X-Original-*, those of client certificates and the like, unless the peer is
/// `trusted`; names with '_' (they collide with '-' behind CGI). Pure.
void clean_request(http::RequestHead& head, bool trusted);

}  // namespace berth::edge
