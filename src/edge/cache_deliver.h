// A stored reply, or one that still arrives, to one client.
#pragma once

#include "edge/cache_tap.h"

namespace berth::edge {

/// What is sent to whom, and what Cache-Status says of it. `flight` null: `stored` is complete.
struct Parcel {
  StoredReply stored;
  Flight flight{};
  CacheNote note{};
};
io::Task<Outcome> deliver(CacheCase& one, ReplySink& sink, Parcel parcel);

}  // namespace berth::edge
