// The cache's part of one exchange: what goes to the service, and what becomes of its reply.
#pragma once

#include <memory>
#include <optional>

#include "edge/cache_answer.h"
#include "edge/cache_flight.h"

namespace berth::edge {

/// One request on a route that caches. Lives as long as the request.
struct CacheCase {
  Shared& shared;
  Request& request;
  std::shared_ptr<const Live> live;
  const Handler& next;
  const CachePolicy& policy;
  std::string_view key{};  ///< in the request's workspace, or whoever else owns it as long
  std::uint64_t hash = 0;

  CacheMoment now() const;
};

class CacheTap final : public ReplyTap {
 public:
  /// `flight` null: the reply is not kept. `stored` null: nothing is confirmed.
  CacheTap(CacheCase& one, Flight flight, StoredReply stored);

  const http::RequestHead& request(const http::RequestHead& head) override;
  Then on_head(http::ResponseHead& reply) override;
  void take(ReplyRest rest) override;

  /// What Cache-Status says of an answer that comes of this exchange.
  CacheNote note{};
  /// The service failed, and the stored reply takes its place.
  bool stands_in = false;

 private:
  Then freshen(const http::ResponseHead& reply);
  Then keep(const http::ResponseHead& reply);
  Then pass(http::ResponseHead& reply, std::string_view why);
  void forget(const http::ResponseHead& reply);

  CacheCase& case_;
  Flight flight_;
  StoredReply stored_;
  std::int64_t asked_ = 0;  ///< ticks
  std::optional<http::RequestHead> head_;
  AnswerText text_{};
};

}  // namespace berth::edge
