// The handlers of a route, one after the other, made once when a snapshot becomes live.
#pragma once

#include <memory>

#include "edge/handler.h"

namespace berth::edge {

/// The route's middlewares in order, then its service. Immutable; routes without middlewares that need a handler of
/// their own share one chain.
std::shared_ptr<const Handler> make_chain(const Route& route, const Routes& routes);

}  // namespace berth::edge
