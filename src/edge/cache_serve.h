// Requests on routes that cache: answered from the store where it can, else by one exchange for all who ask.
#pragma once

#include <memory>

#include "edge/cache_policy.h"
#include "edge/handler.h"

namespace berth::edge {

/// A middleware that answers from the store of the loop's Shared, and asks `next` for what is not there. Without a
/// store it is `next`.
std::shared_ptr<const Handler> make_cache(CachePolicy policy, std::shared_ptr<const Handler> next);

}  // namespace berth::edge
