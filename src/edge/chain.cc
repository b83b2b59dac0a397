#include "edge/chain.h"

#include <algorithm>
#include <span>

#include "edge/cache_serve.h"
#include "edge/limits.h"
#include "edge/middlewares.h"
#include "edge/shared.h"
#include "edge/source.h"
#include "edge/step.h"

namespace berth::edge {
namespace {

/// A run of middlewares that decide at once: rates, address lists, redirects, paths. Costs no coroutine.
class Steps final : public Handler {
 public:
  /// The middlewares of the request's route from `first` on, `count` of them.
  Steps(std::size_t first, std::size_t count, HandlerPtr next) : first_(first), count_(count), next_(std::move(next)) {}

  io::Task<Outcome> handle(Request& request, ReplySink& reply) const override {
    const std::span all(request.entry->route.middlewares);
    for (const Middleware& each : all.subspan(first_, std::min(count_, all.size() - first_))) {
      Verdict verdict = judge(request, each);
      if (verdict.status == 0) verdict = take_step(each, {request.head, request.path, request.hop}, request.rewritten);
      if (verdict.status == 0) continue;
      if (verdict.status < 400) verdict.reason = "This address is served elsewhere.";
      return answered(
          {.own_status = verdict.status, .message = verdict.reason, .location = std::move(verdict.location)});
    }
    return next_->handle(request, reply);
  }

 private:
  static Verdict judge(const Request& request, const Middleware& middleware) {
    const auto* limit = std::get_if<RateLimit>(&middleware.action);
    const auto* list = std::get_if<IpAllowList>(&middleware.action);
    if (!limit && !list) return {};
    const Sender sender{request.hop, request.head.fields, request.host, request.client, request.live.trusted()};
    Shared& shared = request.shared;
    if (limit && !shared.limits->allow(*limit, middleware.name, source_of(limit->source, sender), shared.loop.now())) {
      return {.status = 429, .reason = "Too many requests. Try again in a moment."};
    }
    if (!list) return {};
    const auto address = address_by(list->strategy, sender);
    if (address && is_trusted(*address, list->ranges)) return {};
    return {.status = static_cast<int>(list->status), .reason = "This address is not allowed here."};
  }

  std::size_t first_, count_;
  HandlerPtr next_;
};

HandlerPtr make_handler(const CachePolicy& policy, Place place) {
  return make_cache(policy, std::move(place.next));
}

/// A middleware with a handler of its own.
template <class Action>
concept HasHandler = requires(const Action& action, Place place) { make_handler(action, place); };

bool is_step(const Middleware& middleware) {
  if (const auto* headers = std::get_if<Headers>(&middleware.action)) {
    return !headers->cors.is_set() && headers->allowed_hosts.empty();
  }
  return std::visit([]<class Action>(const Action&) { return !HasHandler<Action>; }, middleware.action);
}

HandlerPtr handler_of(const Middleware& middleware, const Routes& routes, HandlerPtr next) {
  return std::visit(
      [&]<class Action>(const Action& action) {
        if constexpr (HasHandler<Action>) {
          return make_handler(action, Place{middleware.name, routes, std::move(next)});
        } else {
          return std::move(next);
        }
      },
      middleware.action);
}

}  // namespace

HandlerPtr make_chain(const Route& route, const Routes& routes) {
  static const HandlerPtr plain = std::make_shared<Steps>(0, ~std::size_t{0}, to_service());
  const auto& middlewares = route.middlewares;
  if (middlewares.empty()) return to_service();
  if (std::ranges::all_of(middlewares, is_step)) return plain;
  HandlerPtr next = to_service();
  std::size_t end = middlewares.size();
  for (std::size_t i = end; i-- > 0;) {
    if (is_step(middlewares[i])) continue;
    if (i + 1 < end) next = std::make_shared<Steps>(i + 1, end - i - 1, std::move(next));
    next = handler_of(middlewares[i], routes, std::move(next));
    end = i;
  }
  return end == 0 ? next : std::make_shared<Steps>(0, end, std::move(next));
}

}  // namespace berth::edge
