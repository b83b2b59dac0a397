// When a reply may be stored, how old it is, and whether it may answer a request (RFC 9111 3 and 4). Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "edge/cache_control.h"
#include "edge/cache_policy.h"
#include "http/head.h"

namespace berth::edge {

/// The moment of a decision.
struct CacheMoment {
  std::int64_t wall = 0;   ///< seconds since 1970, to be compared with dates of the origin
  std::int64_t ticks = 0;  ///< milliseconds of a clock that never jumps: how long something lies here
};

/// What is known of a stored reply's age. Seconds, but for `received`.
struct Freshness {
  std::int64_t lifetime = 0;     ///< RFC 9111 4.2.1
  std::int64_t initial_age = 0;  ///< RFC 9111 4.2.3, when it was received
  std::int64_t received = 0;     ///< ticks
  std::int64_t stale_while_revalidate = 0;
  std::int64_t stale_if_error = 0;  ///< when the service answers with a 5xx
  std::int64_t stale_if_unreachable = 0;
  bool validate_always = false;  ///< no-cache
  bool never_stale = false;      ///< must-revalidate, proxy-revalidate, s-maxage, no-cache

  std::int64_t age(std::int64_t ticks) const;
  bool is_fresh(std::int64_t ticks) const { return left(ticks) > 0; }
  /// Milliseconds until it is stale; negative afterwards.
  std::int64_t left(std::int64_t ticks) const;
  bool within(std::int64_t window, std::int64_t ticks) const;
};

struct StoreFacts {
  const http::RequestHead& request;
  const http::ResponseHead& reply;
  const CachePolicy& policy;
  CacheMoment now;         ///< when the reply's head came
  std::int64_t delay = 0;  ///< seconds between request and reply
};
struct StoreVerdict {
  bool store = false;
  std::string_view why{};  ///< a constant: why not
  Freshness freshness{};
};
/// RFC 9111 3 for a shared cache; what `policy` sets on top. Only replies to GET.
StoreVerdict may_store(const StoreFacts& facts, const ReplyControl& control);

enum class CacheUse {
  fetch,        ///< nothing that can answer
  serve,        ///< fresh enough
  serve_stale,  ///< serve it, and ask the origin meanwhile (RFC 5861 3)
  revalidate,   ///< ask the origin first
  refuse,       ///< 504: the client wants no request to go out (only-if-cached)
};
/// `stored` may be null. `can_validate`: it has a validator.
CacheUse decide_use(const Freshness* stored, const RequestControl& request, const CachePolicy& policy,
                    std::int64_t ticks);

/// Whether a stale reply may stand for a failed request (RFC 9111 4.2.4, RFC 5861 4). `unreachable`: no reply came.
bool may_stand_in(const Freshness& stored, bool unreachable, std::int64_t ticks);

/// Whether the method may change what is stored (RFC 9111 4.4); unknown ones may.
bool is_unsafe(std::string_view method);

}  // namespace berth::edge
