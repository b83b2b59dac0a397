// The handlers of middlewares that wait, wrap the reply or remember; edge/chain.cc strings them together.
#pragma once

#include <memory>
#include <string>

#include "edge/handler.h"

namespace berth::edge {

/// Where a handler stands. What it points to lives as long as the snapshot, as the handler does.
struct Place {
  const std::string& name;  ///< the middleware's; its state in Shared goes by it
  const Routes& routes;
  std::shared_ptr<const Handler> next;
};
using HandlerPtr = std::shared_ptr<const Handler>;

HandlerPtr make_handler(const Headers& action, Place place);
HandlerPtr make_handler(const InFlight& action, Place place);
HandlerPtr make_handler(const Buffering& action, Place place);
HandlerPtr make_handler(const Maintenance& action, Place place);
HandlerPtr make_handler(const BasicAuth& action, Place place);
HandlerPtr make_handler(const DigestAuth& action, Place place);
HandlerPtr make_handler(const GrpcWeb& action, Place place);
HandlerPtr make_handler(const ApiKey& action, Place place);
HandlerPtr make_handler(const Jwt& action, Place place);
HandlerPtr make_handler(const ForwardAuth& action, Place place);
HandlerPtr make_handler(const Compress& action, Place place);
HandlerPtr make_handler(const Retry& action, Place place);
HandlerPtr make_handler(const CircuitBreaker& action, Place place);
HandlerPtr make_handler(const ErrorPages& action, Place place);

/// The end of every chain: the exchange with an upstream of the request's service.
HandlerPtr to_service();

}  // namespace berth::edge
