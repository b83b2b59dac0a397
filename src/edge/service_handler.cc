// The end of every chain: groups of services, then the exchange with an upstream.
#include <algorithm>
#include <numeric>

#include "edge/detached.h"
#include "edge/exchange.h"
#include "edge/hold.h"
#include "edge/middlewares.h"
#include "edge/shared.h"
#include "edge/sink.h"
#include "edge/source.h"
#include "edge/subrequest.h"
#include "io/scope.h"

namespace berth::edge {
namespace {

/// Requests that a group saw.
struct Turns final : MiddlewareState {
  std::uint64_t turn = 0;
};

/// Notes when a reply begins, and gives the client the cookie by which it stays.
class WatchSink final : public ThroughSink {
 public:
  WatchSink(ReplySink& to, const io::Loop& loop, const std::string& cookie)
      : ThroughSink(to), loop_(loop), cookie_(cookie), begun_(loop.now()) {}
  io::Task<Result<void>> begin(http::ResponseHead& head, bool has_body) override {
    answered_ = loop_.now();
    if (!cookie_.empty()) head.fields.add({"Set-Cookie", cookie_});
    return to_.begin(head, has_body);
  }
  io::Task<Result<void>> upgrade(http::ResponseHead& head) override {
    answered_ = loop_.now();
    return to_.upgrade(head);
  }
  std::chrono::microseconds took() const {
    const io::Time end = answered_ == io::Time{} ? loop_.now() : answered_;
    return std::chrono::duration_cast<std::chrono::microseconds>(end - begun_);
  }

 private:
  const io::Loop& loop_;
  const std::string& cookie_;
  io::Time begun_, answered_{};
};

constexpr std::size_t kMostCopies = 256;  // for mirrors, at the same time

/// Copies that are under way; counted down even when the state was forgotten meanwhile.
struct Copies final : MiddlewareState {
  std::shared_ptr<std::size_t> running = std::make_shared<std::size_t>(0);
};

/// A request's copy for a mirror, with all that it needs.
struct Copy {
  Copy(const Request& request, Routes::Entry to, std::shared_ptr<std::size_t> count)
      : own(request), live(request.shared.live), entry(std::move(to)), running(std::move(count)) {}
  Detached own;
  std::shared_ptr<const Live> live;
  Routes::Entry entry;
  std::shared_ptr<std::size_t> running;
};

class ToService final : public Handler {
 public:
  io::Task<Outcome> handle(Request& request, ReplySink& reply) const override {
    const Service* service = request.service;
    if (service->hold) return held(request, reply);
    if (const auto* weighted = std::get_if<Weighted>(&service->group)) {
      request.service = choose(request, *weighted);
    } else if (const auto* failover = std::get_if<Failover>(&service->group)) {
      request.service = first_that_serves(request, *failover);
    } else if (const auto* mirroring = std::get_if<Mirroring>(&service->group)) {
      return mirror(request, reply, *mirroring);
    }
    return to_one(request, reply);
  }

 private:
  /// Then again from the start: it may be another service by now.
  static io::Task<Outcome> held(Request& request, ReplySink& reply) {
    Outcome outcome = co_await wait_while_held(request, reply);
    if (outcome.own_status != 0 || !outcome.detail.empty()) co_return outcome;
    if (!request.service) co_return co_await to_one(request, reply);
    co_return co_await to_service()->handle(request, reply);
  }

  static io::Task<Outcome> to_one(Request& request, ReplySink& reply) {
    if (request.service && request.service->hold) return held(request, reply);
    if (request.service && !request.service->upstreams.empty()) return balanced(request, reply);
    return answered({.own_status = 503,
                     .message = "The service has no running instance right now.",
                     .detail = request.service ? request.service->down : "the service is gone"});
  }

  static io::Task<Outcome> balanced(Request& request, ReplySink& reply) {
    const Service& service = *request.service;
    Shared& shared = request.shared;
    Balancer::Facts facts{
        .now = shared.loop.now(), .client = request.client, .cookie = {}, .usable = {}, .exchanges = {}};
    const bool simple = service.strategy == Strategy::wrr && !service.sticky;
    facts.usable = [&pool = shared.pool](const Upstream& each) { return !pool.is_failing(each); };
    if (!simple) facts.exchanges = [&pool = shared.pool](const Upstream& each) { return pool.exchanges(each); };
    std::string name;
    if (service.sticky) name = sticky_name(service);
    if (service.sticky) facts.cookie = cookie_of(request.head.fields, name);
    request.first = shared.balancer.choose(service, facts);
    if (simple) return exchange(request, reply);
    return watched(request, reply);
  }

  /// With a cookie for the next time, and a look at how long it took.
  static io::Task<Outcome> watched(Request& request, ReplySink& reply) {
    const Service& service = *request.service;
    const Upstream& upstream = service.upstreams[request.first];
    const std::string value = service.sticky ? sticky_value(upstream) : std::string();
    const bool known = service.sticky && cookie_of(request.head.fields, sticky_name(service)) == value;
    const std::string cookie = service.sticky && !known ? sticky_cookie(service, upstream) : std::string();
    WatchSink sink(reply, request.shared.loop, cookie);
    const Outcome outcome = co_await exchange(request, sink);
    // A failure is quick: it must not draw requests.
    if (outcome.target && outcome.own_status == 0)
      request.shared.balancer.took(service, *outcome.target, sink.took(), request.shared.loop.now());
    co_return outcome;
  }

  static const Service* find(const Request& request, std::string_view name) {
    return request.live.routes().service(name).get();
  }

  /// Those without an upstream are passed over.
  static const Service* choose(Request& request, const Weighted& group) {
    std::uint64_t sum = 0;
    const auto weight_of = [&](const Weighted::Part& part) -> std::uint64_t {
      const Service* service = find(request, part.name);
      return service && !service->upstreams.empty() ? part.weight : 0;
    };
    for (const auto& part : group.services) sum += weight_of(part);
    if (sum == 0) return nullptr;
    // Turns are spread: 3 of 4 are not three in a row and then one.
    std::uint64_t stride = sum / 2 + 1;
    while (std::gcd(stride, sum) != 1) ++stride;
    std::uint64_t at = request.shared.state<Turns>("weighted " + request.service->name).turn++ * stride % sum;
    for (const auto& part : group.services) {
      const std::uint64_t weight = weight_of(part);
      if (at < weight) return find(request, part.name);
      at -= weight;
    }
    return nullptr;
  }

  static const Service* first_that_serves(const Request& request, const Failover& group) {
    const Service* service = find(request, group.service);
    const auto serves = [&](const Upstream& each) { return !request.shared.pool.is_failing(each); };
    const bool up = service && std::ranges::any_of(service->upstreams, serves);
    return up ? service : find(request, group.fallback);
  }

  /// Copies go their own way: who asked waits for none of them.
  static io::Task<Outcome> mirror(Request& request, ReplySink& reply, const Mirroring& group) {
    request.service = find(request, group.service);
    // A body streams once: only requests without one are copied.
    const bool copied = request.body->state() == BodySource::State::none && !request.wants_websocket();
    for (const auto& part : group.mirrors) {
      const std::uint64_t turn = request.shared.state<Turns>("mirror " + part.name).turn++;
      const bool wanted = (turn * part.percent) / 100 != ((turn + 1) * part.percent) / 100;
      if (copied && wanted) copy_to(request, part.name);
    }
    return to_one(request, reply);
  }

  static void copy_to(const Request& request, std::string_view name) {
    Shared& shared = request.shared;
    const auto running = shared.state<Copies>("copies").running;
    auto entry = entry_for(shared.live->routes(), name);
    if (!shared.background || *running >= kMostCopies) return;
    if (!entry || entry->service->upstreams.empty() || entry->service->hold) return;
    auto copy = std::make_unique<Copy>(request, std::move(*entry), running);
    if (copy->own.parsed) shared.background->spawn(send(shared, std::move(copy)));
  }

  static io::Task<void> send(Shared& shared, std::unique_ptr<Copy> copy) {
    ++*copy->running;
    Request request = copy->own.request(shared, *copy->live, copy->entry);
    co_await io::within(std::chrono::seconds(5), run(request, copy->own.nobody));
    --*copy->running;
  }
  static io::Task<void> run(Request& request, ReplySink& nobody) {
    const Outcome outcome = co_await to_service()->handle(request, nobody);
    static_cast<void>(outcome);
  }
};

}  // namespace

HandlerPtr to_service() {
  static const HandlerPtr one = std::make_shared<ToService>();
  return one;
}

}  // namespace berth::edge
