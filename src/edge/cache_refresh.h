// Asking a service again while nobody waits (stale-while-revalidate, RFC 5861 3).
#pragma once

#include "edge/cache_tap.h"

namespace berth::edge {

/// Confirms or replaces `stored` by a request like the one of `one`, of which it takes what it needs before it waits
/// for anything. `flight` is in the table.
io::Task<void> refresh_stored(const CacheCase& one, Flight flight, StoredReply stored);

}  // namespace berth::edge
