// What may stand between an exchange and its upstream.
#pragma once

#include "edge/upstream_pool.h"
#include "http/body.h"

namespace berth::edge {

/// A reply whose head was read, with the connection that the rest comes on.
struct ReplyRest {
  UpstreamPool::Connection wire;
  http::BodyKind body{};
  bool keep_alive = false;
  UpstreamPool::Use use{};
  const Upstream* target = nullptr;
};

/// Changes the request's head, and sees the reply's head before the client.
class ReplyTap {
 public:
  enum class Then {
    relay,  ///< it goes to the client
    drop,   ///< nothing goes to the client; the exchange ends with an empty outcome
    take,   ///< the same, and take() gets the rest
  };
  virtual ~ReplyTap() = default;
  /// What is sent in place of `head`; lives as long as the tap.
  virtual const http::RequestHead& request(const http::RequestHead& head) = 0;
  /// May add fields to a reply that it relays; they view memory that lives as long as the tap.
  virtual Then on_head(http::ResponseHead& reply) = 0;
  virtual void take(ReplyRest rest) = 0;
};

}  // namespace berth::edge
