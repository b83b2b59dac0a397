// Limits that are held for as long as a request runs, and the page of a service under maintenance.
#include "edge/front.h"
#include "edge/limits.h"
#include "edge/middlewares.h"
#include "edge/shared.h"
#include "edge/sink.h"
#include "edge/source.h"

namespace berth::edge {
namespace {

Sender sender_of(const Request& request) {
  return {request.hop, request.head.fields, request.host, request.client, request.live.trusted()};
}

class InFlightLimit final : public Handler {
 public:
  InFlightLimit(const InFlight& action, Place place)
      : action_(action), name_(place.name), next_(std::move(place.next)) {}

  io::Task<Outcome> handle(Request& request, ReplySink& reply) const override {
    if (action_.amount == 0) co_return co_await next_->handle(request, reply);
    Limits& limits = *request.shared.limits;
    const Ip source = source_of(action_.source, sender_of(request));
    if (!limits.begin(name_, source, action_.amount)) {
      co_return Outcome{.own_status = 429, .message = "Too many requests at the same time. Try again in a moment."};
    }
    const Outcome outcome = co_await next_->handle(request, reply);
    limits.end(name_, source);
    co_return outcome;
  }

 private:
  InFlight action_;
  std::string name_;
  HandlerPtr next_;
};

/// Counts a body while it streams.
class BoundedBody final : public BodySource {
 public:
  BoundedBody(BodySource& from, std::uint64_t most) : from_(from), left_(most) { state_ = from.state(); }

  Piece take() override {
    Piece piece = from_.take();
    state_ = from_.state();
    if (piece.what != Piece::some) return piece;
    if (piece.data.size() <= left_) {
      left_ -= piece.data.size();
      return piece;
    }
    state_ = State::broken;
    from_.abandon_running();
    return {.what = Piece::refused,
            .status = 413,
            .message = "The request's body is larger than this service accepts.",
            .detail = "the body is larger than buffering.maxrequestbodybytes"};
  }
  io::Task<Result<void>> more() override {
    auto result = co_await from_.more();
    state_ = from_.state();
    co_return result;
  }
  io::Task<bool> gone() override { return from_.gone(); }
  const http::Fields* trailers() const override { return from_.trailers(); }

 private:
  BodySource& from_;
  std::uint64_t left_;
};

/// A reply that says to be too large is refused before any of it is sent.
class BoundedReply final : public ThroughSink {
 public:
  BoundedReply(ReplySink& to, std::uint64_t most) : ThroughSink(to), most_(most) {}
  bool too_large = false;
  io::Task<Result<void>> begin(http::ResponseHead& head, bool has_body) override {
    too_large = has_body && head.framing.length.value_or(0) > most_;
    if (too_large) return refuse();
    return to_.begin(head, has_body);
  }

 private:
  static io::Task<Result<void>> refuse() { co_return fail(Code::invalid, "the reply is too large"); }
  std::uint64_t most_;
};

class BodyLimit final : public Handler {
 public:
  BodyLimit(Buffering action, Place place) : action_(std::move(action)), next_(std::move(place.next)) {}

  io::Task<Outcome> handle(Request& request, ReplySink& reply) const override {
    const std::uint64_t most = action_.request_bytes;
    if (most > 0 && request.head.framing.length.value_or(0) > most) {
      co_return Outcome{.own_status = 413, .message = "The request's body is larger than this service accepts."};
    }
    BodySource& whole = *request.body;
    BoundedBody bounded(whole, most);
    if (most > 0 && !request.wants_websocket()) request.body = &bounded;
    BoundedReply sink(reply, action_.response_bytes == 0 ? ~std::uint64_t{0} : action_.response_bytes);
    Outcome outcome = co_await next_->handle(request, sink);
    request.body = &whole;
    if (sink.too_large) {
      outcome.own_status = 502;
      outcome.message = "The service's answer is larger than it may be.";
    }
    co_return outcome;
  }

 private:
  Buffering action_;
  HandlerPtr next_;
};

class Closed final : public Handler {
 public:
  Closed(Maintenance action, Place place) : action_(std::move(action)), next_(std::move(place.next)) {}

  io::Task<Outcome> handle(Request& request, ReplySink& reply) const override {
    if (!action_.enabled || is_trusted(request.client, action_.allowed)) return next_->handle(request, reply);
    return answer_closed(request, reply, {action_.message, action_.retry_after, "under maintenance"});
  }

 private:
  Maintenance action_;
  HandlerPtr next_;
};

}  // namespace

HandlerPtr make_handler(const InFlight& action, Place place) {
  return std::make_shared<InFlightLimit>(action, std::move(place));
}
HandlerPtr make_handler(const Buffering& action, Place place) {
  return std::make_shared<BodyLimit>(action, std::move(place));
}
HandlerPtr make_handler(const Maintenance& action, Place place) {
  return std::make_shared<Closed>(action, std::move(place));
}

}  // namespace berth::edge
