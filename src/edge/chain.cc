#include "edge/chain.h"

#include <algorithm>
#include <span>

#include "edge/cache_serve.h"
#include "edge/exchange.h"
#include "edge/shared.h"

namespace berth::edge {
namespace {

/// The end of every chain: the exchange with an upstream.
class ToService final : public Handler {
 public:
  io::Task<Outcome> handle(Request& request, ReplySink& reply) const override {
    const Service& service = *request.entry->service;
    if (!service.upstreams.empty()) return exchange(request, reply);
    return answered(
        {.own_status = 503, .message = "The service has no running instance right now.", .detail = service.down});
  }
};

/// A run of middlewares that decide at once: rates, redirects, prefixes. Costs no coroutine.
class Steps final : public Handler {
 public:
  /// The middlewares of the request's route from `first` on, `count` of them.
  Steps(std::size_t first, std::size_t count, std::shared_ptr<const Handler> next)
      : first_(first), count_(count), next_(std::move(next)) {}

  io::Task<Outcome> handle(Request& request, ReplySink& reply) const override {
    const std::span all(request.entry->route.middlewares);
    const auto steps = all.subspan(first_, std::min(count_, all.size() - first_));
    if (steps.empty()) return next_->handle(request, reply);
    for (const Middleware& each : steps) {
      if (!is_within_rate(request, each)) {
        return answered({.own_status = 429, .message = "Too many requests. Try again in a moment."});
      }
    }
    Verdict verdict = apply_middlewares(steps, {request.head, request.path, request.hop}, request.rewritten);
    if (verdict.status == 0) return next_->handle(request, reply);
    if (verdict.status < 400) verdict.reason = "This address is served elsewhere.";
    return answered({.own_status = verdict.status, .message = verdict.reason, .location = std::move(verdict.location)});
  }

 private:
  static bool is_within_rate(const Request& request, const Middleware& middleware) {
    const auto* limit = std::get_if<RateLimit>(&middleware.action);
    Shared& shared = request.shared;
    return !limit || shared.limiter.allow(*limit, middleware.name, request.client, shared.loop.now());
  }

  std::size_t first_, count_;
  std::shared_ptr<const Handler> next_;
};

// A middleware that waits, wraps the sink or remembers is no step: it has a handler, made by MakeHandler.
template <class Action>
constexpr bool kIsStep = true;
template <>
constexpr bool kIsStep<CachePolicy> = false;

bool is_step(const Middleware& middleware) {
  return std::visit([]<class Action>(const Action&) { return kIsStep<Action>; }, middleware.action);
}

struct MakeHandler {
  std::shared_ptr<const Handler> next;
  std::shared_ptr<const Handler> operator()(const CachePolicy& policy) const { return make_cache(policy, next); }
  template <class Step>
  std::shared_ptr<const Handler> operator()(const Step&) const {
    return next;
  }
};

}  // namespace

std::shared_ptr<const Handler> make_chain(const Route& route) {
  static const std::shared_ptr<const Handler> service = std::make_shared<ToService>();
  static const std::shared_ptr<const Handler> plain = std::make_shared<Steps>(0, ~std::size_t{0}, service);
  const auto& middlewares = route.middlewares;
  if (std::ranges::all_of(middlewares, is_step)) return plain;
  std::shared_ptr<const Handler> next = service;
  std::size_t end = middlewares.size();
  for (std::size_t i = end; i-- > 0;) {
    if (is_step(middlewares[i])) continue;
    if (i + 1 < end) next = std::make_shared<Steps>(i + 1, end - i - 1, std::move(next));
    next = std::visit(MakeHandler{std::move(next)}, middlewares[i].action);
    end = i;
  }
  return end == 0 ? next : std::make_shared<Steps>(0, end, std::move(next));
}

}  // namespace berth::edge
